"""A run folder that was copied to another machine: what is there is checked, what is not is said, and nothing of it is a difference."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import tuneproof
from tests.replay.test_earlier_version import RECORDED
from tuneproof.engine.card.verify import verify
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.models import files
from tuneproof.engine.run.manifest import Manifest
from tuneproof.engine.run.store import MANIFEST, RunStore
from tuneproof.tui.cli import main

ADAPTER = "training/adapter"
WEIGHTS, CONFIG = f"{ADAPTER}/adapter_model.safetensors", f"{ADAPTER}/adapter_config.json"


@pytest.fixture
def copy(tmp_path: Path) -> RunStore:
    """A whole run in another place than it was made in."""
    return RunStore(Path(shutil.copytree(RECORDED, tmp_path / "copied")))


def test_a_copy_without_its_adapter_verifies_and_says_so(copy: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    whole = verify(copy)
    shutil.rmtree(copy.path / ADAPTER)
    found = verify(copy)
    assert found.left_out == [CONFIG, WEIGHTS] and whole.left_out == []
    assert (found.predictions, found.files) == (whole.predictions, whole.files - 2)
    assert main(["verify", str(copy.path)]) == 0
    assert "not in this copy, so not checked: training/adapter/ (2)" in capsys.readouterr().out


def test_a_copy_without_weights_still_has_its_other_files_checked(copy: RunStore) -> None:
    (copy.path / WEIGHTS).unlink()
    found = verify(copy)
    assert found.left_out == [WEIGHTS] and CONFIG in found.only_digest
    (copy.path / CONFIG).write_text("{}")
    with pytest.raises(VerifyFailed, match="not what the run wrote") as caught:
        verify(copy)
    assert caught.value.where == CONFIG


def test_a_part_of_a_model_is_missing_and_not_left_out(copy: RunStore) -> None:
    (copy.path / CONFIG).unlink()
    with pytest.raises(VerifyFailed, match="the file is gone") as caught:
        verify(copy)
    assert caught.value.where == CONFIG


def test_one_of_several_weight_files_is_missing_and_not_left_out(copy: RunStore) -> None:
    manifest = json.loads(copy.read(MANIFEST))
    second = f"{ADAPTER}/model-00002-of-00002.safetensors"
    (step,) = (record for record in manifest["steps"].values() if WEIGHTS in record["files"])
    step["files"][second] = "0" * 64
    copy.write(MANIFEST, Manifest.model_validate(manifest).as_text())
    with pytest.raises(VerifyFailed) as caught:
        verify(copy)
    assert caught.value.where == second


@pytest.mark.parametrize("name", ["splits/eval.jsonl", "audit.json", "card.md", "catalogue.json", "arms/tuned/prompt.txt"])
def test_no_other_file_may_be_left_out(copy: RunStore, name: str) -> None:
    (copy.path / name).unlink()
    with pytest.raises(VerifyFailed, match="the file is gone") as caught:
        verify(copy)
    assert caught.value.where == name


def test_without_the_sample_model_the_base_is_not_checked(copy: RunStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "files", lambda package: tmp_path / "package without models")
    found = verify(copy)
    assert not found.base.is_here and "was not checked" in found.base.phrase


def test_verify_needs_no_library_that_runs_models(copy: RunStore, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    names = "torch transformers trl peft datasets accelerate bitsandbytes llguidance huggingface_hub"
    (blocked / "sitecustomize.py").write_text(
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {names.split()}:\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
    )
    result = tuneproof("verify", copy.path, env={"PYTHONPATH": os.pathsep.join([str(blocked), os.environ.get("PYTHONPATH", "")])})
    assert result.code == 0, result.err
