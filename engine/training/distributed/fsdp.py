"""Sharding a model among the processes that train it, by torch's FSDP2: each rank gathers a layer only while the layer runs.

Parameters outside the layers (embeddings, last norm, LM head) belong to the root module and stay gathered for a whole step. Gradients and
optimizer state are sharded as the weights are. What is saved is not sharded: it is what a single process would have saved.

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
from tuneproof.engine.training.distributed.collectives import T, from_rank_zero, is_rank_zero

DONE = -1
"""What rank 0 broadcasts in place of a layer's index when it has finished."""


def shard(model: Any) -> None:
    """Leaves each rank its shard of every parameter, on its own device; before, all ranks must have the same weights, on any device.

    Raises GateClosed for a model that does not name its layers (`_no_split_modules`), and if torch is too old.
    """
    if not hasattr(FSDPModule, "reset_iter_state"):
        raise GateClosed(
            f"torch {torch.__version__} cannot generate with a sharded model during training",
            where="training.sharding",
            fix="install torch 2.13, or set it to none",
        )
    mesh = init_device_mesh(best_device()[0].type, (dist.get_world_size(),))
    for layer in _layers(model):
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)


def _layers(model: Any) -> list[Any]:
    base = getattr(model, "get_base_model", lambda: model)()
    kinds = set(base._no_split_modules or [])
    layers = [module for module in model.modules() if type(module).__name__ in kinds]
    if not layers:
        raise GateClosed(
            f"this model ({base.config.model_type}) does not name its layers, so it cannot be sharded",
            where="training.sharding",
            fix="set it to none",
        )
    return layers


def run_on_rank_zero(model: Any, compute: Callable[[], T]) -> T:
    """What rank 0 computes with a sharded model, broadcast to every rank.

    Only rank 0 generates. Before a layer runs, it broadcasts the layer's index, and the other ranks contribute their shards. So a rank
    needs memory for one gathered layer and the root's parameters, and rank 0 also for what it computes. Call it in every rank, between two
    steps.
    """
    layers = [module for module in model.modules() if isinstance(module, FSDPModule) and module is not model]
    computed: list[T] = []
    with gathered_root(model):
        if is_rank_zero():
            computed.append(_announcing_layers(layers, compute))
        else:
            _contribute_layers(layers)
    return from_rank_zero(lambda: computed[0])


@contextmanager
def gathered_root(model: Any) -> Iterator[None]:
    """Gathers the parameters outside the layers in every rank; enter and leave it in all ranks, between two steps."""
    model.unshard()
    yield
    # FSDP prefetches the layers of the last forward pass in the next backward pass. Rank 0 alone would do so, and all would wait forever.
    model.reset_iter_state()


def _announcing_layers(layers: list[Any], compute: Callable[[], T]) -> T:
    # Before FSDP's own hook, which gathers the layer.
    hooks = [layer.register_forward_pre_hook(partial(_announce, index), prepend=True) for index, layer in enumerate(layers)]
    computed = compute()
    for hook in hooks:
        hook.remove()
    _announce(DONE)
    return computed


def _contribute_layers(layers: list[Any]) -> None:
    while (index := _announced()) != DONE:
        layers[index].unshard()
        layers[index].reshard()


def _announce(index: int, *_: Any) -> None:
    dist.broadcast(torch.tensor(index, device=best_device()[0]), src=0)


def _announced() -> int:
    index = torch.tensor(DONE, device=best_device()[0])
    dist.broadcast(index, src=0)
    return int(index)


@torch.no_grad()
def full_state_dict(model: Any) -> dict[str, torch.Tensor]:
    """The state dict of a sharded model with every trained parameter gathered on rank 0, in host memory; call it in every rank.

    Frozen parameters stay sharded, and trained ones are None in the other ranks.
    """
    parameters = dict(model.named_parameters(remove_duplicate=False))
    # By parameter, not by name: an LM head tied to the embeddings must stay one tensor.
    gathered = {id(parameter): _gathered(parameter) for parameter in model.parameters() if parameter.requires_grad}
    return {name: gathered.get(id(parameters.get(name)), value) for name, value in model.state_dict().items()}


def save_optimizer_state(optimizer: Any, file: Path) -> None:
    """Writes the state of a sharded optimizer as a single process would; call it in every rank."""
    saved = optimizer.state_dict()
    saved["state"] = {at: {key: _gathered(value) for key, value in state.items()} for at, state in saved["state"].items()}
    if is_rank_zero():
        torch.save(saved, file)


def load_optimizer_state(optimizer: Any, file: Path) -> None:
    """Loads this rank's shard of a state that `save_optimizer_state`, or a single process, has written."""
    # Memory-mapped: each rank reads its own shard of the file.
    saved = torch.load(file, map_location="cpu", mmap=True, weights_only=True)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for at, state in saved["state"].items():
        saved["state"][at] = {key: _sharded_like(parameters[at], value) for key, value in state.items()}
    optimizer.load_state_dict(saved)


def _gathered(value: Any) -> Any:
    """A sharded tensor as a whole, in host memory of rank 0 and None in other ranks; anything else as it is."""
    if not isinstance(value, DTensor):
        return value
    full = value.full_tensor()
    return full.cpu() if is_rank_zero() else None


def _sharded_like(parameter: DTensor, value: Any) -> Any:
    """A tensor of the parameter's shape, sharded as the parameter is; anything else as it is."""
    if not isinstance(value, torch.Tensor) or value.shape != parameter.shape:
        return value
    return distribute_tensor(value, parameter.device_mesh, parameter.placements, src_data_rank=None)
