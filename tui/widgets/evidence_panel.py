"""Evidence so far: a preview of the card, beside every step if the terminal is wide enough."""

from __future__ import annotations

from textual.content import Content

from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.tui.widgets.bars import with_interval
from tuneproof.tui.widgets.memoized_static import MemoizedStatic
from tuneproof.tui.widgets.sanitize import sanitize


class EvidencePanel(MemoizedStatic):
    """What is known about the case, in the fields of the card."""

    def on_mount(self) -> None:
        self.border_title = "Evidence so far"

    def show(self, draft: DraftCase, state: RunState, route: str | None, *, is_frozen: bool) -> None:
        """Draws what is known. Before the freeze, `state` is that of a dry run, so it has no verdict."""
        fields = [
            ("Decision", [route or "not decided yet"]),
            ("Data Shape", _data(draft, state)),
            ("Eval Set", _eval_set(state)),
            ("Arms", _arms(state)),
            ("Method", _method(state)),
            ("Verdict", _verdict(state) if is_frozen else ["not yet"]),
        ]
        lines = []
        for title, values in fields:
            lines.append(Content.styled(title, "bold"))
            lines += [Content(f"  {sanitize(line, one_line=True)}") for line in values]
            lines.append(Content(""))
        self.update(Content("\n").join(lines[:-1]))


def _data(draft: DraftCase, state: RunState) -> list[str]:
    if state.audited is None:
        named = draft.data.examples if draft.data else None
        return ["no data yet" if named is None else (named if isinstance(named, str) else ", ".join(named)).rpartition("/")[2]]
    audited = state.audited
    return [f"{audited.rows} rows", f"{audited.block} block, {audited.warn} warn, {audited.info} info"]


def _eval_set(state: RunState) -> list[str]:
    frozen = state.frozen
    if frozen is None:
        return ["not frozen yet"]
    effect = round(100 * frozen.minimum_detectable_effect)
    return [f"{frozen.eval} cases, sha {frozen.eval_sha256[:12]}…", f"detect {effect} points 4 times in 5"]


def _arms(state: RunState) -> list[str]:
    widest = max([10, *map(len, state.arms)])
    return [f"{arm.arm:<{widest}} {with_interval(arm.correct)}" for arm in state.arms.values()] or ["none measured yet"]


def _method(state: RunState) -> list[str]:
    training = state.tuned
    if training.skipped is not None:
        return [f"none: {training.skipped.reason}"]
    if training.started is None:
        return ["not chosen yet"]
    if training.finished is not None:
        return [f"{training.started.method}: step {training.finished.best_step} of {training.finished.steps} was best"]
    share = 100 * training.started.trained_parameters / training.started.all_parameters
    return [f"{training.started.method}: {training.started.trained_parameters:,} parameters, {share:.1f} %"]


def _verdict(state: RunState) -> list[str]:
    if state.card is not None:
        return [state.card.answer]
    return (
        [state.status.value] if state.status in (RunStatus.RUNNING, RunStatus.CRASHED, RunStatus.STOPPED, RunStatus.FAILED) else ["not yet"]
    )
