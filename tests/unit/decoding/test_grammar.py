"""Answers under a grammar."""

from __future__ import annotations

from typing import Any

from tests.unit.decoding.prompts_and_models import varied_prompts
from tuneproof.engine.arms.grammar import grammar_of
from tuneproof.engine.case.task import OutputFormat, OutputKind
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import BaseCheckpoint


def test_constrained_answers_do_not_depend_on_the_rest_of_the_batch(base: BaseCheckpoint, model: Any) -> None:
    grammar, _ = grammar_of(OutputFormat(kind=OutputKind.CHOICE, choices=["billing", "shipping", "a longer label than those"]), [])
    prompts = varied_prompts(base)
    together, _ = Decoder(base, model, 3).complete(prompts, 20, grammar=grammar)
    for prompt, completion in zip(prompts, together, strict=True):
        assert Decoder(base, model, 1).complete([prompt], 20, grammar=grammar)[0] == [completion]
