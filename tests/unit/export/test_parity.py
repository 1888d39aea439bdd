"""An export counts as the measured model if it is asked the same tokens and answers the same texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tuneproof.engine.core.errors import RunFailed
from tuneproof.engine.export.parity import check
from tuneproof.engine.export.readme import check_text
from tuneproof.engine.export.serving import Served, ServedAnswer
from tuneproof.engine.export.source import ExportSource, ServedCase

Change = Callable[[ServedAnswer], ServedAnswer]


def served(source: ExportSource, change: Change = lambda answer: answer) -> Served:
    """What a server answers that answers as measured but for one change."""
    outputs = {prediction.id: prediction for prediction in source.tuned.predictions}

    def answer(case: ServedCase) -> ServedAnswer:
        measured = outputs[case.id]
        return change(ServedAnswer(measured.output, case.prompt_ids, len(case.prompt_ids), measured.output_tokens))

    return Served("transformers 5, float32 on cpu", [answer(case) for case in source.cases])


def test_the_measured_answers_to_the_measured_prompts_agree(source: ExportSource) -> None:
    found = check(source, served(source))
    assert found.agrees and found.first_drift is None
    assert found.equal_answers == found.equal_prompts == found.cases == 80
    assert found.correct_served == found.correct_measured == source.tuned.scores.correct
    assert check_text(found).startswith("transformers 5, float32 on cpu: 80 of 80 answers are the measured text; correct ")


def test_the_prompts_that_a_client_asks_are_those_that_were_measured(source: ExportSource) -> None:
    case, tokenizer = source.cases[0], source.base.tokenizer
    text = tokenizer.apply_chat_template(case.turns, tokenize=False, add_generation_prompt=True)
    assert tokenizer.encode(text, add_special_tokens=False) == case.prompt_ids


def test_a_server_that_writes_on_after_the_document_agrees(source: ExportSource) -> None:
    assert source.arm.ends_with_document
    assert check(source, served(source, lambda answer: replace(answer, text=f"{answer.text}\nAnd so on"))).agrees


def test_other_answers_are_graded_and_do_not_agree(source: ExportSource) -> None:
    found = check(source, served(source, lambda answer: replace(answer, text="{}")))
    assert (found.equal_answers, found.correct_served.rate, found.agrees) == (0, 0.0, False)
    assert "It does not agree." in check_text(found)


def test_a_template_that_writes_one_token_more_is_shown_at_that_token(source: ExportSource) -> None:
    extra = source.base.token_ids("\n")

    def drifted(answer: ServedAnswer) -> ServedAnswer:
        ids = answer.prompt_ids or []
        return replace(answer, prompt_ids=[*ids[:-1], *extra, *ids[-1:]])

    found = check(source, served(source, drifted))
    case = source.cases[0]
    assert not found.agrees and found.equal_prompts == 0 and found.first_drift is not None
    assert (found.first_drift.case, found.first_drift.at) == (case.id, len(case.prompt_ids) - 1)
    assert (found.first_drift.measured_token, found.first_drift.served_token) == (case.prompt_ids[-1], extra[0])
    assert found.first_drift.measured.endswith("<|end|><|assistant|>") and found.first_drift.served.endswith("<|end|>\n<|assistant|>")
    assert f"at token {len(case.prompt_ids) - 1}: measured" in check_text(found)


@pytest.mark.parametrize(("more", "agrees"), [(0, True), (1, False)])
def test_a_server_that_only_counts_its_tokens_is_held_to_the_count(source: ExportSource, more: int, agrees: bool) -> None:
    def counted(answer: ServedAnswer) -> ServedAnswer:
        return replace(answer, prompt_ids=None, prompt_tokens=(answer.prompt_tokens or 0) + more)

    found = check(source, served(source, counted))
    assert found.agrees is agrees and found.equal_prompts is None and found.equal_prompt_lengths == (0 if more else 80)


def test_a_case_that_a_server_left_unanswered_ends_the_check(source: ExportSource) -> None:
    with pytest.raises(RunFailed, match="80 of 80 cases were not answered: timeout"):
        check(source, served(source, lambda answer: replace(answer, error="timeout")))
