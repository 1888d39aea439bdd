"""A judge is entered as a model on this machine, or as a server and the model there."""

from __future__ import annotations

import pytest

from tuneproof.engine.case.judge import Judge
from tuneproof.engine.session.form_input import InputError
from tuneproof.engine.session.judge_form import judge_entered


@pytest.mark.parametrize("text", ["sample", " ./models/qwen3 ", "Qwen/Qwen3-8B"])
def test_a_model_on_this_machine(text: str) -> None:
    assert Judge.model_validate(judge_entered(text)).model == text.strip()


def test_a_server_and_the_model_there() -> None:
    judge = Judge.model_validate(judge_entered("http://localhost:8000/v1  qwen3-32b"))
    assert judge.endpoint is not None and (judge.endpoint.url, judge.endpoint.model) == ("http://localhost:8000/v1", "qwen3-32b")


@pytest.mark.parametrize("text", ["", "  ", "http://localhost:8000/v1", "http://localhost:8000/v1 a b"])
def test_anything_else_is_refused_with_what_to_type(text: str) -> None:
    with pytest.raises(InputError, match="type "):
        judge_entered(text)
