"""Each common fault of a chat template or a tokenizer is found in a copy of the sample model that has it, and none in the sample model."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers.processors import TemplateProcessing

from tests.unit.models.bases import edit_json
from tuneproof.engine.models.chat_format import read_format
from tuneproof.engine.models.files import local_folder
from tuneproof.engine.models.find_faults import base_faults
from tuneproof.engine.models.pretrained import read_tokenizer
from tuneproof.engine.models.token_fault import FoundFault, TokenFault

END, FIRST = 1, "<|system|>"
TEMPLATE = "chat_template.jinja"


def faults_in(folder: Path) -> list[FoundFault]:
    """What is found in a tokenizer and its template."""
    return base_faults(read_format(read_tokenizer(folder)), [END])


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The sample model without its weights."""
    sample = local_folder("sample")
    assert sample is not None
    return shutil.copytree(sample, tmp_path / "model", ignore=shutil.ignore_patterns("*.safetensors"))


def change_template(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / TEMPLATE).read_text()
        assert old in text
        (folder / TEMPLATE).write_text(text.replace(old, new))

    return change


def add_before_text(folder: Path) -> None:
    """Makes the tokenizer put a token before every text."""
    tokenizer = read_tokenizer(folder)
    number = tokenizer.convert_tokens_to_ids(FIRST)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single=f"{FIRST} $A", special_tokens=[(FIRST, number)])
    tokenizer.save_pretrained(folder)


def pad_with_the_end(folder: Path) -> None:
    edit_json(folder / "tokenizer_config.json", pad_token="<|end|>")


def begin_with(times: int) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        add_before_text(folder)
        (folder / TEMPLATE).write_text(FIRST * times + (folder / TEMPLATE).read_text())

    return change


def test_the_sample_model_has_none(copied: Path) -> None:
    assert faults_in(copied) == []


@pytest.mark.parametrize(
    ("plant", "fault", "breaks_here", "said"),
    [
        (change_template("<|end|>", ""), TokenFault.END_NOT_LEARNED, False, "writes no end token"),
        (pad_with_the_end, TokenFault.PAD_IS_END, False, "padding token is the end token `<|end|>`"),
        (add_before_text, TokenFault.NO_BEGINNING, True, f"puts `{FIRST}` before every text"),
        (begin_with(2), TokenFault.TWO_BEGINNINGS, True, "twice"),
        (begin_with(1), TokenFault.TWO_BEGINNINGS, False, "before every text too"),
        (
            change_template("{% if add_generation_prompt %}<|assistant|>{% endif %}", ""),
            TokenFault.NO_GENERATION_PROMPT,
            True,
            "`<|assistant|>`",
        ),
        (change_template("}<|assistant|>{", "}<|assistant|>\n{"), TokenFault.OTHER_PREFIX, False, "`<|end|><|assistant|>↵`"),
    ],
)
def test_a_planted_fault_is_found_alone_and_says_what_to_do(
    copied: Path, plant: Callable[[Path], None], fault: TokenFault, breaks_here: bool, said: str
) -> None:
    plant(copied)
    (found,) = faults_in(copied)
    assert (found.fault, found.breaks_here) == (fault, breaks_here)
    assert said in found.sentence
    assert found.fix
