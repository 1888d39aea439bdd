"""The section Served Model of the card: the merged model, which a server would load, against the adapter on its base."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.core.disk_space import megabytes
from tuneproof.engine.core.sentence import Sentence
from tuneproof.engine.run.event import Rate
from tuneproof.engine.run.served_form import FormFacts
from tuneproof.engine.run.variants import ServedForm
from tuneproof.engine.scoring.agreement import RULE, agreement
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.verdict_schema import PairedDifference
from tuneproof.engine.scoring.verdict_text import format_p_value, format_points


class MergeOutcome(StrEnum):
    """How the merged model compares with the tuned arm."""

    SAME_ANSWERS = "same answers"
    NO_DIFFERENCE_SHOWN = "not told apart"
    BETTER = "better"
    WORSE = "worse"
    NOT_MERGED = "not merged"


class FormRow(BaseModel):
    """A form in which the tuned model was scored, against the tuned arm."""

    model_config = ConfigDict(extra="forbid")

    form: ServedForm
    correct: Rate
    answers_changed: int
    difference: PairedDifference
    """This form minus the tuned arm."""
    agrees: bool
    """Whether its answers agree with the measured ones, by `engine/scoring/agreement.py`."""
    weights_bytes: int
    sha256: str


@dataclass(frozen=True)
class TriedForm:
    """A form with the answers that it gave."""

    facts: FormFacts
    scored: ScoredArm


class ServedSection(BaseModel):
    """The merged model on the eval cases, against the tuned arm. If nothing was merged, only summary and outcome are set."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    summary: Sentence
    outcome: MergeOutcome = Field(alias="likeness")
    correct: Rate | None = None
    format_valid: Rate | None = None
    answers_changed: int | None = None
    """Eval cases to which the two models give different texts."""
    difference: PairedDifference | None = None
    """Merged minus tuned."""
    sha256: str | None = None
    """The digest of the merged weights."""
    form: ServedForm | None = Field(default=None, exclude_if=lambda form: form is None)
    """Which form the merged model has; None in runs of versions that merged into bfloat16 only."""
    weights_bytes: int | None = Field(default=None, exclude_if=lambda size: size is None)
    """The size of its weights on disk."""
    forms: list[FormRow] = Field(default=[], exclude_if=lambda forms: not forms)
    """Every form that was scored, the one of the merged model among them."""
    not_tried: dict[ServedForm, str] = Field(default={}, exclude_if=lambda forms: not forms)
    """Forms that could not be tried on the machine of the run, each with the reason."""

    @property
    def advised(self) -> ServedForm | None:
        """The form to serve: the merged one if its answers agree. None for the adapter, and where nothing was found out."""
        if self.form is None and self.outcome is MergeOutcome.SAME_ANSWERS:
            return ServedForm.MERGED_BFLOAT16
        return next((row.form for row in self.forms if row.form is self.form and row.agrees), None)


def make_served(measure: Measure, merged: ScoredArm, tuned: ScoredArm, sha256: str) -> ServedSection:
    """The section for a merged model whose weights have this digest."""
    difference = measure.difference(merged, tuned)
    before = {prediction.id: prediction.output for prediction in tuned.predictions}
    changed = sum(before[prediction.id] != prediction.output for prediction in merged.predictions)
    outcome = outcome_of(changed, difference)
    return ServedSection(
        summary=_summary(outcome, changed, merged.scores.n, difference),
        outcome=outcome,
        correct=merged.scores.correct,
        format_valid=merged.scores.format_valid,
        answers_changed=changed,
        difference=difference,
        sha256=sha256,
    )


