"""Checks of the method and its settings before a run starts: excluded methods, and what a method or a machine cannot do."""

from __future__ import annotations

from collections.abc import Iterable

from tuneproof.engine.case.evaluate import MethodToCompare
from tuneproof.engine.case.training import MethodChoice, Sharding, Training
from tuneproof.engine.core import hardware
from tuneproof.engine.core.errors import CaseError, GateClosed
from tuneproof.engine.methods import defaults
from tuneproof.engine.methods.method import Ability, MethodSpec, Quantisation
from tuneproof.engine.methods.registry import FULL, METHODS

INT8_MERGE = "merging it into an int8 base gives wrong outputs and raises no error (logits off by more than 1, measured with PEFT 0.21)"
NO_NF4 = "it fails on a 4-bit base (measured with PEFT 0.21)"
EXCLUDED_METHODS = {
    **dict.fromkeys(("c3a", "hra", "deft", "peanut"), INT8_MERGE),
    **dict.fromkeys(("loha", "lokr", "delora", "glora", "psoft", "osf", "frod", "tinylora", "supertuning"), NO_NF4),
    "fourierft": "it answered no question of PEFT's comparison correctly",
    "unilora": "its loss did not fall in training (measured with PEFT 0.21)",
    "adalora": "it reached 37.3 % in PEFT's comparison, LoRA 47.8 %",
}
"""Methods of PEFT that the registry leaves out, each with the reason."""

FOUR_BIT_ON_CPU = (
    "4-bit weights do not train correctly on a CPU: a forward pass in eval mode, such as a probe, repacks them in place, and later "
    "gradients are wrong (cosine 0.55 to the right ones, measured with bitsandbytes 0.50)"
)


def unknown_method(name: str, where: str, known: Iterable[str]) -> CaseError:
    """The error for a method name that is not one of `known`; `where` is the key of the case that has it."""
    why = EXCLUDED_METHODS.get(name)
    what = f"`{name}` is not offered: {why}" if why else f"`{name}` is not a method that this version trains"
    return CaseError(what, where=where, fix=f"use {', '.join(known)}")


def may_need_bitsandbytes(name: str) -> bool:
    """Whether training with this method may use bitsandbytes: for a quantised base or an 8-bit optimizer. True for `auto`."""
    method = METHODS.get(name)
    return method is None or method.quantisation is not None or method is FULL


def unavailable_reason(method: MethodSpec) -> str | None:
    """Why this machine cannot train the method; None if it can."""
    if method.quantisation is None:
        return None
    if method.quantisation is Quantisation.NF4 and hardware.first_gpu() is None:
        return FOUR_BIT_ON_CPU
    return None if hardware.is_installed("bitsandbytes") else "bitsandbytes is not installed: pip install 'tuneproof[quantised]'"


def check_method_settings(given: Training | MethodToCompare, method: MethodSpec, where: str) -> None:
    """Raises CaseError for a setting that the method does not have."""
    has = {"rank": method.rank, "alpha": method.alpha_by_rank, "virtual_tokens": method.virtual_tokens}
    for key, default in has.items():
        if getattr(given, key) is not None and default is None:
            raise CaseError(f"{method.name} has no `{key}`", where=f"{where}.{key}", fix="leave it out")


def check_method(choice: MethodChoice, training: Training, method: MethodSpec) -> None:
    """Checks a method against the training settings and this machine.

    Raises CaseError for a setting that the method does not have, and GateClosed if the method or this machine cannot do what is asked.
    """
    check_method_settings(training, method, "training")
    if training.packing and not method.supports(Ability.PACKING):
        why = method.unsupported[Ability.PACKING]
        fix = "leave out training.packing, or choose another method"
        raise GateClosed(f"{method.name} cannot be trained on packed rows: {why}", where="training.packing", fix=fix)
    if training.packing and training.group_by_length:
        raise CaseError(
            "packed rows have no padding, so grouping by length saves nothing",
            where="training.group_by_length",
            fix="leave out one of the two",
        )
    _check_processes(training)
    _check_sharding(training, method)
    refused = unavailable_reason(method)
    if refused is not None:
        raise GateClosed(f"{method.name} cannot be trained here: {refused}", where=f"method.name: {choice.name}", fix="use lora")


def _check_processes(training: Training) -> None:
    batch_size = training.batch_size or int(defaults.BATCH_SIZE.value)
    processes, gpus = training.processes, hardware.gpu_count()
    if batch_size < processes:
        fix = "use fewer processes, or raise training.batch_size"
        raise GateClosed(f"{processes} processes cannot share a batch of {batch_size}", where="training.processes", fix=fix)
    # A Slurm job checks the GPUs of its own node.
    if training.job is None and 0 < gpus < processes:
        fix = f"use at most {gpus} per machine"
        raise GateClosed(f"{processes} processes need a GPU each, and there are {gpus}", where="training.processes", fix=fix)


def _check_sharding(training: Training, method: MethodSpec) -> None:
    if training.sharding is not Sharding.FULL:
        return
    if training.processes == 1:
        fix = "set training.processes to as many as there are GPUs, or leave training.sharding out"
        raise CaseError("a single process cannot shard the model", where="training.sharding: full", fix=fix)
    why = method.unsupported.get(Ability.SHARDING)
    if why is not None:
        raise GateClosed(f"{method.name} cannot be sharded: {why}", where="training.sharding: full", fix="leave it out, or use lora")
