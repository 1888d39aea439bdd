"""What was trained elsewhere: an adapter of PEFT or a whole model in a folder, and what is known of it without loading it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.core.hashing import sha256_data, sha256_file
from tuneproof.engine.core.text_file import exists
from tuneproof.engine.methods.method import MethodName
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.plain_files import read_json
from tuneproof.engine.models.weight_files import check_weights, read_header, weight_files

ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
MODEL_CONFIG, INDEX = "config.json", "model.safetensors.index.json"

KEY = "method.trained"

LORA_KINDS = {"use_dora": MethodName.DORA, "use_rslora": MethodName.RSLORA}
"""Settings of a LoRA adapter that make it a method of another name."""


@dataclass(frozen=True)
class TrainedElsewhere:
    """An adapter or a model, by its files."""

    folder: Path
    method: MethodName
    """The method whose adapter it is; full for a whole model."""
    files: Sequence[str]
    """Configuration and weights, as names in the folder."""
    settings: dict[str, float | int | None]
    """Rank and alpha, where the adapter has them."""
    base: str | None
    """The base that the adapter names; None for a whole model, and where it names none."""

    @property
    def sha256(self) -> str:
        """The digest of all its files."""
        return sha256_data({name: sha256_file(self.folder / name) for name in self.files})


def trained_elsewhere(named: str) -> TrainedElsewhere:
    """What is in the folder that `method.trained` names.

    Raises CaseError if the folder has neither an adapter nor a model, an adapter of an unknown kind, or weights that are no safetensors.
    """
    folder = Path(named)
    if not exists(folder) or not folder.is_dir():
        raise CaseError("there is no such folder", where=f"{KEY}: {named}", fix="name the folder of an adapter or of a model")
    if (folder / ADAPTER_CONFIG).is_file():
        return _adapter(folder)
    if (folder / MODEL_CONFIG).is_file():
        check_weights(folder)
        index = [INDEX] if (folder / INDEX).is_file() else []
        return TrainedElsewhere(folder, MethodName.FULL, [MODEL_CONFIG, *index, *weight_files(folder)], {}, None)
    what = f"the folder has neither {ADAPTER_CONFIG} nor {MODEL_CONFIG}"
    raise CaseError(what, where=f"{KEY}: {named}", fix="name the folder that PEFT's or transformers' save_pretrained wrote")


def _adapter(folder: Path) -> TrainedElsewhere:
    config = read_json(folder / ADAPTER_CONFIG)
    if not (folder / ADAPTER_WEIGHTS).is_file():
        fix = "save the adapter as safetensors: other formats can run code when they are read"
        raise CaseError("there is no such file", where=str(folder / ADAPTER_WEIGHTS), fix=fix)
    read_header(folder / ADAPTER_WEIGHTS)
    numbers = {"rank": config.get("r"), "alpha": config.get("lora_alpha"), "virtual_tokens": config.get("num_virtual_tokens")}
    base = config.get("base_model_name_or_path")
    return TrainedElsewhere(
        folder,
        _method(config, folder),
        [ADAPTER_CONFIG, ADAPTER_WEIGHTS],
        {name: value for name, value in numbers.items() if isinstance(value, int | float) and not isinstance(value, bool)},
        base if isinstance(base, str) and base else None,
    )


def _method(config: dict[str, object], folder: Path) -> MethodName:
    """The method whose PEFT configuration an adapter has. Raises CaseError if there is none."""
    kind = str(config.get("peft_type", ""))
    if kind == "LORA":
        return next((method for setting, method in LORA_KINDS.items() if config.get(setting) is True), MethodName.LORA)
    wanted = f"{kind.replace('_', '')}config".lower()
    found = next((spec.name for spec in METHODS.values() if spec.peft_class and spec.peft_class.lower() == wanted), None)
    if found is None:
        known = ", ".join(sorted({spec.peft_class.removesuffix("Config") for spec in METHODS.values() if spec.peft_class}))
        raise CaseError(f"adapters of the kind `{kind[:40]}` are not known", where=str(folder / ADAPTER_CONFIG), fix=f"known are: {known}")
    return found
