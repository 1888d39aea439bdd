"""Collective operations of the processes of a training; in a single process each of them is the plain operation.

Imports torch, so only the processes that train import this module.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from accelerate.utils import check_cuda_p2p_ib_support

from tuneproof.engine.models.base_model import best_device
from tuneproof.engine.training.distributed.torchrun import STORE_FILE

T = TypeVar("T")

TIMEOUT = timedelta(days=7)
"""How long a collective waits. Ranks wait for the probes of rank 0, however long these take; if a rank dies, the worker ends them all."""


def init_process_group() -> None:
    """Joins the process group of the ranks that torchrun started; call it once in each, before any collective."""
    device, _ = best_device()
    if device.type == "cuda":
        torch.cuda.set_device(device)
        if not check_cuda_p2p_ib_support():
            # GeForce GPUs have no peer-to-peer access, and accelerate refuses to start on them without these.
            os.environ |= {"NCCL_P2P_DISABLE": "1", "NCCL_IB_DISABLE": "1"}
    backend, file = "nccl" if device.type == "cuda" else "gloo", os.environ.get(STORE_FILE)
    if file is None:
        dist.init_process_group(backend, timeout=TIMEOUT)
        return
    rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    dist.init_process_group(backend, timeout=TIMEOUT, store=dist.FileStore(file, ranks), rank=rank, world_size=ranks)


def is_distributed() -> bool:
    """Whether several processes train."""
    return bool(dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1)


def is_rank_zero() -> bool:
    """Whether this process is the one that emits events, probes and writes files."""
    return not is_distributed() or dist.get_rank() == 0


def barrier() -> None:
    """Returns when every rank has come here."""
    if is_distributed():
        dist.barrier()


def from_rank_zero(compute: Callable[[], T]) -> T:
    """What rank 0 computes, pickled and broadcast to every rank."""
    if not is_distributed():
        return compute()
    box: list[Any] = [compute() if is_rank_zero() else None]
    dist.broadcast_object_list(box, src=0)
    value: T = box[0]
    return value


def sum_over_ranks(value: float) -> float:
    """The sum of the value over all ranks."""
    if not is_distributed():
        return value
    summed = torch.tensor(value, dtype=torch.float64, device=best_device()[0])
    dist.all_reduce(summed)
    return float(summed)
