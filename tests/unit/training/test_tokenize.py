"""Which tokens of a training row are the prompt, and which are targets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tuneproof.engine.arms import TUNED_ARMS, ArmContext
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.scoring.judges import make_judge
from tuneproof.engine.training.tokenize import IGNORE_INDEX, encode_rows

ROWS = read_examples(str(Path(__file__).parents[3] / "sample_cases" / "support_tickets.jsonl")).examples
TASK = Task.model_validate({"instruction": "Triage the ticket.", "output": {"kind": "json", "schema": {"properties": {"category": {}}}}})


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


def context(base: BaseCheckpoint, max_new_tokens: int = 60) -> ArmContext:
    def fits(messages: Sequence[Message]) -> bool:
        return len(base.token_ids(base.prompt(messages))) + max_new_tokens <= base.context_length

    return ArmContext("Triage the ticket.", make_judge(TASK, []), ROWS, fits, 0)


def test_only_the_answer_and_its_end_token_are_targets(base: BaseCheckpoint) -> None:
    for row, example in zip(encode_rows(base, TUNED_ARMS["tuned"](context(base)), ROWS[:20]), ROWS, strict=False):
        targets = [token for token, label in zip(row.input_ids, row.labels, strict=True) if label != IGNORE_INDEX]
        assert base.tokenizer.decode(targets) == example.output + "<|end|>"
        assert row.labels[-1] == row.input_ids[-1] == base.eos_token_ids[0]


def test_training_and_scoring_use_the_same_prompt(base: BaseCheckpoint) -> None:
    arm = TUNED_ARMS["tuned"](context(base))
    for row, example in zip(encode_rows(base, arm, ROWS[:20]), ROWS, strict=False):
        prompt_ids = [token for token, label in zip(row.input_ids, row.labels, strict=True) if label == IGNORE_INDEX]
        assert prompt_ids == base.token_ids(base.prompt(arm.messages(example)))


def test_a_row_that_does_not_fit_the_context_is_refused(base: BaseCheckpoint) -> None:
    long = Example("", "word " * base.context_length, "yes", Source("rows.jsonl", 1))
    with pytest.raises(ValueError, match="do not fit"):
        encode_rows(base, TUNED_ARMS["tuned"](context(base)), [long])
