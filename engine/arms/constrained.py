"""The plain prompt with constrained decoding: a grammar masks all tokens that cannot lead to an answer of the right format.

A choice is not decoded but scored: the answer is the label with the highest probability as a whole. Greedy decoding follows the most likely
first token, which need not begin the most likely label. Too many labels for one pass are decoded.
"""

from __future__ import annotations

from collections.abc import Mapping

from tuneproof.engine.arms.arm import Arm, ArmContext
from tuneproof.engine.arms.few_shot import FewShot, parse_variant
from tuneproof.engine.arms.grammar import check_grammar, grammar_of, scored_labels
from tuneproof.engine.arms.tuned import Tuned
from tuneproof.engine.arms.zero_shot import ZeroShot
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.schema import Case, DraftCase


class Constrained(ZeroShot):
    """The untuned model with the plain prompt and constrained decoding: every answer that is not cut off has a valid format."""

    name = ArmName.CONSTRAINED
    is_prompt_baseline = False

    def __init__(self, context: ArmContext) -> None:
        super().__init__(context)
        _constrain(self)

    @classmethod
    def check_case(cls, case: Case) -> None:
        """Raises CaseError if no grammar can express the output format."""
        if case.task is not None:
            check_grammar(case.task.output, f"baselines: {ArmName.CONSTRAINED}")


class FewShotConstrained(FewShot):
    """The untuned model with the solved examples that validation chose for few_shot, and constrained decoding. It is scored where both
    few_shot and constrained are."""

    name = ArmName.FEW_SHOT_CONSTRAINED
    is_prompt_baseline = False

    def __init__(self, context: ArmContext) -> None:
        chosen = context.chosen.get(ArmName.FEW_SHOT)
        super().__init__(context, *(parse_variant(chosen) if chosen else ()))
        self.inputs = {"examples": chosen} if chosen else {}
        examples = self.summary
        _constrain(self)
        self.summary = f"{examples}, as few_shot has them; {self.summary}"

    @classmethod
    def check_case(cls, case: Case) -> None:
        """Raises CaseError if no grammar can express the output format."""
        Constrained.check_case(case)

    @classmethod
    def is_requested(cls, case: DraftCase) -> bool:
        """Whether the case lists the arm, or both of those that it combines."""
        return super().is_requested(case) or (FewShot.is_requested(case) and Constrained.is_requested(case))

    def variants(self) -> Mapping[str, Arm]:
        """None: the examples are those of few_shot, or without it the default ones."""
        return {}


class TunedConstrained(Tuned):
    """The tuned model with constrained decoding."""

    name = ArmName.TUNED_CONSTRAINED

    def __init__(self, context: ArmContext) -> None:
        super().__init__(context)
        _constrain(self)

    @classmethod
    def is_requested(cls, case: DraftCase) -> bool:
        """Whether the untuned model is scored with constrained decoding too."""
        return Constrained.is_requested(case)


def _constrain(arm: Arm) -> None:
    """Gives the arm the grammar and the labels of its task. Its bounds come from train, and validation must stay possible."""
    output, outputs = arm.context.output, [example.output for example in arm.context.train]
    arm.grammar, arm.summary = grammar_of(output, outputs, [example.output for example in arm.context.validation])
    arm.labels = scored_labels(output, outputs)
