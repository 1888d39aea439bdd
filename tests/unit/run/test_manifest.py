"""The manifest of a run: what changed since a step was done, which steps are refused, and manifests of the version before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneproof.engine.case.schema import Case, DecisionAnswers
from tuneproof.engine.core.errors import GateClosed, VerifyFailed
from tuneproof.engine.core.hashing import sha256_text
from tuneproof.engine.run.manifest import Inputs, Manifest
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import MANIFEST, RunStore

AUDIT = StepId(StepKind.AUDIT)
FIRST_VERSION = {
    "version": 1,
    "steps": {
        "case": {"made_from": {}, "files": {"case.yaml": "c"}, "digests": {}},
        "audit": {
            "made_from": {"data rows/a.json": "d", "settings": "s", "base name": "sample"},
            "files": {"audit.json": "a", "data.json": "b"},
            "digests": {},
        },
        "split": {"made_from": {"audit.json": "a", "split": "p"}, "files": {"splits/eval.jsonl": "e"}, "digests": {}},
        "arm few_shot": {"made_from": {"splits/eval.jsonl": "e", "task": "t"}, "files": {}, "digests": {"prompts": "q"}},
        "card": {"made_from": {"case": "1", "arm few_shot": "2"}, "files": {"card.json": "j"}, "digests": {}},
    },
}
FIRST_TEXT = json.dumps(FIRST_VERSION, indent=1) + "\n"


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """A run with nothing but its case."""
    answers = DecisionAnswers(private_facts=False, format_drift=True, stable_task=True)
    return RunStore.create(tmp_path / "run", Case(name="tickets", decision=answers))


def test_a_step_from_other_inputs_is_refused_with_the_names_of_what_changed(store: RunStore) -> None:
    store.write_step(AUDIT, Inputs(files={"case.yaml": "1"}, settings={"base": "2", "task": "3"}), {"audit.json": "{}\n"})
    now = Inputs(files={"case.yaml": "1"}, settings={"base": "4", "columns": "5", "task": "3"})
    with pytest.raises(GateClosed, match="the step `audit` was made from other inputs; changed since: base, columns"):
        store.is_done(AUDIT, now)


def test_a_step_from_the_same_inputs_is_done(store: RunStore) -> None:
    inputs = store.inputs(["case.yaml"], {"base": "2"})
    assert not store.is_done(AUDIT, inputs)
    store.write_step(AUDIT, inputs, {"audit.json": "{}\n"})
    assert store.is_done(AUDIT, store.inputs(["case.yaml"], {"base": "2"}))


def test_a_step_whose_file_has_changed_is_refused(store: RunStore) -> None:
    store.write_step(AUDIT, Inputs(), {"audit.json": "{}\n"})
    (store.path / "audit.json").write_text("{ }\n")
    with pytest.raises(GateClosed, match="the file is not what the run wrote"):
        store.is_done(AUDIT, Inputs())


@pytest.mark.parametrize("name", ["arms few_shot", "audited", "curve", "compared full plan"])
def test_a_manifest_with_a_step_that_does_not_exist_is_refused(store: RunStore, name: str) -> None:
    store.write_step(AUDIT, Inputs(), {"audit.json": "{}\n"})
    store.write(MANIFEST, store.read(MANIFEST).replace('"audit"', json.dumps(name)))
    with pytest.raises(VerifyFailed, match="is not a step of a run"):
        _ = store.manifest
    with pytest.raises(VerifyFailed):
        store.is_done(AUDIT, Inputs())


@pytest.mark.parametrize("version", [0, 3])
def test_a_manifest_of_an_unknown_version_is_refused(store: RunStore, version: int) -> None:
    store.write(MANIFEST, store.read(MANIFEST).replace('"version": 2', f'"version": {version}'))
    with pytest.raises(VerifyFailed, match="does not know manifests of version"):
        _ = store.manifest


def test_a_manifest_is_read_as_it_is_written(store: RunStore) -> None:
    store.write_step(AUDIT, store.inputs(["case.yaml"], {"base": "2"}), {"audit.json": "{}\n"}, {"prompts": "3"})
    store.record_step(StepId(StepKind.CARD), Inputs(steps=store.manifest.step_digests()), [])
    text = store.read(MANIFEST)
    assert Manifest.model_validate_json(text).as_text() == text


def test_a_manifest_of_version_1_is_written_as_it_was_read() -> None:
    assert Manifest.model_validate_json(FIRST_TEXT).as_text() == FIRST_TEXT


def test_the_digest_of_a_step_of_version_1_is_that_of_its_text_then() -> None:
    digests = Manifest.model_validate_json(FIRST_TEXT).step_digests()
    steps = FIRST_VERSION["steps"]
    assert isinstance(steps, dict)
    assert {str(step): digest for step, digest in digests.items()} == {
        name: sha256_text(json.dumps(step, separators=(",", ":"))) for name, step in steps.items() if name != "card"
    }


def test_the_inputs_of_version_1_are_sorted_into_files_settings_and_steps() -> None:
    steps = Manifest.model_validate_json(FIRST_TEXT).steps
    assert steps[AUDIT].inputs == Inputs(settings={"data rows/a.json": "d", "settings": "s", "base name": "sample"})
    assert steps[StepId(StepKind.SPLIT)].inputs == Inputs(files={"audit.json": "a"}, settings={"split": "p"})
    assert steps[StepId.arm("few_shot")].inputs == Inputs(files={"splits/eval.jsonl": "e"}, settings={"task": "t"})
    assert steps[StepId(StepKind.CARD)].inputs == Inputs(steps={StepId(StepKind.CASE): "1", StepId.arm("few_shot"): "2"})


def test_a_run_of_version_1_that_is_resumed_keeps_its_steps_as_they_were(store: RunStore) -> None:
    store.write(MANIFEST, FIRST_TEXT)
    before = store.manifest.step_digests()
    store.write_step(StepId.arm("zero_shot"), Inputs(settings={"task": "t"}), {"arms/zero_shot/arm.json": "{}\n"})
    after = store.manifest.step_digests()
    assert {step: after[step] for step in before} == before and StepId.arm("zero_shot") in after


def test_a_card_of_version_1_that_rests_on_an_unknown_step_is_refused(store: RunStore) -> None:
    store.write(MANIFEST, FIRST_TEXT.replace('"arm few_shot": "2"', '"arms few_shot": "2"'))
    with pytest.raises(VerifyFailed, match="is not a step of a run"):
        _ = store.manifest
