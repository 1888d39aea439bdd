"""The files of a model, and where a model named in a case is on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from tuneproof.engine.case.schema import SAMPLE
from tuneproof.engine.core.hashing import sha256_data, sha256_file
from tuneproof.engine.models.custom_code import code_files
from tuneproof.engine.models.sample_models import SAMPLE_MODELS
from tuneproof.engine.models.weight_files import shard_names

FIRST_MODEL_FILES = ("*.safetensors", "*.json", "*.model", "*.txt", "*.jinja")
"""Patterns of the files that the digests of the first versions cover."""

MODEL_FILES = [*FIRST_MODEL_FILES, "*.tiktoken", "*.codes", "*.tokenizer", "tokenizer.model.*", "additional_chat_templates/*.jinja"]
"""Patterns of the files that make up a model: weights, configuration, tokenizer and chat templates. What an index names comes on top."""

TOKENIZER_FILES = ("tokenizer*", "vocab*", "merges.txt", "*_tokens*.json", "chat_template*", "*.model", "*.tiktoken", "*.codes", "*.jinja")
"""Patterns of the files that a tokenizer is read from, and that are written again beside trained weights."""

CODE_FILES = ["*.py"]
"""Patterns of the code that a model may bring along; loaded only if the case trusts it."""


def local_folder(base: str) -> Path | None:
    """The folder of a sample model, or of a model given by its path; None for a name on the Hugging Face Hub, and for what is not here."""
    if base == SAMPLE:
        return Path(str(files("tuneproof.sample_cases"))) / "model"
    if base in SAMPLE_MODELS and SAMPLE_MODELS[base].is_here:
        return SAMPLE_MODELS[base].folder
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


def file_digests(folder: Path, *, with_code: bool = False) -> dict[str, str]:
    """SHA-256 in hex of every file that loading a model may read, by its path in the folder, sorted.

    A file that is not there has no digest. `with_code` adds the Python files, for a model whose code may run.
    """
    names = {path.relative_to(folder).as_posix() for pattern in MODEL_FILES for path in folder.glob(pattern)}
    names |= {*shard_names(folder), *(code_files(folder) if with_code else [])}
    return {name: sha256_file(folder / name) for name in sorted(names) if (folder / name).is_file()}


def tokenizer_bytes(folder: Path) -> int:
    """The size of a model's tokenizer on disk, in bytes."""
    return sum(path.stat().st_size for path in {path for pattern in TOKENIZER_FILES for path in folder.glob(pattern)} if path.is_file())


def digest_of(digests: Mapping[str, str]) -> str:
    """One SHA-256 over the names and contents of a model's files, in hex."""
    return sha256_data([[name, digest] for name, digest in sorted(digests.items())])


def first_model_digest(folder: Path) -> str:
    """The digest of a model as runs have it that do not list its files."""
    found = sorted(path for pattern in FIRST_MODEL_FILES for path in folder.glob(pattern) if path.is_file())
    return sha256_data([[path.name, sha256_file(path)] for path in found])
