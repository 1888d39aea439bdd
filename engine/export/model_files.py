"""Writing an adapter or a merged model as a folder that transformers and vLLM load. Imports torch and peft only to merge."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.core.disk_space import require_room
from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.export.form import OF_MODELS, NumberType
from tuneproof.engine.export.source import ExportSource
from tuneproof.engine.methods.disk import merged_bytes
from tuneproof.engine.methods.method import Ability
from tuneproof.engine.methods.model_shape import known_shape
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.files import local_folder, tokenizer_bytes
from tuneproof.engine.models.weight_files import base_parameters
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.served_form import FormFacts
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.variants import MERGED, ServedForm

ADAPTER_CONFIG = "adapter_config.json"
LICENCES = ("LICENSE*", "LICENCE*", "NOTICE*", "USE_POLICY*")
"""Files of a base that say under which terms it, and what is made of it, may be passed on."""


@dataclass(frozen=True)
class Written:
    """The model files of an export."""

    folder: Path
    number_type: NumberType | None


def write_adapter(source: ExportSource, folder: Path) -> Written:
    """The adapter with the tokenizer and the chat template that it was trained with. Raises UsageError if the run trained no adapter."""
    if not source.trains_adapter:
        raise UsageError(f"{source.method} trains a whole model, not an adapter", where=str(source.store.path), fix="use --form merged")
    trained = [Path(name) for name in source.store.manifest.steps[StepId(StepKind.TRAIN)].files if name.startswith(artifacts.TRAINED)]
    for name in trained:
        shutil.copyfile(source.store.path / name, folder / name.name)
    config = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base_name(source)
    (folder / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    source.base.tokenizer.save_pretrained(folder)
    source.base.generation.save_pretrained(folder)
    return Written(folder, None)


def write_merged(source: ExportSource, folder: Path, wanted: NumberType | None) -> Written:
    """The merged model of the run if it has the wanted number type, or else one merged now; of a whole model, the model itself.

    Raises UsageError if the method cannot be merged, or the type is none of a model, and DiskFull.
    """
    if wanted is not None and wanted not in OF_MODELS:
        raise UsageError(f"{wanted} is a type of GGUF files", where="--type", fix="use --form gguf, or float32, bfloat16 or float16")
    method = METHODS[source.method]
    if source.trains_adapter and not method.supports(Ability.MERGE):
        why = method.unsupported[Ability.MERGE]
        raise UsageError(f"{source.method} cannot be merged: {why}", where=str(source.store.path), fix="use --form adapter")
    kept = _kept_type(source)
    chosen = wanted or kept or NumberType.BFLOAT16
    size = merged_bytes(base_parameters(source.base.folder), known_shape(source.base.folder), tokenizer_bytes(source.base.folder), chosen)
    require_room(folder, size, "the merged model")
    if kept is chosen:
        for name in (name for name in _files_of_merged(source) if source.store.check(name)):
            shutil.copyfile(source.store.path / name, folder / Path(name).name)
    elif source.trains_adapter:
        _merge(source, folder, chosen)
    else:
        _copy_whole_model(source, folder, chosen)
    return Written(folder, chosen)


def copy_licences(source: ExportSource, folder: Path) -> list[str]:
    """The base's files about its licence, copied into the folder."""
    found = sorted(path for pattern in LICENCES for path in source.base.folder.glob(pattern) if path.is_file())
    for path in found:
        shutil.copyfile(path, folder / path.name)
    return [path.name for path in found]


def base_name(source: ExportSource) -> str:
    """The base as others can name it: its name on the hub, or that of its folder, without a path of this machine."""
    model = source.store.case.model
    assert model is not None
    folder = local_folder(model.base)
    return model.base if folder is None else (model.base if model.base == "sample" else folder.resolve().name)


def _kept_type(source: ExportSource) -> NumberType | None:
    """The number type of the merged model that the run keeps."""
    store = source.store
    if MERGED.weights_step not in store.manifest.steps:
        return None
    form = FormFacts.model_validate_json(store.read(MERGED.form)).form if store.has(MERGED.form) else ServedForm.MERGED_BFLOAT16
    return NumberType(form.dtype)


def _files_of_merged(source: ExportSource) -> list[str]:
    return sorted(source.store.manifest.steps[MERGED.weights_step].files)


def _merge(source: ExportSource, folder: Path, chosen: NumberType) -> None:
    import torch

    from tuneproof.engine.training.merge import merge

    # Merging makes its folder anew.
    merged = folder / "merging"
    for name in merge(source.base, source.store.path / artifacts.TRAINED, merged, getattr(torch, chosen.value)):
        (merged / name).rename(folder / name)
    merged.rmdir()


def _copy_whole_model(source: ExportSource, folder: Path, chosen: NumberType) -> None:
    import torch

    from tuneproof.engine.models.pretrained import read_model

    trained = source.store.path / artifacts.TRAINED
    model = read_model(trained, source.base.generation, trusts_code=source.base.trusts_code, dtype=getattr(torch, chosen.value))
    model.save_pretrained(folder)
    source.base.tokenizer.save_pretrained(folder)
