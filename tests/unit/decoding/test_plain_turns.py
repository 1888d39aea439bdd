"""Answers of a base without a chat template: they end at the next turn, and the space before them is not part of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.unit.models.bases import base_with, base_without_template
from tuneproof.engine.arms.grammar import grammar_of
from tuneproof.engine.case.task import OutputFormat, OutputKind
from tuneproof.engine.data.example import Message
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import BaseCheckpoint, load_weights

LABELS = ["billing", "returns", "shipping"]
GRAMMAR = grammar_of(OutputFormat(kind=OutputKind.CHOICE, choices=LABELS), []).source


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> BaseCheckpoint:
    return base_without_template(tmp_path_factory.mktemp("plain") / "model")


def taught_to_continue(base: BaseCheckpoint, prompt: str, text: str) -> Decoder:
    """The base after it has learned to write a text after a prompt."""
    model = load_weights(base)
    prompt_ids, ids = base.token_ids(prompt), base.continuation_ids(text)
    input_ids = torch.tensor([prompt_ids + ids])
    labels = torch.tensor([[-100] * len(prompt_ids) + ids])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(40):
        model(input_ids=input_ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return Decoder(base, model)


@pytest.mark.parametrize("by_generate", [False, True])
def test_an_answer_ends_where_the_next_turn_begins(plain: BaseCheckpoint, by_generate: bool) -> None:
    prompt = plain.prompt([Message("user", "Rome?")])
    decoder = taught_to_continue(plain, prompt, " Italy\nUser: Paris?\nAssistant: France")
    if by_generate:
        # A repetition penalty of nearly one changes no answer, but is a setting that only `generate` knows.
        decoder.model.generation_config.repetition_penalty = 1.0000001
    (completion,), _ = decoder.complete([prompt], 40)
    assert (completion.text, completion.truncated) == ("Italy", False)
    assert completion.completion_tokens == len(completion.output_ids) < 12


def test_a_grammar_and_scored_labels_leave_the_space_to_the_template(plain: BaseCheckpoint) -> None:
    decoder, prompts = Decoder(plain, load_weights(plain)), [plain.prompt([Message("user", "Where is my parcel?")])]
    for (completion,), _ in (decoder.complete(prompts, 12, grammar=GRAMMAR), decoder.choose_labels(prompts, LABELS)):
        assert completion.text in LABELS and not completion.truncated
        assert plain.tokenizer.decode(completion.output_ids[:-1]) == f" {completion.text}"


def test_a_constrained_answer_closes_the_reasoning_that_the_prompt_opens(tmp_path: Path) -> None:
    base = base_with("opened_reasoning", tmp_path / "model")
    (completion,), _ = Decoder(base, load_weights(base)).complete([base.prompt([Message("user", "Where?")])], 20, grammar=GRAMMAR)
    block, answer = completion.text[: -len("billing")], completion.text.rpartition("\n")[2]
    assert block.startswith("<think>\n\n</think>\n") and answer in LABELS
