"""How long rows are in tokens of a base model. Imports transformers, so only code that has to count tokens imports this module."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from tuneproof.engine.arms import TUNED_ARMS, ArmContext
from tuneproof.engine.audit.rows import TokenLengths
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.reasoning import THINK_CLOSE, THINK_OPEN, has_reasoning
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.models.chat_format import refused_at
from tuneproof.engine.scoring.graders import make_grader


def token_lengths(base: BaseCheckpoint, task: Task) -> TokenLengths:
    """The lengths of rows for this base, with the prompt of the tuned arm, which is the shortest.

    They raise TemplateRefused, with the row, if the base's chat template refuses its chat.
    """
    grader = make_grader(task, [""])
    tuned = TUNED_ARMS[ArmName.TUNED](ArmContext(task.instruction or "", grader, (), lambda _: True, 0))
    # Each row is measured for the context check, for the preview and for the answer budget, and tokenised only once.
    # The audit alone does not know whether any row has reasoning until it has read all, so there each row is asked as it needs.
    reasoning = base.thinking_as_in([THINK_OPEN + THINK_CLOSE])

    def asked(example: Example) -> BaseCheckpoint:
        return reasoning if has_reasoning(example.output) else base

    def render(example: Example) -> str:
        with refused_at(str(example.source)):
            return asked(example).prompt(tuned.messages(example))

    def answer(example: Example) -> int:
        with refused_at(str(example.source)):
            return len(asked(example).target_ids(tuned.messages(example), example.output))

    return TokenLengths(
        render=render,
        prompt=cache(lambda e: len(base.token_ids(render(e)))),
        answer=cache(answer),
        base=base.name,
        sha256=base.sha256,
        context=base.context_length,
    )


UNTUNED_ROOM = 4
"""An untuned answer may be this many times as long as the longest of train and validation: it may explain, fence or repeat itself."""

LEAST_UNTUNED_ROOM = 256
"""Tokens that an untuned answer may always take, so that a short label in a long sentence is not cut."""


def untuned_budget(lengths: TokenLengths, examples: Iterable[Example]) -> int:
    """Tokens that an untuned answer may take: generous, so that a prompt is not called wrong because its answer was cut.

    The decoder takes off what the context leaves no room for. A tuned arm keeps `answer_budget`: it has learned how long answers are, so
    more room would only let an answer that is wrong already run on.
    """
    longest = max(lengths.answer(example) for example in examples)
    return min(max(UNTUNED_ROOM * longest, LEAST_UNTUNED_ROOM), lengths.context)


def answer_budget(lengths: TokenLengths, examples: Iterable[Example]) -> int:
    """Tokens in which any of these examples can be answered: the longest answer, a quarter more, and 16 for the short ones."""
    return max(lengths.answer(example) for example in examples) * 5 // 4 + 16
