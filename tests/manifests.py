"""Changing the manifest of a run as a forger or a broken run would."""

from __future__ import annotations

from tuneproof.engine.core.hashing import sha256_file
from tuneproof.engine.run.manifest import Manifest
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import MANIFEST, RunStore

CARD = StepId(StepKind.CARD)


def write_manifest(store: RunStore, manifest: Manifest) -> None:
    """Writes the manifest as a run does."""
    store.write(MANIFEST, manifest.as_text())


def forge_digests(store: RunStore, step: StepId, *files: str) -> None:
    """Makes the recorded digests of a step fit its files, all of them if none is named."""
    manifest = store.manifest
    record = manifest.steps[step]
    record.files.update({file: sha256_file(store.path / file) for file in files or record.files})
    write_manifest(store, manifest)


def forge_card_inputs(manifest: Manifest) -> None:
    """Makes the card rest on the steps as they are recorded now."""
    manifest.steps[CARD].inputs.steps.update(manifest.step_digests())


def forget_steps(store: RunStore, *steps: StepId) -> None:
    """Takes steps out of the manifest, as if they had not been done."""
    manifest = store.manifest
    for step in steps:
        del manifest.steps[step]
    write_manifest(store, manifest)
