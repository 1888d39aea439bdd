"""Bases are asked as they are meant to be: plain text, strict templates and reasoning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.models.bases import FIRST, base_with, base_without_template
from tests.unit.models.broken_folders import ENDLESS, sample_copy
from tuneproof.engine.arms.token_lengths import token_lengths
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.data.reasoning import Thinking, answer_of
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.models.chat_format import TemplateRefused
from tuneproof.engine.models.trial import try_base

CHAT = [Message("user", "Paris?"), Message("assistant", "France"), Message("user", "Rome?")]
REASONED = "<think>\nIt has the Colosseum.\n</think>\n\nItaly"
EMPTY_BLOCK = "<think>\n\n</think>\n\n"


def asked_and_taught(base: BaseCheckpoint, answer: str) -> str:
    """What training reads of a row: the prompt and the target, as text."""
    return base.prompt(CHAT) + str(base.tokenizer.decode(base.target_ids(CHAT, answer)))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> BaseCheckpoint:
    return base_without_template(tmp_path_factory.mktemp("plain") / "model")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> BaseCheckpoint:
    return base_with("strict_turns", tmp_path_factory.mktemp("strict") / "model")


def test_a_base_without_a_template_reads_plain_turns_without_end_tokens_or_a_last_space(plain: BaseCheckpoint) -> None:
    assert plain.prompt(CHAT) == f"{FIRST}User: Paris?\nAssistant: France\nUser: Rome?\nAssistant:"


def test_its_prompt_begins_with_the_token_that_its_tokenizer_adds(plain: BaseCheckpoint) -> None:
    first = plain.tokenizer.encode("x")[0]
    assert [at for at, token in enumerate(plain.token_ids(plain.prompt(CHAT))) if token == first] == [0]


def test_its_answer_begins_with_a_space_and_ends_with_the_end_token(plain: BaseCheckpoint) -> None:
    assert asked_and_taught(plain, "Italy") == f"{FIRST}User: Paris?\nAssistant: France\nUser: Rome?\nAssistant: Italy<|end|>"


def test_a_system_text_goes_before_the_first_user_turn_of_a_template_without_system_turns(strict: BaseCheckpoint) -> None:
    assert not strict.chat.system_turn
    prompt = strict.prompt([Message("system", "Be brief."), *CHAT])
    assert prompt == "<|user|>Be brief.\n\nParis?<|end|><|assistant|>France<|end|><|user|>Rome?<|end|><|assistant|>"


def test_user_turns_in_a_row_are_joined_where_the_template_takes_one_after_the_other(strict: BaseCheckpoint) -> None:
    assert not strict.chat.repeated_turns
    prompt = strict.prompt([Message("user", "Hello?"), *CHAT])
    assert prompt == "<|user|>Hello?\n\nParis?<|end|><|assistant|>France<|end|><|user|>Rome?<|end|><|assistant|>"


def test_a_row_that_the_template_refuses_is_named_with_what_the_template_says(strict: BaseCheckpoint) -> None:
    lengths = token_lengths(strict, Task(output=OutputFormat(kind=OutputKind.TEXT)))
    row = Example("", "Rome?", "Italy", Source("rows.jsonl", 7), history=(Message("assistant", "Ask me."),))
    with pytest.raises(TemplateRefused, match=r"^rows.jsonl:7: .*assistant, user: turns of user and assistant have to take turns") as found:
        lengths.prompt(row)
    assert found.value.exit_code is ExitCode.REFUSED


def test_rows_without_reasoning_switch_thinking_off(tmp_path: Path) -> None:
    base = base_with("switched_reasoning", tmp_path / "model").thinking_as_in(["Italy"])
    assert (base.chat.thinking, base.reasoning_tokens) == (Thinking.OFF, 0)
    assert asked_and_taught(base, "Italy").endswith(f"<|assistant|>{EMPTY_BLOCK}Italy<|end|>")


@pytest.mark.parametrize("written", [REASONED, "<think>It has the Colosseum.</think>Italy"])
def test_rows_with_reasoning_switch_it_on_and_hold_one_block(written: str, tmp_path: Path) -> None:
    base = base_with("switched_reasoning", tmp_path / "model").thinking_as_in(["Italy", REASONED])
    assert base.chat.thinking is Thinking.ON and base.reasoning_tokens > 0
    assert asked_and_taught(base, written).endswith(f"<|assistant|>{REASONED}<|end|>")
    assert asked_and_taught(base, "Italy").endswith(f"<|assistant|>{EMPTY_BLOCK}Italy<|end|>")


@pytest.mark.parametrize(("answer", "ending"), [("Italy", f"{EMPTY_BLOCK}Italy"), (REASONED, REASONED)])
def test_a_block_that_the_template_opens_is_closed_once(answer: str, ending: str, tmp_path: Path) -> None:
    base = base_with("opened_reasoning", tmp_path / "model")
    assert base.chat.thinking is Thinking.ALWAYS and base.reasoning_tokens > 0
    assert base.prompt(CHAT).endswith("<|assistant|><think>\n")
    assert asked_and_taught(base, answer).endswith(f"<|assistant|>{ending}<|end|>")


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        (REASONED, "Italy"),
        ("It has the Colosseum.\n</think>\n\nItaly", "Italy"),
        ("<think>\nIt has", ""),
        ("Italy", "Italy"),
        ('{"html": "<think></think>"}', '{"html": "<think></think>"}'),
    ],
)
def test_reasoning_is_set_aside_before_scoring(output: str, answer: str) -> None:
    assert answer_of(output) == answer


DOUBLING = "{% set ns = namespace(x='x' * 99) %}{% for i in range(45) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"
FOR_SOME = (
    "{% for message in messages if 'forever' in message.content %}" + ENDLESS + "{% endfor %}"
    "{% for message in messages if 'everything' in message.content %}" + DOUBLING + "{% endfor %}"
)


@pytest.fixture(scope="module")
def looping(tmp_path_factory: pytest.TempPathFactory) -> BaseCheckpoint:
    """A base whose template is fine for most rows."""
    folder = sample_copy(tmp_path_factory.mktemp("looping") / "model")
    template = folder / "chat_template.jinja"
    template.write_text(FOR_SOME + template.read_text())
    return load_base(ModelChoice(base=str(folder)))


@pytest.mark.parametrize(("text", "said"), [("forever", "takes longer than 10 s"), ("everything", "takes more than 1 GiB of memory")])
def test_a_row_at_which_the_template_does_not_end_is_named(
    looping: BaseCheckpoint, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.setattr("tuneproof.engine.models.bounded_call.SECONDS", 0.5)
    monkeypatch.setattr("tuneproof.engine.models.bounded_call.EXTRA_BYTES", 1 << 26)
    lengths = token_lengths(looping, Task(instruction="Answer.", output=OutputFormat(kind=OutputKind.TEXT)))
    assert lengths.prompt(Example("", "briefly", "yes", Source("rows.jsonl", 6))) > 0
    for measure in (lengths.render, lengths.prompt, lengths.answer):
        with pytest.raises(TemplateRefused, match=rf"rows\.jsonl:7: the chat template of the base {said} for a chat of"):
            measure(Example("", text, "yes", Source("rows.jsonl", 7)))


def test_a_template_that_cannot_switch_reasoning_on_is_asked_without(tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "model")
    template = folder / "chat_template.jinja"
    template.write_text("{% if enable_thinking %}{{ raise_exception('not yet') }}{% endif %}" + template.read_text())
    assert load_base(ModelChoice(base=str(folder))).chat.thinking is Thinking.NONE


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("strict_turns", ["takes no system turn", "takes no two turns of one role in a row"]),
        ("switched_reasoning", ["is asked without reasoning"]),
        ("opened_reasoning", ["opens a block of reasoning: an answer has 512 tokens more"]),
    ],
)
def test_what_is_unusual_in_how_a_base_is_asked_is_told_when_it_is_named(template: str, told: list[str], tmp_path: Path) -> None:
    base_with(template, tmp_path / "model")
    phrases = try_base(tmp_path / "model")
    assert len(phrases) == len(told) and all(part in phrase for part, phrase in zip(told, phrases, strict=True))
