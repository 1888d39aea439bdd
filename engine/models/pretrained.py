"""The one place where transformers and PEFT read a model folder: only safetensors, and no code of the folder unless the case trusts it.

Imports transformers, so only the worker imports this module.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import safe_open
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
    dynamic_module_utils,
)
from transformers.quantizers.auto import get_hf_quantizer
from transformers.utils import logging as transformers_logging

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.custom_code import check_code_is_here, code_references
from tuneproof.engine.models.weight_files import check_weights

T = TypeVar("T")

# Where no one says whether code is trusted, as in PEFT, transformers asks on standard input for so many seconds.
dynamic_module_utils.TIME_OUT_REMOTE_CODE = 0

if Path(dynamic_module_utils.HF_MODULES_CACHE).is_dir():
    # A training process gets the tokenizer from the worker, and its class may come from trusted code.
    dynamic_module_utils.init_hf_modules()

# The log and the terminal are read by people.
transformers_logging.disable_progress_bar()

ADAPTER_WEIGHTS = "adapter_model.safetensors"


def read_config(folder: Path, *, trusts_code: bool = False) -> PreTrainedConfig:
    """The configuration of a model. Raises CaseError if transformers cannot read it, or needs code that is not trusted."""
    if trusts_code:
        check_code_is_here(folder)
    config: PreTrainedConfig = _read(folder, lambda: AutoConfig.from_pretrained(folder, trust_remote_code=trusts_code), trusts_code)
    # What computes attention is chosen here: a config.json can name code on the hub.
    config._attn_implementation = None
    config._experts_implementation = None
    return config


def read_tokenizer(folder: Path, *, trusts_code: bool = False) -> PreTrainedTokenizerBase:
    """The tokenizer of a model. Raises CaseError as `read_config` does."""
    return _read(folder, lambda: AutoTokenizer.from_pretrained(folder, trust_remote_code=trusts_code), trusts_code)


def read_model(
    folder: Path, generation: GenerationConfig, *, trusts_code: bool = False, attention: str | None = None, **options: Any
) -> Any:
    """The weights of a model, with the options of `from_pretrained`.

    Its generation config is the one given. Raises CaseError as `read_config` does, and if a stored tensor is missing, not of this model, or
    of another shape.
    """
    config = read_config(folder, trusts_code=trusts_code)
    if attention is not None:
        config._attn_implementation = attention
    options |= {"generation_config": generation, "trust_remote_code": trusts_code}
    # What does not fit is an error below, with all of it in one place.
    options |= {"use_safetensors": True, "local_files_only": True, "ignore_mismatched_sizes": True, "output_loading_info": True}
    with _without_report():
        model, report = _read(folder, lambda: AutoModelForCausalLM.from_pretrained(folder, config=config, **options), trusts_code)
    _check_report(folder, report)
    # Code of the model may replace it.
    vars(model).pop("generate", None)
    return model


def check_tensors(folder: Path, *, trusts_code: bool = False) -> None:
    """Compares the stored tensors with the configuration, without reading any. Raises CaseError as `read_model` does.

    Of a base that is stored quantised, only whether this machine can load its kind.
    """
    config = read_config(folder, trusts_code=trusts_code)
    if _read(folder, lambda: get_hf_quantizer(config, None, None, True, {}), trusts_code)[0] is None:
        read_model(folder, GenerationConfig(), trusts_code=trusts_code, device_map="meta")


def text_config_of(config: PreTrainedConfig, folder: Path) -> PreTrainedConfig:
    """The part of a configuration that describes the language model. Raises CaseError if there is none, or if it has no vocabulary."""
    text_config: PreTrainedConfig = _read(folder, config.get_text_config, trusts_code=True)
    vocab_size = getattr(text_config, "vocab_size", None)
    if not isinstance(vocab_size, int) or vocab_size < 1:
        raise CaseError(
            f"`vocab_size` is {str(vocab_size)[:40]}",
            where=str(folder / "config.json"),
            fix="use the config.json that belongs to the weights",
        )
    return text_config


def check_finite(model: Any, folder: Path) -> None:
    """Raises CaseError if a weight is not a finite number: every answer would be nonsense."""
    for name, parameter in model.named_parameters():
        # torch compares no floats of 8 bits, which only a base has that is stored quantised.
        if not parameter.is_floating_point() or parameter.dtype.itemsize == 1 or not parameter.numel():
            continue
        # The least and the greatest value take one pass and no memory, and are both NaN if any value is.
        if not all(map(torch.isfinite, torch.aminmax(parameter.detach()))):
            raise CaseError(
                f"the tensor `{name}` has values that are not finite numbers", where=str(folder), fix="download the weights again"
            )


def empty_model(folder: Path, *, trusts_code: bool = False) -> Any:
    """The modules of a model on the meta device, without weights. Raises CaseError as `read_config` does."""
    config = read_config(folder, trusts_code=trusts_code)
    with torch.device("meta"):
        return _read(folder, lambda: AutoModelForCausalLM.from_config(config, trust_remote_code=trusts_code), trusts_code)


def read_adapter(model: Any, folder: Path) -> Any:
    """The model with the adapter of a folder on top of it.

    Raises CaseError if the folder has no safetensors, or if a stored tensor is missing or not of this adapter.
    """
    from peft import PeftModel, get_peft_model_state_dict

    weights, fix = folder / ADAPTER_WEIGHTS, "restore the folder from a copy"
    if not weights.is_file():
        # PEFT would look for a pickled file next, and then on the hub.
        raise CaseError("there is no such file", where=str(weights), fix=fix)
    adapted = _read(folder, lambda: PeftModel.from_pretrained(model, folder), trusts_code=True)
    with safe_open(weights, framework="np") as file:
        stored = set(file.keys())
    # PEFT only warns of what is missing, and its values are random numbers.
    wrong = sorted(stored ^ get_peft_model_state_dict(adapted, save_embedding_layers=False).keys())
    if wrong:
        raise CaseError(f"the adapter does not fit its configuration; tensors: {_some(wrong)}", where=str(weights), fix=fix)
    return adapted


def _check_report(folder: Path, report: Mapping[str, Any]) -> None:
    found = {
        "missing": sorted(report["missing_keys"]),
        "not of this model": _without_masks(folder, report["unexpected_keys"]),
        "of another shape": sorted(name for name, *_ in report["mismatched_keys"]),
    }
    told = [f"{len(names)} {what} ({_some(names)})" for what, names in found.items() if names]
    told += [str(message).splitlines()[0] for message in report["error_msgs"][:3]]
    if told:
        raise CaseError(
            f"the weights are not those of the model that config.json describes; tensors: {'; '.join(told)}",
            where=str(folder),
            fix="use the config.json that belongs to the weights, and all of their files",
        )


def _without_masks(folder: Path, names: Iterable[str]) -> list[str]:
    """The names, sorted, without those of causal masks, which GPT-2 and its relatives stored once and now compute.

    transformers itself leaves out what else it knows to be computed now, such as the frequencies of rotary embeddings.
    """
    left = sorted(names)
    if not any(name.endswith("bias") for name in left):
        return left
    shapes = check_weights(folder)
    return [name for name in left if not _is_mask(name, shapes.get(name, ()))]


def _is_mask(name: str, shape: tuple[int, ...]) -> bool:
    """Whether a tensor is a mask over n by n positions, or the number that masked scores are set to; no bias has such a shape."""
    value = name.endswith(".masked_bias") and shape in ((), (1,))
    return value or (name.endswith(".bias") and len(shape) == 4 and shape[:2] == (1, 1) and shape[2] == shape[3])


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")


@contextmanager
def _without_report() -> Iterator[None]:
    """Silences what transformers writes to the log about tensors that do not fit."""
    log = logging.getLogger("transformers")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _read(folder: Path, load: Callable[[], T], trusts_code: bool) -> T:
    """Calls a loader of transformers. Its input is other people's files, so it may raise anything."""
    try:
        return load()
    except MemoryError:
        raise
    except Exception as error:
        if not trusts_code and code_references(folder):
            raise CaseError(
                f"the model cannot be loaded without code that it brings along, which is not run: {first_line(error)}",
                where=str(folder),
                fix="choose a base that transformers itself supports; or read the code, and set model.trust_remote_code: true",
            ) from None
        what = f"transformers cannot load this model: {first_line(error)}"
        raise CaseError(what, where=str(folder), fix="put the folder back as it was published, or choose another base") from None


def first_line(error: Exception) -> str:
    """What an exception of another library says, in one line."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    text = " ".join(line.strip() for line in lines[:2]) if lines[0].endswith(":") else lines[0]
    # A KeyError says nothing but the key.
    return f"no entry for {text}" if isinstance(error, KeyError) else text
