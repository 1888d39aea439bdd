"""A model whose weights are divided among the processes that train it, by torch's FSDP2: each gathers a layer while it needs it.

What stands around the layers, embeddings, last norm and output matrix, is gathered for a whole step. Gradients and the state of an
optimizer are divided as the weights are. What is saved is whole, as one process would have saved it.

Imports torch, so only the processes that train import this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from tuneproof.engine.core.errors import GateClosed
from tuneproof.engine.models.base_model import best_device
from tuneproof.engine.training.distributed.collectives import Made, from_rank_zero, is_rank_zero

DONE = -1
"""What the first process says in place of a layer when it is done."""


def shard(model: Any) -> None:
    """Leaves each process its share of the weights, on its own device; they have to be the same in all, and may lie elsewhere.

    Raises GateClosed for a model that does not say what its layers are, and where torch is too old.
    """
    if not hasattr(FSDPModule, "reset_iter_state"):
        raise GateClosed(
            f"torch {torch.__version__} cannot have one process answer with a divided model between two steps",
            where="training.sharding",
            fix="install torch 2.13, or set it to none",
        )
    mesh = init_device_mesh(best_device()[0].type, (dist.get_world_size(),))
    for layer in _layers(model):
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)


def _layers(model: Any) -> list[Any]:
    plain = getattr(model, "get_base_model", lambda: model)()
    kinds = set(plain._no_split_modules or [])
    layers = [module for module in model.modules() if type(module).__name__ in kinds]
    if not layers:
        kind = plain.config.model_type
        raise GateClosed(
            f"this model ({kind}) does not say what its layers are, by which it would be divided",
            where="training.sharding",
            fix="set it to none",
        )
    return layers


def run_on_rank_zero(model: Any, make: Callable[[], Made]) -> Made:
    """What the first process makes of a divided model, in every process; the others give their share of each layer that it runs.

    So it needs memory for what it makes, for one layer, and for what stands around the layers.
    """
    units = [module for module in model.modules() if isinstance(module, FSDPModule) and module is not model]
    made: list[Made] = []
    with gathered_root(model):
        if is_rank_zero():
            made.append(_leading(units, make))
        else:
            _following(units)
    return from_rank_zero(lambda: made[0])


@contextmanager
def gathered_root(model: Any) -> Iterator[None]:
    """Has in every process, whole, what stands around the layers of a divided model; to be entered and left in all, between two steps."""
    model.unshard()
    yield
    # Layers that only the first process has run would be gathered by it alone ahead of the next backward pass, and all wait for ever.
    model.reset_iter_state()


def _leading(units: list[Any], make: Callable[[], Made]) -> Made:
    # Before the hook of FSDP, which gathers the layer.
    hooks = [unit.register_forward_pre_hook(partial(_say, at), prepend=True) for at, unit in enumerate(units)]
    made = make()
    for hook in hooks:
        hook.remove()
    _say(DONE)
    return made


def _following(units: list[Any]) -> None:
    while (at := _hear()) != DONE:
        units[at].unshard()
        units[at].reshard()


def _say(at: int, *_: Any) -> None:
    dist.broadcast(torch.tensor(at, device=best_device()[0]), src=0)


def _hear() -> int:
    said = torch.tensor(DONE, device=best_device()[0])
    dist.broadcast(said, src=0)
    return int(said)


@torch.no_grad()
def full_state_dict(model: Any) -> dict[str, torch.Tensor]:
    """What a model would say of its weights, with all that learned gathered in memory of the host; to be called in every process.

    Only in the first they are whole, and of a base that does not learn it has its share alone.
    """
    parameters = dict(model.named_parameters(remove_duplicate=False))
    # By the parameter: embeddings that are also the output matrix must stay one.
    whole = {id(parameter): _gathered(parameter) for parameter in model.parameters() if parameter.requires_grad}
    return {name: whole.get(id(parameters.get(name)), held) for name, held in model.state_dict().items()}


def save_optimizer_state(optimizer: Any, file: Path) -> None:
    """Writes the state of a divided optimizer as that of one process; to be called in every process."""
    told = optimizer.state_dict()
    told["state"] = {at: {key: _gathered(value) for key, value in state.items()} for at, state in told["state"].items()}
    if is_rank_zero():
        torch.save(told, file)


def load_optimizer_state(optimizer: Any, file: Path) -> None:
    """Takes this process's share of what `save_optimizer_state`, or one process, has written."""
    # Each reads its share of the file alone.
    told = torch.load(file, map_location="cpu", mmap=True, weights_only=True)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for at, state in told["state"].items():
        told["state"][at] = {key: _share(value, parameters[at]) for key, value in state.items()}
    optimizer.load_state_dict(told)


def _gathered(value: Any) -> Any:
    """In memory of the host; in the others than the first process there is no need of it."""
    if not isinstance(value, DTensor):
        return value
    whole = value.full_tensor()
    return whole.cpu() if is_rank_zero() else None


def _share(value: Any, parameter: DTensor) -> Any:
    if not isinstance(value, torch.Tensor) or value.shape != parameter.shape:
        return value
    return distribute_tensor(value, parameter.device_mesh, parameter.placements, src_data_rank=None)
