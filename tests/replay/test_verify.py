"""`verify` makes every number again, and one changed byte in any file that the card rests on is noticed."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.conftest import Result, tuneproof
from tests.manifests import CARD, forge_card_inputs, forge_digests, write_manifest
from tuneproof.engine.card.build import make_card
from tuneproof.engine.card.verify import verify
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import GRADING, MANIFEST, RunStore


@pytest.fixture
def copy(finished: tuple[Path, Result], tmp_path: Path) -> RunStore:
    """A run of one's own to break."""
    kept = shutil.ignore_patterns("checkpoints")
    shutil.copytree(finished[0], tmp_path / "run", ignore=kept)
    return RunStore(tmp_path / "run")


def resting_on(store: RunStore) -> list[str]:
    """Every file that the card rests on."""
    return [MANIFEST, *(file for step in store.manifest.steps.values() for file in step.files)]


def test_a_finished_run_verifies(finished: tuple[Path, Result]) -> None:
    result = tuneproof("verify", finished[0], "--json")
    assert result.code == 0
    document = json.loads(result.out)
    assert document["verified"] is True and document["predictions"] == 720


def test_each_file_is_read_once(finished: tuple[Path, Result]) -> None:
    reads: Counter[str] = Counter()

    class CountingStore(RunStore):
        def read(self, name: str) -> str:
            reads[name] += 1
            return super().read(name)

    verify(CountingStore(finished[0]))
    assert reads[MANIFEST] == 1 and set(reads.values()) == {1}


def test_a_step_that_no_arm_or_method_of_this_version_has_is_refused(copy: RunStore) -> None:
    manifest = copy.manifest
    manifest.steps[StepId.arm("imaginary")] = manifest.steps[StepId.arm("zero_shot")]
    forge_card_inputs(manifest)
    write_manifest(copy, manifest)
    with pytest.raises(VerifyFailed, match="`arm imaginary` is not a step of a run"):
        verify(copy)


def test_the_manifest_covers_every_file_that_the_contract_names(copy: RunStore) -> None:
    named = {"case.yaml", "audit.json", "failures.jsonl", "card.json", "card.md", "training/adapter/adapter_model.safetensors"}
    named |= {f"splits/{part}.jsonl" for part in ("train", "validation", "eval")}
    named |= {f"arms/{arm}/{file}" for arm in ("zero_shot", "few_shot", "tuned") for file in ("predictions.jsonl", "scores.json")}
    assert named <= set(resting_on(copy))


def test_one_changed_byte_in_any_file_is_noticed(copy: RunStore) -> None:
    rng = random.Random(0)
    for file in resting_on(copy):
        path = copy.path / file
        whole = path.read_bytes()
        if not whole:
            # No failure of an arm that made none: the file is empty, and one byte more is what can change.
            path.write_bytes(b"\n")
            with pytest.raises(VerifyFailed):
                verify(copy)
            path.write_bytes(whole)
            continue
        for at in {0, len(whole) - 1, *(rng.randrange(len(whole)) for _ in range(12 if file == MANIFEST else 2))}:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            with pytest.raises(VerifyFailed) as caught:
                verify(copy)
            # A byte of the manifest may be in the digest of another file, which then is the one that differs.
            assert file in (MANIFEST, caught.value.where), f"{file} byte {at}: {caught.value}"
        path.write_bytes(whole)
    assert verify(copy).predictions == 720


@pytest.mark.parametrize(
    ("step", "file", "old", "new"),
    [
        (StepId.arm("tuned"), "arms/tuned/scores.json", '"truncated": ', '"truncated": 1'),
        (StepId.arm("zero_shot"), "arms/zero_shot/predictions.jsonl", '"correct":false', '"correct":true'),
        (StepId(StepKind.CARD), "card.json", '"answer": "tune"', '"answer": "do not tune"'),
        (StepId(StepKind.FAILURES), "failures.jsonl", "\n", "\n\n"),
    ],
)
def test_a_number_that_does_not_follow_is_noticed_even_with_its_digest_forged(
    copy: RunStore, step: StepId, file: str, old: str, new: str
) -> None:
    text = copy.read(file)
    assert old in text
    copy.write(file, text.replace(old, new, 1))
    forge_digests(copy, step)
    with pytest.raises(VerifyFailed):
        verify(copy)


def test_a_file_that_is_gone_is_named(copy: RunStore) -> None:
    (copy.path / "splits" / "eval.jsonl").unlink()
    result = tuneproof("verify", copy.path)
    assert result.code == 5 and "splits/eval.jsonl: the file is gone" in result.err


def test_a_run_without_a_card_does_not_verify(finished: tuple[Path, Result], tmp_path: Path) -> None:
    assert tuneproof("--replay", "route_only.yaml", "--until", "route", "--run-dir", tmp_path / "run").code == 0
    result = tuneproof("verify", tmp_path / "run")
    assert result.code == 5 and "no card yet" in result.err


def reword_card(store: RunStore) -> None:
    """Gives the card another sentence, and makes its recorded digest fit."""
    text = store.read("card.json")
    store.write("card.json", text.replace("frozen before any arm ran", "frozen before an arm ran", 1))
    forge_digests(store, CARD)


def test_a_card_in_other_words_is_told_from_one_with_other_numbers(copy: RunStore) -> None:
    reword_card(copy)
    with pytest.raises(VerifyFailed, match="its numbers follow from the stored files, but its text is not what tuneproof writes") as found:
        verify(copy)
    assert "another build" in found.value.fix


def test_the_sentences_of_an_earlier_build_of_this_version_are_not_compared(copy: RunStore) -> None:
    manifest = copy.manifest
    for record in manifest.steps.values():
        record.inputs.settings.pop(GRADING, None)
    forge_card_inputs(manifest)
    write_manifest(copy, manifest)
    copy.write("card.json", make_card(RunStore(copy.path)).as_text())
    reword_card(copy)
    assert verify(copy).other_version == f"{version('tuneproof')} (an earlier build)"
    store = RunStore(copy.path)
    store.write("card.json", store.read("card.json").replace('"n": 80', '"n": 81', 1))
    forge_digests(store, CARD)
    with pytest.raises(VerifyFailed, match="the numbers do not follow from the stored files"):
        verify(store)
