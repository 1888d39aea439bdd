"""The plain prompt, answered under a grammar: only tokens that can still lead to an answer of the right form are chosen from.

A choice is not decoded: of all labels the one is taken that the model holds likeliest as a whole answer. Greedy decoding settles on the
likeliest beginning, and may be led to a label that is not the likeliest. Where the labels are too many for one pass, they are decoded.
"""

from __future__ import annotations

from tuneproof.engine.arms.arm import ArmContext
from tuneproof.engine.arms.grammar import check_grammar, grammar_of, scored_labels
from tuneproof.engine.arms.tuned import Tuned
from tuneproof.engine.arms.zero_shot import ZeroShot
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.schema import Case


class Constrained(ZeroShot):
    """The untuned model with the plain prompt, held to the output format while it answers: every answer that ends is valid."""

    name = ArmName.CONSTRAINED
    is_prompt_baseline = False

    def __init__(self, setting: ArmContext) -> None:
        super().__init__(setting)
        outputs = [e.output for e in setting.train]
        self.grammar, self.summary = grammar_of(setting.output, outputs)
        self.labels = scored_labels(setting.output, outputs)

    @classmethod
    def check_case(cls, case: Case) -> None:
        """Raises CaseError where the output format is none that can be held to."""
        if case.task is not None:
            check_grammar(case.task.output, f"baselines: {ArmName.CONSTRAINED}")


class TunedConstrained(Tuned):
    """The model with its adapter, held to the output format while it answers."""

    name = ArmName.TUNED_CONSTRAINED

    def __init__(self, setting: ArmContext) -> None:
        super().__init__(setting)
        outputs = [e.output for e in setting.train]
        self.grammar, self.summary = grammar_of(setting.output, outputs)
        self.labels = scored_labels(setting.output, outputs)

    @classmethod
    def is_requested(cls, case: Case) -> bool:
        """Where the untuned model is measured under the grammar too."""
        return Constrained.is_requested(case)
