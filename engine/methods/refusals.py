"""What is refused before anything is run, each with its reason: methods that fail or mislead, and what a method or a machine cannot do."""

from __future__ import annotations

from collections.abc import Iterable

from tuneproof.engine.case.evaluate import MethodToCompare
from tuneproof.engine.case.training import MethodChoice, Sharding, Training
from tuneproof.engine.core import hardware
from tuneproof.engine.core.errors import CaseError, GateClosed
from tuneproof.engine.methods import defaults
from tuneproof.engine.methods.method import Ability, MethodSpec, Quantisation
from tuneproof.engine.methods.registry import FULL, METHODS

INT8_MERGE = "merged into an int8 base it answers wrongly without a word (logits off by more than 1, measured with PEFT 0.21)"
NO_NF4 = "it fails on a 4-bit base (measured with PEFT 0.21)"
EXCLUDED_METHODS = {
    **dict.fromkeys(("c3a", "hra", "deft", "peanut"), INT8_MERGE),
    **dict.fromkeys(("loha", "lokr", "delora", "glora", "psoft", "osf", "frod", "tinylora", "supertuning"), NO_NF4),
    "fourierft": "it had no question right in PEFT's comparison",
    "unilora": "its loss did not fall in training (measured with PEFT 0.21)",
    "adalora": "it had 37.3 % where LoRA had 47.8 % in PEFT's comparison",
}
"""Methods that PEFT has and the catalogue leaves out, and why."""

FOUR_BIT_ON_CPU = (
    "4-bit weights train wrongly on a CPU: a forward pass in eval mode, as every probe is one, repacks them in place, and the gradients "
    "after it point elsewhere (cosine 0.55, measured with bitsandbytes 0.50)"
)


def unknown_method(name: str, where: str, known: Iterable[str]) -> CaseError:
    """The error for a method that is not among those that can stand there."""
    why = EXCLUDED_METHODS.get(name)
    told = f"`{name}` is not offered: {why}" if why else f"`{name}` is no method this version trains"
    return CaseError(told, where=where, fix=f"use {', '.join(known)}")


def may_need_bitsandbytes(name: str) -> bool:
    """Whether training by the method of this name may use it: for a quantised base, for a smaller optimizer, or as `auto` may choose."""
    method = METHODS.get(name)
    return method is None or method.quantisation is not None or method is FULL


def unavailable_reason(method: MethodSpec) -> str | None:
    """Why this machine cannot train the method; none where it can."""
    if method.quantisation is None:
        return None
    if method.quantisation is Quantisation.NF4 and hardware.first_gpu() is None:
        return FOUR_BIT_ON_CPU
    return None if hardware.is_installed("bitsandbytes") else "bitsandbytes is not installed: pip install 'tuneproof[quantised]'"


def check_method_settings(asked: Training | MethodToCompare, method: MethodSpec, where: str) -> None:
    """Raises CaseError for a setting that the method has not."""
    has = {"rank": method.rank, "alpha": method.alpha_by_rank, "virtual_tokens": method.virtual_tokens}
    for key, default in has.items():
        if getattr(asked, key) is not None and default is None:
            raise CaseError(f"{method.name} has no `{key}`", where=f"{where}.{key}", fix="leave it out")


def check_method(choice: MethodChoice, training: Training, method: MethodSpec) -> None:
    """Raises CaseError for a setting that the method has not, and GateClosed where it cannot do what is asked, or this machine cannot."""
    check_method_settings(training, method, "training")
    if training.packing and not method.supports(Ability.PACKING):
        why = method.unsupported[Ability.PACKING]
        fix = "leave out training.packing, or choose another method"
        raise GateClosed(f"{method.name} cannot be trained on packed rows: {why}", where="training.packing", fix=fix)
    if training.packing and training.group_by_length:
        raise CaseError("packed rows have no padding to spare", where="training.group_by_length", fix="leave out one of the two")
    _check_processes(training)
    _check_sharding(training, method)
    refused = unavailable_reason(method)
    if refused is not None:
        raise GateClosed(f"{method.name} cannot be trained here: {refused}", where=f"method.name: {choice.name}", fix="use lora")


def _check_processes(training: Training) -> None:
    batch, wanted, gpus = training.batch_size or int(defaults.BATCH_SIZE.value), training.processes, hardware.gpu_count()
    if batch < wanted:
        fix = "ask for fewer, or raise training.batch_size"
        raise GateClosed(f"{wanted} processes cannot share a batch of {batch}", where="training.processes", fix=fix)
    # A job is looked at again on a node of its own.
    if training.job is None and 0 < gpus < wanted:
        fix = f"set it to {gpus} at most for each machine"
        raise GateClosed(f"{wanted} processes need a GPU each, and there are {gpus}", where="training.processes", fix=fix)


def _check_sharding(training: Training, method: MethodSpec) -> None:
    if training.sharding is not Sharding.FULL:
        return
    if training.processes == 1:
        fix = "set training.processes to as many as there are GPUs, or leave training.sharding out"
        raise CaseError("one process has nobody to divide the model with", where="training.sharding: full", fix=fix)
    why = method.unsupported.get(Ability.SHARDING)
    if why is not None:
        raise GateClosed(
            f"{method.name} cannot be divided among processes: {why}", where="training.sharding: full", fix="leave it out, or use lora"
        )
