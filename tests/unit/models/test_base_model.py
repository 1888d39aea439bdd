"""What a model is trained to answer, whatever its chat template, and errors for models that cannot be loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.unit.models.bases import resize_embeddings
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Message
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base

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


@pytest.fixture
def base_with_template(request: pytest.FixtureRequest, tmp_path: Path) -> BaseCheckpoint:
    """The sample model with another chat template, or none."""
    sample = load_base(ModelChoice(base="sample"))
    shutil.copytree(sample.folder, tmp_path / "model")
    sample.tokenizer.add_special_tokens(
        {"additional_special_tokens": ["<|im_start|>", "<|im_end|>", "<|head|>", "<|/head|>"], "bos_token": "<|head|>"}
    )
    (tmp_path / "model" / "chat_template.jinja").unlink()
    sample.tokenizer.chat_template = TEMPLATES[request.param]
    sample.tokenizer.save_pretrained(tmp_path / "model")
    resize_embeddings(tmp_path / "model", len(sample.tokenizer))
    return load_base(ModelChoice(base=str(tmp_path / "model")))


@pytest.mark.parametrize("base_with_template", TEMPLATES, indirect=True)
def test_the_targets_are_the_whole_answer_and_one_end_token(base_with_template: BaseCheckpoint) -> None:
    base = base_with_template
    for answer in ('{"a": 1}', " yes ", "two\nlines"):
        target_ids = base.target_ids([Message("user", "How?")], answer)
        assert [token_id in base.eos_token_ids for token_id in target_ids] == [False] * (len(target_ids) - 1) + [True]
        assert base.tokenizer.decode(target_ids[:-1]).strip() == answer.strip()


@pytest.mark.parametrize(("base_with_template", "own"), [("chatml", True), ("none", False)], indirect=["base_with_template"])
def test_a_base_knows_whether_the_chat_template_is_its_own(base_with_template: BaseCheckpoint, own: bool) -> None:
    assert base_with_template.chat.own is own


def test_a_folder_without_a_model_is_an_error_in_the_case(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"config.json: the file is missing; download the whole model"):
        load_base(ModelChoice(base=str(tmp_path)))


def test_a_tokenizer_with_more_tokens_than_the_model_has_embeddings_is_refused(tmp_path: Path) -> None:
    sample = load_base(ModelChoice(base="sample"))
    shutil.copytree(sample.folder, tmp_path / "model")
    sample.tokenizer.add_tokens(["<followup>", "<newtopic>"])
    sample.tokenizer.save_pretrained(tmp_path / "model")
    with pytest.raises(CaseError, match=r"1,538 tokens, 1,536 embeddings.*`<followup>`, `<newtopic>`"):
        load_base(ModelChoice(base=str(tmp_path / "model")))


def test_a_placeholder_of_images_needs_no_embedding(tmp_path: Path) -> None:
    sample = load_base(ModelChoice(base="sample"))
    shutil.copytree(sample.folder, tmp_path / "model")
    sample.tokenizer.add_special_tokens({"additional_special_tokens": ["<image_soft_token>"]})
    sample.tokenizer.save_pretrained(tmp_path / "model")
    settings = json.loads((tmp_path / "model" / "tokenizer_config.json").read_text())
    (tmp_path / "model" / "tokenizer_config.json").write_text(json.dumps({**settings, "image_token": "<image_soft_token>"}))
    assert len(load_base(ModelChoice(base=str(tmp_path / "model"))).tokenizer) == 1537
