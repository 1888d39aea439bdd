"""The evidence of a run folder, read once: everything that a card rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneproof.engine.arms import TUNED_ARMS, arms_of, untuned_arms
from tuneproof.engine.arms.own_prompt import own_prompt_arms
from tuneproof.engine.audit.groups.case_groups import CaseGroups, case_groups
from tuneproof.engine.audit.report import Report, StoredFinding
from tuneproof.engine.audit.split_audit import findings_in_parts
from tuneproof.engine.card.judge_section import stored_check
from tuneproof.engine.card.merged_model import TriedForm
from tuneproof.engine.card.method_comparison import Entrant
from tuneproof.engine.case.arm_names import arm_of_row, with_repair
from tuneproof.engine.case.schema import Case
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.freeze import examples_from_jsonl
from tuneproof.engine.data.split import Part
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.judge_files import judgements_file, tuned_folder
from tuneproof.engine.run.served_form import FormFacts
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import CROSS_SPLIT_DUPLICATES, RunStore
from tuneproof.engine.run.variants import CURVE, MERGED, ModelVariant, ServedForm, compared_variant, seed_variant, tried_form, tried_forms
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.judge_check import JudgeCheck
from tuneproof.engine.scoring.judgement import JudgedCase, Judgement
from tuneproof.engine.scoring.measure import Measure, ScoredArm
from tuneproof.engine.scoring.predictions import read_predictions
from tuneproof.engine.scoring.scores import Scores
from tuneproof.engine.scoring.variant_selection import best_variant
from tuneproof.engine.scoring.verdict import ArmsInCase


@dataclass(frozen=True)
class Evidence:
    """What a run folder holds; what is not there yet is None or empty."""

    store: RunStore
    case: Case
    route: artifacts.RouteFacts
    report: Report | None
    parts: dict[Part, list[Example]] | None
    data: artifacts.DataFacts | None
    cross_split_duplicates: int
    split_findings: list[StoredFinding]
    """What was found in the parts when they were frozen."""
    model: artifacts.ModelFacts | None
    method: artifacts.MethodFacts | None
    training: artifacts.TrainingFacts | None
    untuned: list[ScoredArm]
    tuned: ScoredArm | None
    also_tuned: list[ScoredArm]
    curve: dict[int, ScoredArm]
    seeds: list[ScoredArm]
    """Further trainings of the tuned model."""
    merged: ScoredArm | None
    merged_form: FormFacts | None
    """The form of the merged model; None in runs of versions that merged into bfloat16 only."""
    tried_forms: list[TriedForm]
    """The other forms that were scored beside it."""
    compared: dict[str, Entrant]
    arm_facts: dict[str, artifacts.ArmFacts]
    groups: CaseGroups
    """Which frozen cases belong together."""
    judge_check: JudgeCheck | None = None
    """How the judge did in its check; None for a case without one."""

    @property
    def arms(self) -> list[ScoredArm]:
        """Every arm that was scored, lightest first."""
        return [*self.untuned, *([self.tuned] if self.tuned else []), *self.also_tuned]

    @property
    def grader(self) -> Grader | None:
        """Grades an answer; None before there are a task and a split."""
        task, parts = self.case.task, self.parts
        if task is None or parts is None:
            return None
        return make_grader(task, [example.output for example in parts[Part.TRAIN]], self.store.grading_rules)

    @property
    def measure(self) -> Measure | None:
        """How the arms are measured; None before there are a task and a split."""
        task, grader = self.case.task, self.grader
        if task is None or grader is None:
            return None
        return Measure(task, self.case.target, grader, self.groups.of_case, self.judge_check.problem if self.judge_check else None)

    @property
    def answering(self) -> list[ScoredArm]:
        """Every model that answered the frozen cases: the arms, and the models besides the tuned one."""
        compared = [entrant.scored for entrant in self.compared.values() if entrant.scored]
        return [*self.arms, *self.seeds, *([self.merged] if self.merged else []), *compared, *self.curve.values()]

    @property
    def arms_in_case(self) -> ArmsInCase:
        """The arms as the verdict takes them."""
        return ArmsInCase(self.untuned, self.tuned, self.seeds, self.also_tuned)

    @property
    def counts(self) -> dict[Part, int] | None:
        """How many rows each part has."""
        return {part: len(rows) for part, rows in self.parts.items()} if self.parts else None


def gather(store: RunStore, *, untuned_only: bool = False) -> Evidence:
    """Reads everything that the card rests on, or only what the untuned arms rest on."""
    steps = [step for step in store.manifest.steps if not untuned_only or _is_of_untuned(step)]
    kinds, done = {step.kind for step in steps}, _names(steps, StepKind.ARM)
    tuned, *also_tuned = [_scored_arm(store, name) if name in done else None for name in TUNED_ARMS]
    return Evidence(
        store=store,
        case=store.case,
        route=artifacts.RouteFacts.model_validate_json(store.read(artifacts.ROUTE)),
        report=Report.model_validate_json(store.read(artifacts.AUDIT)) if StepKind.AUDIT in kinds else None,
        parts={part: [example for _, example in store.part(part)] for part in Part} if StepKind.SPLIT in kinds else None,
        data=artifacts.DataFacts.model_validate_json(store.read(artifacts.DATA)) if StepKind.AUDIT in kinds else None,
        cross_split_duplicates=len(examples_from_jsonl(store.read(CROSS_SPLIT_DUPLICATES))) if store.has(CROSS_SPLIT_DUPLICATES) else 0,
        split_findings=findings_in_parts(store),
        model=artifacts.ModelFacts.model_validate_json(store.read(artifacts.MODEL)) if StepKind.MODEL in kinds else None,
        method=artifacts.MethodFacts.model_validate_json(store.read(artifacts.METHOD)) if StepKind.METHOD in kinds else None,
        training=artifacts.TrainingFacts.model_validate_json(store.read(artifacts.TRAINING)) if StepKind.TRAIN in kinds else None,
        untuned=[_scored_arm(store, row) for name in _lightest_first(store, done) for row in _rows(store, name)],
        tuned=tuned,
        also_tuned=[arm for arm in also_tuned if arm is not None],
        curve={share: _scored_variant(store, point) for share, point in CURVE.items() if point.scores_step in steps},
        seeds=[_scored_variant(store, seed_variant(int(name))) for name in sorted(_names(steps, StepKind.SEED_SCORES), key=int)],
        merged=_scored_variant(store, MERGED) if MERGED.scores_step in steps else None,
        merged_form=FormFacts.model_validate_json(store.read(MERGED.form)) if store.has(MERGED.form) else None,
        tried_forms=[_tried(store, form) for form in tried_forms(store.manifest)],
        compared={each.name: found for each in store.case.evaluate.compare if (found := _compared(store, each.name, steps))},
        arm_facts={name: artifacts.ArmFacts.model_validate_json(store.read(artifacts.arm_file(name))) for name in done},
        judge_check=stored_check(store),
        groups=_case_groups(store) if StepKind.SPLIT in kinds else CaseGroups(),
    )


def _is_of_untuned(step: StepId) -> bool:
    kinds = (StepKind.CASE, StepKind.ROUTE, StepKind.AUDIT, StepKind.SPLIT, StepKind.JUDGE, StepKind.ARM, StepKind.REPAIRED_SCORES)
    return step.kind in kinds and step.name not in TUNED_ARMS


def _names(steps: Sequence[StepId], kind: StepKind) -> list[str]:
    return [step.name for step in steps if step.kind is kind]


def _lightest_first(store: RunStore, done: Sequence[str]) -> list[str]:
    """The untuned arms that were scored, lightest first; of the prompts of the case, the one that validation chose comes first."""
    chosen = chosen_prompt(store)
    order = list(untuned_arms(store.case))
    if chosen is not None:
        first = min(order.index(name) for name in own_prompt_arms(store.case))
        order.remove(chosen)
        order.insert(first, chosen)
    return [name for name in order if name in done]


def chosen_prompt(store: RunStore) -> str | None:
    """The arm of the prompt that did best on the validation cases; the first on a tie, None if there was no choice."""
    done = store.manifest.names(StepKind.ARM)
    own = [name for name in own_prompt_arms(store.case) if name in done]
    facts = [artifacts.ArmFacts.model_validate_json(store.read(artifacts.arm_file(name))) for name in own]
    tried = [(each.arm, score) for each in facts for score in each.tried]
    best = best_variant([score for _, score in tried])
    return next((arm for arm, score in tried if score.variant == best), None) if len(own) > 1 else None


def _case_groups(store: RunStore) -> CaseGroups:
    data = store.case.data
    return case_groups(store.part(Part.EVAL), data.split.group_by if data else None)


def _rows(store: RunStore, arm: str) -> list[str]:
    """The rows of an arm: its answers as they are, and repaired if that changed any."""
    return [arm, *([with_repair(arm)] if StepId(StepKind.REPAIRED_SCORES, arm) in store.manifest.steps else [])]


def _scored_arm(store: RunStore, arm: str) -> ScoredArm:
    kind = arms_of(store.case)[arm_of_row(arm)]
    predictions = artifacts.predictions_file(arm)
    return _scored(store, arm, artifacts.scores_file(arm), predictions, tuned_folder(arm), is_external=kind.is_external)


def _scored_variant(store: RunStore, variant: ModelVariant) -> ScoredArm:
    return _scored(store, variant.name, variant.scores, variant.predictions, variant.folder)


def _tried(store: RunStore, form: ServedForm) -> TriedForm:
    variant = tried_form(form)
    return TriedForm(FormFacts.model_validate_json(store.read(variant.form)), _scored_variant(store, variant))


def _compared(store: RunStore, name: str, steps: Sequence[StepId]) -> Entrant | None:
    variant = compared_variant(name)
    if StepId(StepKind.COMPARED_METHOD, name) not in steps:
        return None
    return Entrant(
        method=artifacts.MethodFacts.model_validate_json(store.read(variant.plan)),
        training=artifacts.TrainingFacts.model_validate_json(store.read(variant.summary)) if variant.weights_step in steps else None,
        scored=_scored_variant(store, variant) if variant.scores_step in steps else None,
    )


def _scored(store: RunStore, name: str, scores: str, predictions: str, folder: str, *, is_external: bool = False) -> ScoredArm:
    return ScoredArm(
        Scores.model_validate_json(store.read(scores)),
        read_predictions(store.read(predictions)),
        is_external=is_external,
        judged=_judged(store, name, folder),
    )


def _judged(store: RunStore, name: str, folder: str) -> dict[str, dict[str, Judgement]]:
    """The judge's verdicts on the answers of a tuned model against those of untuned arms."""
    pairs = [pair.split(":", 1) for pair in store.manifest.names(StepKind.JUDGED)]
    found = {}
    for other in (pair[1] for pair in pairs if pair[0] == name):
        rows = [JudgedCase.model_validate_json(line) for line in store.read(judgements_file(folder, other)).split("\n") if line]
        found[other] = {row.id: row.judgement for row in rows}
    return found
