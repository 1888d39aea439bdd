"""What the processes of one training do together; where there is but one, it simply does it.

Imports torch, so only the worker and the processes that it starts import this module.
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

Made = TypeVar("Made")

TIMEOUT = timedelta(days=7)
"""How long processes wait for each other at most: for a probe of the first, and whoever started them ends them when one is gone."""


def init_process_group() -> None:
    """Brings the processes together that torchrun started; to be called once in each, before anything else here."""
    device, _ = best_device()
    if device.type == "cuda":
        torch.cuda.set_device(device)
        if not check_cuda_p2p_ib_support():
            # GPUs for games cannot write into each other's memory, and accelerate refuses them without these.
            os.environ |= {"NCCL_P2P_DISABLE": "1", "NCCL_IB_DISABLE": "1"}
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=TIMEOUT)


def is_distributed() -> bool:
    """Whether this process trains beside others."""
    return bool(dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1)


def is_rank_zero() -> bool:
    """Whether this is the process that tells, probes and writes."""
    return not is_distributed() or dist.get_rank() == 0


def barrier() -> None:
    """Returns when every process has come here."""
    if is_distributed():
        dist.barrier()


def from_rank_zero(make: Callable[[], Made]) -> Made:
    """What the first process makes, in every process; the others wait for it."""
    if not is_distributed():
        return make()
    held: list[Any] = [make() if is_rank_zero() else None]
    dist.broadcast_object_list(held, src=0)
    made: Made = held[0]
    return made


def sum_over_ranks(count: float) -> float:
    """The count summed over the processes."""
    if not is_distributed():
        return count
    summed = torch.tensor(count, dtype=torch.float64, device=best_device()[0])
    dist.all_reduce(summed)
    return float(summed)
