"""Which files make a model, and where a model named in a case lies on this machine."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from tuneproof.engine.case.schema import SAMPLE
from tuneproof.engine.core.hashing import sha256_data, sha256_file

MODEL_FILES = ["*.safetensors", "*.json", "*.model", "*.txt", "*.jinja"]


def local_folder(base: str) -> Path | None:
    """The folder of the sample model or of a model that the case names by its path; none for a hub name."""
    if base == SAMPLE:
        return Path(str(files("tuneproof.sample_cases"))) / "model"
    return Path(base) if Path(base).is_dir() else None


def config_folder(base: str) -> Path | None:
    """The folder with the model's config.json, in the hub's cache too; none where that was not fetched yet."""
    folder = local_folder(base)
    if folder is not None:
        return folder
    # Only for a hub name: it takes a while to import.
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(base, "config.json")
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None


def model_digest(folder: Path) -> str:
    """One digest over a model's files: weights, configuration and tokenizer."""
    found = sorted(p for pattern in MODEL_FILES for p in folder.glob(pattern))
    return sha256_data([[p.name, sha256_file(p)] for p in found])
