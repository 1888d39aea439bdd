"""A run folder of an earlier version opens, verifies and shows its card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import tuneproof
from tests.manifests import CARD, forge_digests, write_manifest
from tuneproof.engine.card.verify import verify
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.session.case_session import CaseSession

RECORDED = Path(__file__).with_name("run_of_version_1")
"""A run that tuneproof 0.1.0 wrote: one baseline and a tuned arm on a few rows of the sample case, without its log and its checkpoints."""


@pytest.fixture
def copy(tmp_path: Path) -> RunStore:
    """A run of one's own to change."""
    return RunStore(shutil.copytree(RECORDED, tmp_path / "run"))


def test_it_opens_and_shows_its_card() -> None:
    session = CaseSession.of_run(RECORDED)
    assert session.card is not None and session.card.provenance.versions["tuneproof"] == "0.1.0"
    assert [arm.arm for arm in session.card.arms] == ["zero_shot", "tuned"]


def test_it_verifies_and_the_command_says_that_sentences_are_not_compared() -> None:
    result = tuneproof("verify", RECORDED)
    assert result.code == 0, result.err
    assert "the card was written by tuneproof 0.1.0: everything but its sentences and card.md was compared" in result.out
    as_json = json.loads(tuneproof("verify", RECORDED, "--json").out)
    assert as_json["verified"] is True and as_json["sentences_compared"] is False


def forge_card(store: RunStore, old: str, new: str) -> None:
    """Replaces a text in the card, and makes its recorded digest fit."""
    text = store.read("card.json")
    assert old in text
    store.write("card.json", text.replace(old, new, 1))
    forge_digests(store, CARD)


def test_a_sentence_in_other_words_is_accepted(copy: RunStore) -> None:
    forge_card(copy, "frozen before anything ran", "frozen before anything was run")
    assert verify(copy).other_version == "0.1.0"


@pytest.mark.parametrize(("old", "new"), [('"n": 10', '"n": 11'), ('"arm": "tuned"', '"arm": "tuned_constrained"')])
def test_a_number_or_a_fact_that_does_not_follow_is_noticed(copy: RunStore, old: str, new: str) -> None:
    forge_card(copy, old, new)
    with pytest.raises(VerifyFailed, match="the numbers do not follow from the stored files"):
        verify(copy)


def test_unexpected_content_may_be_a_fault_of_tuneproof_and_the_user_is_told_when(copy: RunStore) -> None:
    copy.write("card.json", "[]")
    forge_digests(copy, CARD)
    with pytest.raises(VerifyFailed) as found:
        verify(copy)
    assert "if nobody has changed the folder, tuneproof is wrong and not the run" in found.value.fix


def test_a_step_that_was_changed_is_noticed_by_the_card(copy: RunStore) -> None:
    manifest = copy.manifest
    arm = next(record for step, record in manifest.steps.items() if str(step) == "arm zero_shot")
    arm.digests["other"] = "1"
    write_manifest(copy, manifest)
    with pytest.raises(VerifyFailed, match="the step `card` was made from another arm zero_shot"):
        verify(copy)