def with_forms(section: ServedSection, measure: Measure, tuned: ScoredArm, kept: TriedForm, tried: Sequence[TriedForm]) -> ServedSection:
    """The section of a run that says which form its merged model has, and which other forms were scored."""
    rows = [_row(measure, each, tuned) for each in [*tried, kept]]
    form, size, others = kept.facts.form, kept.facts.weights_bytes, [row for row in rows if row.form is not kept.facts.form]
    assert section.difference is not None and section.answers_changed is not None
    summary = _summary(section.outcome, section.answers_changed, kept.scored.scores.n, section.difference, form)
    on_disk = f"Its weights take {megabytes(size, up=True)}"
    merged = [row for row in others if row.form.is_merged]
    if rows[-1].agrees:
        smallest = ", the smallest form tried whose answers agree" if merged else ""
        summary = f"{summary} {on_disk}{smallest}."
    elif merged:
        summary = f"No merged form gives the answers that were measured: serve the adapter on the base that it was trained on. {summary}"
    else:
        summary = f"{summary} {on_disk}."
    return section.model_copy(
        update={"summary": summary, "form": form, "weights_bytes": size, "forms": rows, "not_tried": kept.facts.not_tried}
    )


def form_lines(section: ServedSection) -> list[str]:
    """Each form that was scored, and what the differences between them mean; nothing for a single one."""
    if len(section.forms) < 2 and not section.not_tried:
        return []
    lines = [
        f"{row.form.in_words}, {megabytes(row.weights_bytes, up=True)}: {row.answers_changed} of {row.difference.cases} answers differ, "
        f"{format_points(row.difference)}{': agrees' if row.agrees else ''}"
        for row in section.forms
    ]
    lines += [f"{form.in_words}: not tried, since {why}" for form, why in section.not_tried.items()]
    return [*lines, *_causes({row.form for row in section.forms}), f"answers agree if {RULE}"]


def _causes(forms: Set[ServedForm]) -> list[str]:
    causes = {
        ServedForm.ADAPTER_BFLOAT16: "the adapter in bfloat16 shows what the number type changes without merging",
        ServedForm.MERGED_FLOAT32: "merged in float32, what merging itself changes",
        ServedForm.MERGED_BFLOAT16: "merged in 16 bits, what rounding the merged weights changes as well",
    }
    found = [cause for form, cause in causes.items() if form in forms]
    return ["; ".join(found)] if ServedForm.ADAPTER_BFLOAT16 in forms else []


def _row(measure: Measure, form: TriedForm, tuned: ScoredArm) -> FormRow:
    found = agreement(measure, form.scored, tuned)
    return FormRow(
        form=form.facts.form,
        correct=form.scored.scores.correct,
        answers_changed=found.changed,
        difference=found.difference,
        agrees=found.holds,
        weights_bytes=form.facts.weights_bytes,
        sha256=form.facts.sha256,
    )


def not_merged(why: str) -> ServedSection:
    """The section if there is no merged model, with the reason as the end of a sentence."""
    return ServedSection(summary=f"Not merged: {why}.", outcome=MergeOutcome.NOT_MERGED)


def outcome_of(changed: int, difference: PairedDifference) -> MergeOutcome:
    """The outcome, from the number of answers that changed and from the interval of the difference."""
    if changed == 0:
        return MergeOutcome.SAME_ANSWERS
    if difference.low > 0:
        return MergeOutcome.BETTER
    return MergeOutcome.WORSE if difference.high < 0 else MergeOutcome.NO_DIFFERENCE_SHOWN


def _summary(
    outcome: MergeOutcome, changed: int, n: int, difference: PairedDifference, form: ServedForm = ServedForm.MERGED_BFLOAT16
) -> str:
    merged = f"Merged into the unquantised base in {form.dtype}"
    if outcome is MergeOutcome.SAME_ANSWERS:
        return f"{merged}, the model gives the same answers to all {n} eval cases, on this machine."
    won, lost = difference.only_tuned_right, difference.only_untuned_right
    change = (
        f"{merged}, the model answers {changed} of {n} eval cases differently: "
        f"{lost} went from right to wrong, {won} from wrong to right; "
        f"{format_points(difference)}, {format_p_value(difference.p_value)}"
    )
    match outcome:
        case MergeOutcome.WORSE:
            return f"{change}. The merged model is worse than what was measured: serve the adapter on the base that it was trained on."
        case MergeOutcome.BETTER:
            return f"{change}. The merged model is better than what was measured."
        case _:
            return f"{change}. These cases cannot tell whether the merged model is better or worse than what was measured."
