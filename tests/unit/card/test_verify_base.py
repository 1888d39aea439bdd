"""`verify` tells the base that was measured from another, file by file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.models.broken_folders import WEIGHTS, sample_copy, split_weights
from tuneproof.engine.card.verify_base import check_base
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.models.files import digest_of, file_digests, first_model_digest
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.store import RunStore


def run_with(base: Path, folder: Path, *, lists_files: bool = True) -> RunSnapshot:
    """A run that has recorded this base, with its files or, as runs of earlier versions have it, without."""
    files = file_digests(base)
    facts = artifacts.ModelFacts(
        name=str(base),
        sha256=digest_of(files) if lists_files else first_model_digest(base),
        files=files if lists_files else {},
        context=2048,
        chat_template=True,
        device="cpu",
        dtype="float32",
        versions={},
    )
    folder.mkdir()
    (folder / artifacts.MODEL).write_text(facts.as_text())
    return RunSnapshot(RunStore(folder))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base whose weights are in two files, one of them in a folder below."""
    folder = sample_copy(tmp_path / "base")
    split_weights(folder, "parts/one.safetensors")
    (folder / "parts").mkdir()
    (folder / "model-00001-of-00002.safetensors").rename(folder / "parts" / "one.safetensors")
    return folder


def _add(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("{{ messages }}")


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "parts/one.safetensors": (lambda path: path.open("ab").write(b" "), "the file is another"),
    "chat_template.jinja": (lambda path: path.write_text("{{ messages }}"), "the file is another"),
    "generation_config.json": (lambda path: path.unlink(), "the file is gone"),
    WEIGHTS: (lambda path: path.write_bytes(b"preferred to the index"), "the file was not there"),
    "additional_chat_templates/tool_use.jinja": (_add, "the file was not there"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_base_that_changed_is_noticed_with_the_file(name: str, base: Path, tmp_path: Path) -> None:
    run = run_with(base, tmp_path / "run")
    change, expected = CHANGES[name]
    change(base / name)
    with pytest.raises(VerifyFailed, match=f"not the one that was measured: {expected}") as found:
        check_base(run)
    assert found.value.where == str(base / name)


@pytest.mark.parametrize("lists_files", [True, False])
def test_a_base_that_is_as_it_was_verifies_in_runs_of_every_version(lists_files: bool, base: Path, tmp_path: Path) -> None:
    (base / "notes.md").write_text("not a file of the model")
    assert check_base(run_with(base, tmp_path / "run", lists_files=lists_files)).phrase.endswith("has the recorded digest")


def test_a_base_that_is_not_on_this_machine_is_no_difference(base: Path, tmp_path: Path) -> None:
    run = run_with(base, tmp_path / "run")
    shutil.rmtree(base)
    found = check_base(run)
    assert not found.is_here and found.phrase.endswith("is not a folder on this machine and was not checked")


def test_a_run_that_does_not_list_files_has_the_digest_of_the_files_at_the_top(tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "base")
    assert first_model_digest(folder) == digest_of(file_digests(folder))
