"""Answers are kept as they come: what was answered before a stop is not asked again, and all answers are those of a run without a stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.decoding.prompts_and_models import CASES, CONTEXT, random_model
from tuneproof.engine.arms import Arm
from tuneproof.engine.arms.zero_shot import ZeroShot
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.core.errors import Interrupted
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base, load_weights
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.stages import local_backend
from tuneproof.engine.stages.local_backend import LocalBackend

ROOM = 24


class Choice(ZeroShot):
    """An arm whose answer is the likeliest of two labels."""

    labels = ("billing", "shipping")


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


@pytest.fixture(scope="module")
def prompts(base: BaseCheckpoint) -> list[str]:
    return [base.prompt(request.messages) for request in ZeroShot(CONTEXT).requests(CASES[:16])]


@pytest.fixture(params=["continuous", "generate", "labels", "16 bits"])
def backend(request: pytest.FixtureRequest, base: BaseCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalBackend:
    """Four at a time, on each of the ways in which prompts are answered."""
    arm: Arm = Choice(CONTEXT) if request.param == "labels" else ZeroShot(CONTEXT)
    model: Any = random_model("bloom", attention="eager") if request.param == "generate" else load_weights(base)
    if request.param == "16 bits":
        monkeypatch.setattr(local_backend, "best_device", lambda: (torch.device("cpu"), torch.bfloat16))
        monkeypatch.setattr(local_backend, "ROUND", 4)
        model = model.to(torch.bfloat16)
    return LocalBackend(base, lambda: Decoder(base, model, 4), arm, ROOM, StopRequest(), tmp_path / "kept.jsonl", {})


def stopping_at(stop: StopRequest, answers: int) -> Callable[[int, int], None]:
    """Requests a stop once there are so many answers."""
    return lambda done, of: stop.request() if done >= answers else None


def test_a_stopped_arm_asks_only_what_is_missing_and_ends_as_one_that_was_not_stopped(
    backend: LocalBackend, prompts: list[str], tmp_path: Path
) -> None:
    whole, _ = replace(backend, kept=tmp_path / "whole.jsonl").complete(prompts, lambda done, of: None)
    with pytest.raises(Interrupted):
        backend.complete(prompts, stopping_at(backend.stop, 6))
    kept = len(backend.kept.read_bytes().splitlines())
    assert 4 <= kept < len(prompts)
    # The end of a line that a crash has torn.
    with backend.kept.open("ab") as file:
        file.write(b'{"request": "')
    reported: list[int] = []
    again, seconds = replace(backend, stop=StopRequest()).complete(prompts, lambda done, of: reported.append(done))
    assert [(each.text, each.truncated, each.completion_tokens) for each in again] == [
        (each.text, each.truncated, each.completion_tokens) for each in whole
    ]
    assert reported[0] == kept and reported[-1] == len(prompts) and seconds > 0
    assert len(backend.kept.read_bytes().splitlines()) == len(prompts)


def test_answers_that_are_all_there_need_no_weights(base: BaseCheckpoint, prompts: list[str], tmp_path: Path) -> None:
    def no_weights() -> Decoder:
        raise AssertionError("the weights are loaded")

    model = load_weights(base)
    backend = LocalBackend(base, lambda: Decoder(base, model), ZeroShot(CONTEXT), ROOM, StopRequest(), tmp_path / "kept.jsonl", {})
    first, seconds = backend.complete(prompts[:3], lambda done, of: None)
    again, seconds_again = replace(backend, decoder=no_weights).complete(prompts[:3], lambda done, of: None)
    assert [each.text for each in again] == [each.text for each in first]
    assert seconds_again == pytest.approx(seconds, rel=0.5)


def test_answers_of_another_model_or_under_other_settings_are_not_used(base: BaseCheckpoint, tmp_path: Path) -> None:
    backend = LocalBackend(base, lambda: Decoder(base, None), ZeroShot(CONTEXT), ROOM, StopRequest(), tmp_path / "kept.jsonl", {})
    others = [
        replace(backend, max_new_tokens=ROOM + 1),
        replace(backend, weights={"training/adapter/adapter_model.safetensors": "0" * 64}),
        replace(backend, arm=Choice(CONTEXT)),
        replace(backend, arm=None),
        replace(backend, base=replace(base, sha256="0" * 64)),
    ]
    assert len({each.decoded_by for each in [backend, *others]}) == len(others) + 1
