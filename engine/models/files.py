"""The files of a model, and where a model named in a case is on this machine."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from tuneproof.engine.case.schema import SAMPLE
from tuneproof.engine.core.hashing import sha256_data, sha256_file

MODEL_FILES = ["*.safetensors", "*.json", "*.model", "*.txt", "*.jinja"]
"""Patterns of the files that make up a model: weights, configuration, tokenizer and chat template."""


def local_folder(base: str) -> Path | None:
    """The folder of the sample model, or of a model given by its path; None for a name on the Hugging Face Hub."""
    if base == SAMPLE:
        return Path(str(files("tuneproof.sample_cases"))) / "model"
    return Path(base) if Path(base).is_dir() else None


def config_folder(base: str) -> Path | None:
    """The folder with the model's config.json, which may be the cache of the hub; None if it has not been downloaded."""
    folder = local_folder(base)
    if folder is not None:
        return folder
    # Imported here because it is slow, and only names on the hub need it.
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(base, "config.json")
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def model_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of a model's files, in hex."""
    found = sorted(path for pattern in MODEL_FILES for path in folder.glob(pattern))
    return sha256_data([[path.name, sha256_file(path)] for path in found])
