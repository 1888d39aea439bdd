"""Which files make a model, and where a model named in a case lies on this machine."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from tuneproof.engine.case import SAMPLE
from tuneproof.engine.hashing import sha256_data, sha256_file

MODEL_FILES = ["*.safetensors", "*.json", "*.model", "*.txt", "*.jinja"]


def local_folder(base: str) -> Path | None:
    """The folder of the sample model or of a model that the case names by its path; none for a hub name."""
    if base == SAMPLE:
        return Path(str(files("tuneproof.sample_cases"))) / "model"
    return Path(base) if Path(base).is_dir() else None


def digest(folder: Path) -> str:
    """One digest over a model's files: weights, configuration and tokenizer."""
    found = sorted(p for pattern in MODEL_FILES for p in folder.glob(pattern))
    return sha256_data([[p.name, sha256_file(p)] for p in found])
