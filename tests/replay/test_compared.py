"""Several methods over one frozen set by one command: one card, which verifies, and nothing that is measured twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import sample_case, set_options, tuneproof
from tests.manifests import CARD, forge_digests, forget_steps
from tuneproof.engine.card.verify import verify
from tuneproof.engine.core.errors import GateClosed, VerifyFailed
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.state import RunState
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore

pytestmark = pytest.mark.long

SETTINGS = ["training.max_steps=8", "training.probe_every=4", "training.probe_cases=8", "baselines=[zero_shot]"]
ASKED = set_options(*SETTINGS, "evaluate.compare=[full, dora, qlora]")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("compared") / "run"
    result = tuneproof("--replay", sample_case(), "--run-dir", run, *ASKED, env={"CUDA_VISIBLE_DEVICES": ""})
    assert result.code == 0, result.err
    assert "method comparison, full: 2,066,112 parameters, 8 steps on 94 examples" in result.err
    assert "method comparison, qlora: not trained: 4-bit weights do not train correctly on a CPU" in result.err
    return run


@pytest.fixture
def copy(compared: Path, tmp_path: Path) -> RunStore:
    shutil.copytree(compared, tmp_path / "run")
    return RunStore(tmp_path / "run")


def test_one_card_has_them_all_and_the_verdict_is_that_of_the_named_one(compared: Path) -> None:
    card: dict[str, Any] = json.loads((compared / "card.json").read_text())
    methods = card["comparison"]["methods"]
    assert [(each["method"], each["settings"]["learning_rate"]) for each in methods[:3]] == [("lora", 2e-3), ("full", 2e-4), ("dora", 1e-3)]
    tuned = next(arm for arm in card["arms"] if arm["arm"] == "tuned")
    assert methods[0]["correct"] == tuned["correct"] and methods[0]["difference"] is None
    assert all(each["difference"] and each["p_holm"] is not None for each in methods[1:3])
    assert methods[3]["method"] == "qlora" and methods[3]["correct"] is None
    assert [arm["arm"] for arm in card["arms"]] == ["zero_shot", "tuned"]
    assert f"## Methods Compared\n\n{card['comparison']['summary']}\n" in (compared / "card.md").read_text()


def test_their_steps_are_not_those_of_the_training_that_is_shown(compared: Path) -> None:
    state = RunState()
    for event in EventReader(compared / "events.jsonl").read():
        state.apply(event)
    assert list(state.tuned.steps.step) == list(range(1, 9)) and state.tuned.started is not None and state.tuned.started.method == "lora"
    scored = {model for model, training in state.trainings.items() if training.scored}
    assert (
        scored == {"tuned_full", "tuned_dora", "tuned_merged"}
        and state.trainings["tuned_qlora"].skipped is not None
        and state.variant is None
    )


def test_it_verifies_and_a_forged_answer_is_noticed(copy: RunStore) -> None:
    result = tuneproof("verify", copy.path, "--json")
    assert result.code == 0 and json.loads(result.out)["predictions"] == 5 * 80
    name = "training/compared/full/predictions.jsonl"
    first, rest = copy.read(name).split("\n", 1)
    row = json.loads(first)
    copy.write(name, json.dumps(row | {"output": row["expected"], "correct": not row["correct"]}) + "\n" + rest)
    forge_digests(copy, StepId(StepKind.COMPARED_SCORES, "full"), name)
    with pytest.raises(VerifyFailed):
        verify(copy)


def test_its_answers_can_be_decoded_again(compared: Path) -> None:
    for name in ("tuned_dora", "tuned_full", "tuned_merged"):
        result = tuneproof("reproduce", compared, "--arm", name)
        assert result.code == 0 and "80" in result.out, result.err


def test_resuming_trains_only_what_is_missing(copy: RunStore) -> None:
    before = json.loads(copy.read("card.json"))["comparison"]
    forget_steps(copy, StepId(StepKind.COMPARED_SCORES, "dora"), CARD)
    result = tuneproof("--replay", sample_case(), "--run-dir", copy.path, "--resume", *ASKED, env={"CUDA_VISIBLE_DEVICES": ""})
    assert result.code == 0 and "steps on" not in result.err, result.err
    assert json.loads(copy.read("card.json"))["comparison"] == before


def test_what_was_compared_stays_in_the_evidence(copy: RunStore) -> None:
    case = copy.case
    with pytest.raises(GateClosed, match="the model of full is trained for a comparison"):
        copy.amend(case.model_copy(update={"evaluate": case.evaluate.model_copy(update={"compare": []})}))
    with pytest.raises(GateClosed, match="the merged model is measured"):
        copy.amend(case.model_copy(update={"evaluate": case.evaluate.model_copy(update={"merged": False})}))
