"""Whatever is wrong with a run folder, `verify` names a file: exit code 5, never a defect, a hang or a verdict."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import pytest

from tests.conftest import tuneproof
from tests.manifests import CARD, forge_card_inputs, write_manifest
from tests.replay.test_earlier_version import RECORDED
from tuneproof.engine.card.verify import Verified, open_stored, verify
from tuneproof.engine.core.errors import UsageError, VerifyFailed
from tuneproof.engine.core.hashing import sha256_file
from tuneproof.engine.run.manifest import StepRecord
from tuneproof.engine.run.store import CASE, MANIFEST, RunStore


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with nothing but a route and its card."""
    run = tmp_path_factory.mktemp("small") / "run"
    assert tuneproof("--replay", "route_only.yaml", "--run-dir", run).code == 0
    return run


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small, tmp_path / "run"))


@pytest.fixture
def recorded(tmp_path: Path) -> RunStore:
    """A whole run of one's own to break."""
    return RunStore(Path(shutil.copytree(RECORDED, tmp_path / "run")))


def difference(run: Path) -> VerifyFailed:
    with pytest.raises(VerifyFailed) as caught:
        verify(open_stored(run))
    return caught.value


def test_every_flipped_bit_of_a_manifest_is_a_difference(copy: Path) -> None:
    manifest, rng = copy / MANIFEST, random.Random(0)
    whole = manifest.read_bytes()
    for at in range(0, len(whole), 3):
        for bit in (7, rng.randrange(7)):
            manifest.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
            assert difference(copy).where


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"null", b"[]", b'{"steps": 1}', b"[" * 100_000, b'{"version": 1e999}', b"\0"])
def test_a_manifest_that_is_none_is_named(copy: Path, content: bytes) -> None:
    (copy / MANIFEST).write_bytes(content)
    assert difference(copy).where == MANIFEST
    if content == b"\xff\xfe":
        result = tuneproof("verify", copy)
        assert result.code == 5 and "manifest.json: not a manifest" in result.err


def test_a_manifest_of_a_version_to_come_is_refused_as_that(copy: Path) -> None:
    text = (copy / MANIFEST).read_text()
    (copy / MANIFEST).write_text(text.replace('"version": 2', '"version": 9'))
    found = difference(copy)
    assert found.where == MANIFEST and "version 9" in found.what and "update" in found.fix


@pytest.mark.parametrize("name", [MANIFEST, CASE])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert (difference(copy).where, difference(copy).what) == (name, "the file is gone")
    assert tuneproof("verify", copy).code == 5


def test_a_folder_with_nothing_of_a_run_is_a_mistake_of_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run folder"):
        open_stored(tmp_path)


@pytest.mark.parametrize("name", ["../outside.json", "/etc/hostname", "a/../../b", "a\0b", ""])
def test_a_card_rests_on_no_file_outside_its_folder(copy: Path, name: str) -> None:
    store = RunStore(copy)
    manifest = json.loads(store.read(MANIFEST))
    manifest["steps"]["route"]["files"][name] = "0" * 64
    (copy / MANIFEST).write_text(json.dumps(manifest))
    assert difference(copy).where == MANIFEST


def test_a_pipe_in_place_of_a_file_is_not_waited_for(copy: Path) -> None:
    (copy / "route.json").unlink()
    os.mkfifo(copy / "route.json")
    assert difference(copy).where == "route.json"


JUNK = [b"", b"\xff\xfe", b"null", b"[]", b"{}", b"1", b"[" * 100_000, b'{"files": {}}', b"\0" * 64, b'"\xed\xa0\x80"', b'{"a": 1}\n[]\n']


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_files_that_no_run_wrote_are_named_even_with_their_digests_forged(recorded: RunStore, junk: bytes) -> None:
    for file in recorded.manifest.written():
        path, manifest = recorded.path / file, recorded.manifest
        whole, text = path.read_bytes(), recorded.read(MANIFEST)
        if whole == junk:
            continue
        path.write_bytes(junk)
        for step, record in manifest.steps.items():
            if file in record.files:
                record.files[file] = sha256_file(path)
            if step != CARD and isinstance(record, StepRecord) and file in record.inputs.files:
                record.inputs.files[file] = sha256_file(path)
        forge_card_inputs(manifest)
        write_manifest(recorded, manifest)
        try:
            # Nothing on the card is computed from some files, and that is said.
            assert file in verify(recorded).only_digest
        except VerifyFailed as error:
            assert error.where
        path.write_bytes(whole)
        recorded.write(MANIFEST, text)


def test_verify_says_what_the_card_rests_on_and_what_it_does_not_read(recorded: RunStore) -> None:
    (recorded.path / "events.jsonl").write_text("")
    (recorded.path / "training" / "checkpoints").mkdir(parents=True)
    (recorded.path / "training" / "checkpoints" / "seal.json").write_text("")
    found: Verified = verify(recorded)
    assert {MANIFEST, CASE, "splits/eval.jsonl", "arms/tuned/predictions.jsonl"} <= set(found.rests_on)
    assert "training/adapter/adapter_model.safetensors" in found.only_digest
    assert found.not_read == ["events.jsonl", "training/checkpoints/seal.json"]
    result = tuneproof("verify", recorded.path)
    assert "not read: events.jsonl, training/checkpoints/seal.json" in result.out
    assert "that a model gave the stored answers" in result.out
    assert json.loads(tuneproof("verify", recorded.path, "--json").out)["reproduced"] is False
