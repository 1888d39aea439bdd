"""The learning curve by the real command: measured, shown on the card, verified, and not measured again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import sample_case, set_options, tuneproof
from tests.manifests import CARD, forge_card_inputs, forge_digests, forget_steps, write_manifest
from tuneproof.engine.card.verify import verify
from tuneproof.engine.core.errors import GateClosed, VerifyFailed
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.state import RunState
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore

pytestmark = pytest.mark.long

SETTINGS = ["training.max_steps=8", "training.probe_every=4", "training.probe_cases=8", "baselines=[zero_shot]"]
POINT_50 = StepId(StepKind.CURVE_SCORES, "50")
ASKED = set_options(*SETTINGS, "evaluate.learning_curve=true")


@pytest.fixture(scope="module")
def curved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("curve") / "run"
    result = tuneproof("--replay", sample_case(), "--run-dir", run, *ASKED)
    assert result.code == 0, result.err
    assert "learning curve, 25 % of train: 2 steps on 24 examples" in result.err
    return run


@pytest.fixture
def copy(curved: Path, tmp_path: Path) -> RunStore:
    shutil.copytree(curved, tmp_path / "run")
    return RunStore(tmp_path / "run")


def test_the_card_has_the_points_and_reads_the_last_doubling(curved: Path) -> None:
    card: dict[str, Any] = json.loads((curved / "card.json").read_text())
    curve = card["learning_curve"]
    assert [(point["share"], point["examples"]) for point in curve["points"]] == [(25, 24), (50, 47), (100, 94)]
    tuned = next(arm for arm in card["arms"] if arm["arm"] == "tuned")
    assert curve["points"][-1]["correct"] == tuned["correct"]
    assert [(change["from_share"], change["to_share"]) for change in curve["changes"]] == [(25, 50), (50, 100)]
    assert [arm["arm"] for arm in card["arms"]] == ["zero_shot", "tuned"]
    text = (curved / "card.md").read_text()
    assert f"## Learning Curve\n\n{curve['summary']}\n" in text and curve["summary"].startswith("From 47 to 94 labels: ")


def test_its_steps_are_not_those_of_the_training_that_is_shown(curved: Path) -> None:
    state = RunState()
    for event in EventReader(curved / "events.jsonl").read():
        state.apply(event)
    assert list(state.tuned.steps.step) == list(range(1, 9)) and state.tuned.finished is not None and state.tuned.finished.steps == 8
    scored = {model for model, training in state.trainings.items() if training.scored}
    assert scored == {"tuned_25", "tuned_50", "tuned_merged"} and "tuned_25" not in state.arms


def test_it_verifies_and_a_changed_answer_is_noticed(copy: RunStore) -> None:
    result = tuneproof("verify", copy.path, "--json")
    assert result.code == 0 and json.loads(result.out)["predictions"] == 5 * 80
    name = "training/curve/50/predictions.jsonl"
    first, rest = copy.read(name).split("\n", 1)
    row = json.loads(first)
    copy.write(name, json.dumps(row | {"output": row["output"] + " "}) + "\n" + rest)
    result = tuneproof("verify", copy.path)
    assert result.code == 5 and f"{name}: the file is not what the run wrote" in result.err
    # As a forger would: the digest made to fit, and the answer called right.
    copy.write(name, json.dumps(row | {"output": row["expected"], "correct": not row["correct"]}) + "\n" + rest)
    forge_digests(copy, POINT_50, name)
    with pytest.raises(VerifyFailed):
        verify(copy)


def test_verify_fails_for_a_point_that_was_trained_on_other_rows(copy: RunStore) -> None:
    manifest = copy.manifest
    half, quarter = (manifest.steps[StepId(StepKind.CURVE_TRAIN, share)].inputs.settings for share in ("50", "25"))
    half["rows"] = quarter["rows"]
    forge_card_inputs(manifest)
    write_manifest(copy, manifest)
    with pytest.raises(VerifyFailed, match="tuned_50 was not trained on 50 % of train"):
        verify(copy)


def test_resuming_measures_only_what_is_missing(copy: RunStore) -> None:
    before = copy.read("card.json")
    kept = (copy.path / "training/curve/25/predictions.jsonl").stat().st_mtime_ns
    forget_steps(copy, POINT_50, CARD)
    result = tuneproof("--replay", sample_case(), "--run-dir", copy.path, "--resume", *ASKED)
    assert result.code == 0, result.err
    assert "steps on" not in result.err, "nothing is trained again"
    assert (copy.path / "training/curve/25/predictions.jsonl").stat().st_mtime_ns == kept
    assert json.loads(copy.read("card.json"))["learning_curve"] == json.loads(before)["learning_curve"]


def test_what_was_measured_stays_in_the_evidence(copy: RunStore) -> None:
    case = copy.case
    with pytest.raises(GateClosed, match="the learning curve has begun"):
        copy.amend(case.model_copy(update={"evaluate": case.evaluate.model_copy(update={"learning_curve": False})}))
