"""Each stored answer can be decoded again from the run folder, with one command, and one that was altered is noticed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import sample_case, set_options, tuneproof
from tests.manifests import forge_digests, write_manifest
from tuneproof.engine import reproduce
from tuneproof.engine.case.load import dump_case
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import GateClosed, UsageError, VerifyFailed
from tuneproof.engine.reproduce import Reproduction
from tuneproof.engine.rerun import rerun
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import CASE, RunStore
from tuneproof.tui.cli import main
from tuneproof.tui.verify_rerun import check_rerun, rerun_lines

pytestmark = pytest.mark.long

ARMS = ["zero_shot", "few_shot", "constrained", "few_shot_constrained", "tuned", "tuned_constrained", "tuned_25", "tuned_50"]
SETTINGS = ["training.max_steps=4", "training.probe_every=4", "training.probe_cases=4", "evaluate.learning_curve=true"]


@pytest.fixture(autouse=True)
def others_may_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out for these runs is not left out for the tests that follow in this process."""
    monkeypatch.setattr(reproduce, "block_import", lambda library: None)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the sample case on few rows that has every kind of answer: free and under a grammar, of base and of adapters."""
    folder = tmp_path_factory.mktemp("answered")
    case = yaml.safe_load(sample_case().read_text())
    for key, most in (("examples", 48), ("eval", 8)):
        lines = (sample_case().parent / case["data"][key]).read_text().splitlines(keepends=True)
        (folder / f"{key}.jsonl").write_text("".join(lines[:most]))
        case["data"][key] = f"{key}.jsonl"
    case["decision"]["labeled_examples"] = 120
    case["baselines"] = ["zero_shot", "few_shot", "constrained"]
    case["method"]["even_if_met"] = True
    (folder / "case.yaml").write_text(yaml.safe_dump(case))
    words = set_options(*SETTINGS)
    result = tuneproof("--replay", folder / "case.yaml", "--run-dir", folder / "run", *words)
    assert result.code == 0, result.err
    return folder / "run"


@pytest.fixture
def copy(answered: Path, tmp_path: Path) -> RunStore:
    shutil.copytree(answered, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints"))
    return RunStore(tmp_path / "run")


@pytest.mark.parametrize("arm", ARMS)
def test_every_answer_of_every_arm_is_what_the_model_gives(answered: Path, arm: str) -> None:
    reproduction = Reproduction(RunStore(answered), arm)
    found = reproduction.all()
    assert len(found) == 8 and all(each.same for each in found)
    for stored in reproduction.stored[:2]:
        one, _ = reproduction.one(stored.id)
        assert one.same and one.stored == stored and one.again.text == stored.output
    assert reproduction.differences() == []


def test_one_command_decodes_one_answer_again(answered: Path) -> None:
    stored = rows(RunStore(answered), "tuned")[0]
    result = tuneproof("reproduce", answered, "--arm", "tuned", "--id", stored["id"])
    assert result.code == 0, result.err
    assert result.out == f"{stored['output']}\n\nthe same as stored, decoded alone\n" and result.err == ""


def test_an_altered_answer_is_noticed_with_what_the_model_gives(copy: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    name = "arms/few_shot/predictions.jsonl"
    stored = rows(copy, "few_shot")
    altered = [row | {"output": "{}"} if at == 3 else row for at, row in enumerate(stored)]
    copy.write(name, "".join(json.dumps(row) + "\n" for row in altered))
    # In this process, as each new one takes seconds to load torch.
    assert main(["reproduce", str(copy.path), "--arm", "few_shot", "--json"]) == 5
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert f"{name}: 1 of 8 answers is not what the model answers now" in err
    assert document["same"] is False and document["predictions"] == 8 and len(document["answers"]) == 1
    (answer,) = document["answers"]
    assert (answer["id"], answer["output"], answer["stored"]["output"]) == (stored[3]["id"], stored[3]["output"], "{}")
    assert main(["reproduce", str(copy.path), "--arm", "few_shot", "--id", stored[3]["id"]]) == 5
    assert f"now   : {stored[3]['output']}\nstored: {{}}\n" in capsys.readouterr().out


def test_an_altered_prompt_is_noticed(copy: RunStore) -> None:
    stored = rows(copy, "zero_shot")
    first = stored[0] | {"prompt": stored[1]["prompt"], "prompt_tokens": stored[1]["prompt_tokens"]}
    copy.write("arms/zero_shot/predictions.jsonl", json.dumps(first) + "\n")
    one, is_alone = Reproduction(copy, "zero_shot").one(first["id"])
    assert not one.same and is_alone


@pytest.mark.parametrize(
    ("arm", "file"),
    [
        ("constrained", "arms/constrained/grammar.json"),
        ("zero_shot", "arms/zero_shot/arm.json"),
        ("tuned", "training/adapter/adapter_config.json"),
        ("tuned_50", "training/curve/50/adapter/adapter_model.safetensors"),
    ],
)
def test_what_it_is_decoded_with_must_be_what_the_run_wrote(copy: RunStore, arm: str, file: str) -> None:
    with (copy.path / file).open("ab") as changed:
        changed.write(b" ")
    with pytest.raises(GateClosed, match="not what the run wrote") as caught:
        Reproduction(copy, arm)
    assert caught.value.where == str(copy.path / file)


def test_another_base_is_refused(copy: RunStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = shutil.copytree(sample_case().parent / "model", tmp_path / "base")
    copy.write_step(StepId(StepKind.CASE), Inputs(), {CASE: dump_case(named(copy.case, base))})
    assert all(each.same for each in Reproduction(copy, "tuned").all()[:1]), "the same model under another name will do"
    settings = json.loads((base / "generation_config.json").read_text())
    (base / "generation_config.json").write_text(json.dumps(settings | {"do_sample": False}))
    assert main(["reproduce", str(copy.path), "--arm", "tuned"]) == 3
    out, err = capsys.readouterr()
    assert f"{base}: the base model is not the one that was measured" in err and out == ""


def test_what_a_server_answered_cannot_be_reproduced(copy: RunStore) -> None:
    manifest = copy.manifest
    manifest.steps[StepId.arm("endpoint")] = manifest.steps[StepId.arm("zero_shot")]
    write_manifest(copy, manifest)
    with pytest.raises(GateClosed, match="its answers came from a server"):
        Reproduction(copy, "endpoint")


def test_an_arm_or_a_case_that_does_not_exist_is_an_error(answered: Path) -> None:
    with pytest.raises(UsageError, match="the run has no arm `retrieval`"):
        Reproduction(RunStore(answered), "retrieval")
    with pytest.raises(UsageError, match="has answered no case `x`"):
        Reproduction(RunStore(answered), "zero_shot").one("x")


def rows(store: RunStore, arm: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store.read(f"arms/{arm}/predictions.jsonl").splitlines()]


def named(case: Case, base: Path) -> Case:
    assert case.model is not None
    return case.model_copy(update={"model": case.model.model_copy(update={"base": str(base)})})


def test_verify_decodes_a_sample_again(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(answered), "--rerun", "9", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    rerun = document["rerun"]
    assert (rerun["asked"], rerun["decoded"], rerun["same"], rerun["not_decoded"]) == (9, 9, True, {})
    assert {each["arm"] for each in rerun["answers"]} >= set(ARMS) and document["reproduced"] is False


def test_an_answer_made_up_with_all_its_digests_is_noticed_by_the_sample(copy: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    made_up = [row | {"output": "made up"} for row in rows(copy, "zero_shot")]
    copy.write("arms/zero_shot/predictions.jsonl", "".join(json.dumps(row) + "\n" for row in made_up))
    forge_digests(copy, StepId.arm("zero_shot"))
    found = rerun(copy, 10_000)
    assert found.answers == found.stored and {arm for arm, _ in found.differing} == {"zero_shot"}
    with pytest.raises(VerifyFailed, match="not what is stored") as caught:
        check_rerun(found)
    assert caught.value.where == "arms/zero_shot/predictions.jsonl"
    assert "\nnow   : " in "\n".join(rerun_lines(found))


def test_where_a_model_is_not_it_is_said_and_is_no_difference(copy: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(copy.path / "training" / "adapter")
    assert main(["verify", str(copy.path), "--rerun", "8"]) == 0
    out = capsys.readouterr().out
    assert "not decoded again: tuned, tuned_constrained: the weights are not in this copy of the run" in out
    model = json.loads(copy.read("model.json")) | {"name": "/nowhere/base"}
    copy.write("model.json", json.dumps(model))
    nothing = rerun(copy, 8)
    assert nothing.answers == 0 and set(nothing.not_decoded.values()) == {"the base /nowhere/base is not on this machine"}
