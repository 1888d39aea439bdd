"""Which tokens of a training row are the prompt, and which are targets."""

from __future__ import annotations

import pytest

from tests.unit.ticket_context import ROWS, ticket_context
from tuneproof.engine.arms import TUNED_ARMS
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.training.tokenize import IGNORE_INDEX, encode_rows


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


def test_only_the_answer_and_its_end_token_are_targets(base: BaseCheckpoint) -> None:
    for row, example in zip(encode_rows(base, TUNED_ARMS["tuned"](ticket_context(base)), ROWS[:20]), ROWS, strict=False):
        targets = [token for token, label in zip(row.input_ids, row.labels, strict=True) if label != IGNORE_INDEX]
        assert base.tokenizer.decode(targets) == example.output + "<|end|>"
        assert row.labels[-1] == row.input_ids[-1] == base.eos_token_ids[0]


def test_training_and_scoring_use_the_same_prompt(base: BaseCheckpoint) -> None:
    arm = TUNED_ARMS["tuned"](ticket_context(base))
    for row, example in zip(encode_rows(base, arm, ROWS[:20]), ROWS, strict=False):
        prompt_ids = [token for token, label in zip(row.input_ids, row.labels, strict=True) if label == IGNORE_INDEX]
        assert prompt_ids == base.token_ids(base.prompt(arm.messages(example)))


def test_a_row_that_does_not_fit_the_context_is_refused(base: BaseCheckpoint) -> None:
    long = Example("", "word " * base.context_length, "yes", Source("rows.jsonl", 1))
    with pytest.raises(ValueError, match="do not fit"):
        encode_rows(base, TUNED_ARMS["tuned"](ticket_context(base)), [long])
