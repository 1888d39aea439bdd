"""Evidence so far: a preview of the card, beside every step if the terminal is wide enough."""

from __future__ import annotations

from textual.content import Content

from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.session.baseline_choice import target_share
from tuneproof.tui.meanings import OF_SEVERITY, OF_STATUS, verdict_meaning
from tuneproof.tui.theme import Meaning
from tuneproof.tui.widgets.bars import rate_bar, rate_text
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize

INDENT = "  "
BAR = 32
"""Cells inside the panel, less those that a line is indented."""


class EvidencePanel(MemoizedStatic):
    """What is known about the case, in the fields of the card."""

    def on_mount(self) -> None:
        self.border_title = "Evidence so far"

    def show(self, draft: DraftCase, state: RunState, route: str | None, *, is_frozen: bool) -> None:
        """Draws what is known. Before the freeze, `state` is that of a dry run, so it has no verdict."""
        fields = [
            ("Decision", _decision(route)),
            ("Data Shape", _data(draft, state)),
            ("Eval Set", _eval_set(state)),
            ("Arms", _arms(state, target_share(draft))),
            ("Method", _method(state)),
            ("Verdict", _verdict(state) if is_frozen else [_not_yet("not yet")]),
        ]
        lines = []
        for title, values in fields:
            lines.append(Meaning.HEADING.text(title))
            lines += values
            lines.append(Content(""))
        self.update(Content("\n").join(lines[:-1]))


def _known(text: str) -> Content:
    return Content(f"{INDENT}{sanitize(text, one_line=True)}")


def _not_yet(text: str) -> Content:
    return Meaning.WAITING.signed(text).pad_left(len(INDENT))


def _decision(route: str | None) -> list[Content]:
    return [_known(route) if route else _not_yet("not decided yet")]


def _data(draft: DraftCase, state: RunState) -> list[Content]:
    if state.audited is None:
        named = draft.data.examples if draft.data else None
        if named is None:
            return [_not_yet("no data yet")]
        return [_known((named if isinstance(named, str) else ", ".join(named)).rpartition("/")[2])]
    audited = state.audited
    counts = {Severity.BLOCK: audited.block, Severity.WARN: audited.warn, Severity.INFO: audited.info}
    found = [
        OF_SEVERITY[severity].signed(f"{count} {severity}") if count else Meaning.MUTED.text(f"0 {severity}")
        for severity, count in counts.items()
    ]
    return [_known(f"{audited.rows:,} rows"), Content("  ").join(found).pad_left(len(INDENT))]


def _eval_set(state: RunState) -> list[Content]:
    frozen = state.frozen
    if frozen is None:
        return [_not_yet("not frozen yet")]
    return [_known(f"{frozen.eval} cases, sha {frozen.eval_sha256[:12]}…")]


def _arms(state: RunState, target: float | None) -> list[Content]:
    """Two lines an arm: its name and rate, and its bar."""
    if not state.arms:
        return [_not_yet("none measured yet")]
    best = max(state.arms.values(), key=lambda arm: arm.quality)
    lines = []
    for arm in state.arms.values():
        rate = rate_text(arm.correct)
        name = sanitize(arm.arm, one_line=True, max_length=BAR - rate.cell_length - 1)
        shown = f"{name:<{BAR - rate.cell_length - 1}}"
        lines.append(Content.assemble(Meaning.BEST.signed(shown) if arm is best else f"{INDENT}{shown}", " ", rate))
        lines.append(rate_bar(arm.correct, BAR, target).pad_left(len(INDENT)))
    return lines


def _method(state: RunState) -> list[Content]:
    training = state.tuned
    if training.skipped is not None:
        return [_known(f"none: {training.skipped.reason}")]
    if training.started is None:
        return [_not_yet("not chosen yet")]
    if training.finished is not None:
        return [_known(f"{training.started.method}: step {training.finished.best_step} of {training.finished.steps} was best")]
    share = 100 * training.started.trained_parameters / training.started.all_parameters
    return [_known(f"{training.started.method}: {training.started.trained_parameters:,} parameters, {share:.1f} %")]


def _verdict(state: RunState) -> list[Content]:
    if state.card is not None:
        return [verdict_meaning(state.card.answer).signed(state.card.answer).pad_left(len(INDENT))]
    if state.status in (RunStatus.NEW, RunStatus.FINISHED):
        return [_not_yet("not yet")]
    return [OF_STATUS[state.status].signed(state.status.value).pad_left(len(INDENT))]
