"""Whether the base model on this machine is the one that a run measured, file by file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.models.files import digest_of, file_digests, first_model_digest, local_folder
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.snapshot import RunSnapshot

CHANGED = "the base model is not the one that was measured"
PUT_BACK = "put the base back as it was measured, or start a new run"


@dataclass(frozen=True)
class BaseCheck:
    """Whether the base could be compared with its recorded digest, and a phrase that says so."""

    phrase: str
    is_here: bool


def check_base(run: RunSnapshot) -> BaseCheck:
    """Compares the base model with the recorded digests, if it is a folder on this machine.

    Raises VerifyFailed with the first file that is another, gone or new.
    """
    if not run.has(artifacts.MODEL):
        return BaseCheck("no model was needed", is_here=False)
    model = artifacts.ModelFacts.model_validate_json(run.read(artifacts.MODEL))
    folder = local_folder(model.name)
    if folder is None or not folder.is_dir():
        return BaseCheck(f"base {model.name} is not a folder on this machine and was not checked", is_here=False)
    try:
        _compare(folder, model)
    except OSError as error:
        what = f"the file cannot be read: {error.strerror or error}"
        raise VerifyFailed(what, where=str(error.filename or folder), fix=PUT_BACK) from None
    return BaseCheck(f"base {model.name} has the recorded digest", is_here=True)


def _compare(folder: Path, model: artifacts.ModelFacts) -> None:
    if not model.files:
        if first_model_digest(folder) != model.sha256:
            raise VerifyFailed(CHANGED, where=str(folder), fix=PUT_BACK)
        return
    if digest_of(model.files) != model.sha256:
        raise VerifyFailed("the digests of the base's files are not those of the base", where=artifacts.MODEL)
    now = file_digests(folder, with_code=bool(model.own_code))
    for name in sorted(model.files.keys() | now.keys()):
        if name not in now:
            raise VerifyFailed(f"{CHANGED}: the file is gone", where=str(folder / name), fix=PUT_BACK)
        if name not in model.files:
            raise VerifyFailed(f"{CHANGED}: the file was not there", where=str(folder / name), fix=PUT_BACK)
        if now[name] != model.files[name]:
            raise VerifyFailed(f"{CHANGED}: the file is another", where=str(folder / name), fix=PUT_BACK)
