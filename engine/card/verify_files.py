"""The files of a run folder by their digests: all that the manifest records, but for models that were left out of a copy."""

from __future__ import annotations

from pathlib import PurePosixPath

from tuneproof.engine.card.schema import CARD_JSON
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.run.manifest import Manifest
from tuneproof.engine.run.signature import SIGNATURE, SIGNED_LIST
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import CASE, MANIFEST, RunStore

GONE = "the file is gone"


def check_files(run: RunSnapshot) -> set[str]:
    """Every recorded file has its recorded digest, and there is a card. Returns the files of models that were left out of the copy.

    Raises VerifyFailed with the first file that is another or gone.
    """
    for file in (MANIFEST, CASE):
        if not run.has(file):
            raise VerifyFailed(GONE, where=file)
    left_out = models_left_out(run, run.manifest)
    for record in run.manifest.steps.values():
        for file in record.files:
            if file in left_out:
                continue
            if not run.has(file):
                raise VerifyFailed(GONE, where=file)
            run.check(file)
    if StepId(StepKind.CARD) not in run.manifest.steps:
        raise VerifyFailed("the run has no card yet", where=CARD_JSON, fix="finish it: tuneproof --replay with --resume")
    return left_out


def models_left_out(store: RunStore, manifest: Manifest) -> set[str]:
    """The recorded files of models that are not in the folder.

    Weights are large, and no number on the card but their size is computed from them, so a copy may be without a model. A model counts as
    left out if none of its weight files is there: if some are, the others are missing.
    """
    written = manifest.written()
    folders = {_folder(file) for file in written if _is_weights(file)}
    weights_there = {_folder(file) for file in written if _is_weights(file) and store.has(file)}
    return {file for file in written if _folder(file) in folders - weights_there and not store.has(file)}


def other_files(run: RunSnapshot) -> set[str]:
    """Everything in the folder that is no folder, that no step of the run has written, and that is not its signature."""
    found = {path.relative_to(run.path).as_posix() for path in run.path.rglob("*") if not path.is_dir()}
    return found - {MANIFEST, SIGNED_LIST, SIGNATURE, *run.manifest.written()}


def _is_weights(file: str) -> bool:
    return file.endswith(".safetensors")


def _folder(file: str) -> str:
    return str(PurePosixPath(file).parent)
