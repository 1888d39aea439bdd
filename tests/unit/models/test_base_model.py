"""What the model is asked, what it learns to answer, and that fast decoding answers the same as plain decoding."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tuneproof.engine.arms import TUNED_ARMS, UNTUNED_ARMS, ArmContext
from tuneproof.engine.arms.few_shot import choose_shots
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Example, Message, Source, duplicate_key
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base, load_weights
from tuneproof.engine.scoring.judges import make_judge
from tuneproof.engine.training.tokenize import IGNORED, encode_rows

ROWS = read_examples(str(Path(__file__).parents[3] / "sample_cases" / "support_tickets.jsonl")).examples
TASK = Task.model_validate({"instruction": "Triage the ticket.", "output": {"kind": "json", "schema": {"properties": {"category": {}}}}})


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


@pytest.fixture(scope="module")
def decoder(base: BaseCheckpoint) -> Decoder:
    return Decoder(base, load_weights(base))


def setting(base: BaseCheckpoint, room: int = 60) -> ArmContext:
    def fits(messages: list[Message]) -> bool:
        return len(base.token_ids(base.prompt(messages))) + room <= base.context_length

    return ArmContext("Triage the ticket.", make_judge(TASK, []), ROWS, fits, 0)


def test_the_loss_is_on_the_answer_and_its_end_alone(base: BaseCheckpoint) -> None:
    for row, example in zip(encode_rows(base, TUNED_ARMS["tuned"](setting(base)), ROWS[:20]), ROWS, strict=False):
        learned = [token for token, label in zip(row.input_ids, row.labels, strict=True) if label != IGNORED]
        assert base.tokenizer.decode(learned) == example.output + "<|end|>"
        assert row.labels[-1] == row.input_ids[-1] == base.eos_token_ids[0]


def test_training_and_scoring_ask_with_the_same_text(base: BaseCheckpoint) -> None:
    arm = TUNED_ARMS["tuned"](setting(base))
    for row, example in zip(encode_rows(base, arm, ROWS[:20]), ROWS, strict=False):
        asked = [token for token, label in zip(row.input_ids, row.labels, strict=True) if label == IGNORED]
        assert asked == base.token_ids(base.prompt(arm.messages(example)))


TEMPLATES = {
    "chatml": "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    "headers": "{{ bos_token }}{% for m in messages %}<|head|>{{ m.role }}<|/head|>\n\n{{ m.content | trim }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<|head|>assistant<|/head|>\n\n{% endif %}",
    "thinking": "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}",
    "inst": "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %} {{ m.content }}{{ eos_token }}"
    "{% endif %}{% endfor %}",
    "none": None,
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_with_any_template_the_answer_is_learned_whole_and_ends_once(base: BaseCheckpoint, tmp_path: Path, template: str) -> None:
    shutil.copytree(base.folder, tmp_path / "model")
    tokenizer = load_base(ModelChoice(base="sample")).tokenizer
    tokenizer.add_special_tokens(
        {"additional_special_tokens": ["<|im_start|>", "<|im_end|>", "<|head|>", "<|/head|>"], "bos_token": "<|head|>"}
    )
    (tmp_path / "model" / "chat_template.jinja").unlink()
    tokenizer.chat_template = TEMPLATES[template]
    tokenizer.save_pretrained(tmp_path / "model")
    other = load_base(ModelChoice(base=str(tmp_path / "model")))
    assert other.has_chat_template == (template != "none")
    for answer in ('{"a": 1}', " yes ", "two\nlines"):
        learned = other.target_ids([Message("user", "How?")], answer)
        assert [token in other.eos_token_ids for token in learned] == [False] * (len(learned) - 1) + [True]
        assert other.tokenizer.decode(learned[:-1]).strip() == answer.strip()


def test_a_row_that_would_be_cut_is_never_encoded(base: BaseCheckpoint) -> None:
    long = Example("", "word " * base.context_length, "yes", Source("rows.jsonl", 1))
    with pytest.raises(ValueError, match="do not fit"):
        encode_rows(base, TUNED_ARMS["tuned"](setting(base)), [long])


def test_the_zero_shot_prompt_has_instruction_format_and_input(base: BaseCheckpoint) -> None:
    prompt = base.prompt(UNTUNED_ARMS["zero_shot"](setting(base)).messages(ROWS[0]))
    assert prompt.startswith("<|user|>Triage the ticket.\nAnswer with one JSON object")
    assert prompt.endswith(f"\n\n{ROWS[0].input}<|end|><|assistant|>")


def test_shots_come_from_train_and_never_repeat_the_case(base: BaseCheckpoint) -> None:
    arm = UNTUNED_ARMS["few_shot"](setting(base))
    shot = choose_shots(ROWS, 4, 0)[0]
    own = Example("", shot.input.upper(), shot.output, Source("eval.jsonl", 1))
    shown = [m.content for m in arm.messages(own)]
    assert len(shown) == 7 and not any(duplicate_key(own) in text.casefold() for text in shown[:-1])
    trained = {e.output for e in ROWS}
    assert all(m.content in trained for m in arm.messages(ROWS[0]) if m.role == "assistant")


def test_shots_that_do_not_fit_are_dropped_and_the_question_stays(base: BaseCheckpoint) -> None:
    messages = UNTUNED_ARMS["few_shot"](setting(base, room=base.context_length - 200)).messages(ROWS[0])
    assert len(messages) < 9 and messages[-1].content.endswith(ROWS[0].input)


def test_a_chat_keeps_its_turns_and_gets_the_instruction_once(base: BaseCheckpoint) -> None:
    case = Example("", "And now?", "yes", Source("rows.jsonl", 1), "Be brief.", (Message("user", "First?"), Message("assistant", "no")))
    messages = TUNED_ARMS["tuned"](setting(base)).messages(case)
    assert [m.role for m in messages] == ["system", "user", "assistant", "user"]
    assert messages[1].content == "Triage the ticket.\n\nFirst?" and messages[3].content == "And now?"


def plain(decoder: Decoder, prompt: str, room: int) -> str:
    """One prompt at a time, no padding, no shared beginning: what every faster way must equal."""
    import torch

    ids = torch.tensor([decoder.base.token_ids(prompt)])
    out = decoder.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=room,
        do_sample=False,
        pad_token_id=0,
        eos_token_id=decoder.base.eos_token_ids,
    )
    return decoder.base.tokenizer.decode(out[0, ids.shape[1] :]).removesuffix("<|end|>")


@pytest.mark.parametrize("arm", ["zero_shot", "few_shot"])
def test_batched_decoding_equals_decoding_one_by_one(base: BaseCheckpoint, decoder: Decoder, arm: str) -> None:
    made = UNTUNED_ARMS[arm](setting(base))
    cases = random.Random(0).sample(ROWS, 12)
    prompts = [base.prompt(made.messages(case)) for case in cases]
    together, seconds = decoder.complete(prompts, 60)
    assert [c.text for c in together] == [plain(decoder, prompt, 60) for prompt in prompts]
    assert seconds > 0


def test_an_answer_without_room_and_a_prompt_without_space_are_truncated(base: BaseCheckpoint, decoder: Decoder) -> None:
    prompt = base.prompt(UNTUNED_ARMS["zero_shot"](setting(base)).messages(ROWS[0]))
    (short,), _ = decoder.complete([prompt], 3)
    assert short.truncated and short.completion_tokens == 3
    (none,), _ = decoder.complete([prompt + "x " * base.context_length], 3)
    assert none.truncated and none.text == ""


def test_a_base_that_is_not_there_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"model.base"):
        load_base(ModelChoice(base=str(tmp_path)))
