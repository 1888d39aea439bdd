"""The messages that arms make of a case."""

from __future__ import annotations

import pytest

from tests.unit.ticket_context import ROWS, ticket_context
from tuneproof.engine.arms import TUNED_ARMS, UNTUNED_ARMS
from tuneproof.engine.arms.few_shot import choose_shots
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.data.example import Example, Message, Source, duplicate_key
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


def test_the_zero_shot_prompt_has_instruction_format_and_input(base: BaseCheckpoint) -> None:
    prompt = base.prompt(UNTUNED_ARMS["zero_shot"](ticket_context(base)).messages(ROWS[0]))
    assert prompt.startswith("<|user|>Triage the ticket.\nAnswer with one JSON object")
    assert prompt.endswith(f"\n\n{ROWS[0].input}<|end|><|assistant|>")


def test_shots_come_from_train_and_never_repeat_the_case(base: BaseCheckpoint) -> None:
    arm = UNTUNED_ARMS["few_shot"](ticket_context(base))
    shot = choose_shots(ROWS, 4, 0)[0]
    own = Example("", shot.input.upper(), shot.output, Source("eval.jsonl", 1))
    shown = [m.content for m in arm.messages(own)]
    assert len(shown) == 7 and not any(duplicate_key(own) in text.casefold() for text in shown[:-1])
    trained = {e.output for e in ROWS}
    assert all(m.content in trained for m in arm.messages(ROWS[0]) if m.role == "assistant")


def test_shots_that_do_not_fit_are_dropped_and_the_question_stays(base: BaseCheckpoint) -> None:
    messages = UNTUNED_ARMS["few_shot"](ticket_context(base, max_new_tokens=base.context_length - 200)).messages(ROWS[0])
    assert len(messages) < 9 and messages[-1].content.endswith(ROWS[0].input)


def test_a_chat_keeps_its_turns_and_gets_the_instruction_once(base: BaseCheckpoint) -> None:
    case = Example("", "And now?", "yes", Source("rows.jsonl", 1), "Be brief.", (Message("user", "First?"), Message("assistant", "no")))
    messages = TUNED_ARMS["tuned"](ticket_context(base)).messages(case)
    assert [m.role for m in messages] == ["system", "user", "assistant", "user"]
    assert messages[1].content == "Triage the ticket.\n\nFirst?" and messages[3].content == "And now?"
