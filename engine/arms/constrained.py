"""The plain prompt with constrained decoding: a grammar masks all tokens that cannot lead to an answer of the right format.

A choice is not decoded but scored: the answer is the label with the highest probability as a whole. Greedy decoding follows the most likely
first token, which need not begin the most likely label. Too many labels for one pass are decoded.
"""

from __future__ import annotations

from tuneproof.engine.arms.arm import Arm, ArmContext
from tuneproof.engine.arms.grammar import check_grammar, grammar_of, scored_labels
from tuneproof.engine.arms.tuned import Tuned
from tuneproof.engine.arms.zero_shot import ZeroShot
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.schema import Case


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


class TunedConstrained(Tuned):
    """The tuned model with constrained decoding."""

    name = ArmName.TUNED_CONSTRAINED

    def __init__(self, context: ArmContext) -> None:
        super().__init__(context)
        _constrain(self)

    @classmethod
    def is_requested(cls, case: Case) -> bool:
        """Whether the untuned model is scored with constrained decoding too."""
        return Constrained.is_requested(case)


def _constrain(arm: Arm) -> None:
    """Gives the arm the grammar and the labels of its task. Its bounds come from train, and validation must stay possible."""
    output, outputs = arm.context.output, [example.output for example in arm.context.train]
    arm.grammar, arm.summary = grammar_of(output, outputs, [example.output for example in arm.context.validation])
    arm.labels = scored_labels(output, outputs)
