"""What this machine has to compute with: read from the system and from NVIDIA's management library, never through torch."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, cast

import psutil

GIB = 1 << 30


@dataclass(frozen=True)
class Gpu:
    """A GPU as it stands: memory in GiB, use in percent of the last sample period."""

    name: str
    total: float
    free: float
    use: int


@dataclass(frozen=True)
class Machine:
    """Cores, memory in GiB, and the first GPU where there is one."""

    cores: int
    memory: float
    gpu: Gpu | None

    @property
    def line(self) -> str:
        """It all in one line."""
        if self.gpu is not None:
            return f"{self.gpu.name}  {self.gpu.free:.0f} of {self.gpu.total:.0f} GiB free"
        return f"CPU, {self.cores} cores, {self.memory:.0f} GiB"


def detect_machine() -> Machine:
    """The machine as it is now; quick enough to be called every few seconds."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    return Machine(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, memory, first_gpu())


def free_memory() -> int:
    """Bytes that this machine can give a process without swapping."""
    return int(psutil.virtual_memory().available)


def has_library(name: str) -> bool:
    """Whether a library that only some methods need is installed; it is not imported."""
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def block_import(library: str) -> None:
    """Makes a library as good as not installed for this process, so that none that would only look for it imports it."""
    # None in sys.modules is Python's own way to block an import.
    sys.modules.setdefault(library, cast(Any, None))


def first_gpu() -> Gpu | None:
    """The first GPU; none where the driver or its library is missing."""
    return _gpu(0)


def fullest_gpu(count: int) -> Gpu | None:
    """Of the first so many GPUs the one that has the least memory free; none where there is no GPU."""
    return min(filter(None, map(_gpu, range(count))), key=lambda gpu: gpu.free, default=None)


def _gpu(index: int) -> Gpu | None:
    library = _library()
    if library is None:
        return None
    with suppress(library.NVMLError):
        handle = library.nvmlDeviceGetHandleByIndex(index)
        memory = library.nvmlDeviceGetMemoryInfo(handle)
        name = library.nvmlDeviceGetName(handle)
        short = (name.decode() if isinstance(name, bytes) else name).removeprefix("NVIDIA ")
        return Gpu(short, memory.total / GIB, memory.free / GIB, int(library.nvmlDeviceGetUtilizationRates(handle).gpu))
    return None


def gpu_count() -> int:
    """The GPUs that a program may use: those of the driver, or as many as CUDA_VISIBLE_DEVICES leaves of them."""
    library = _library()
    if library is None:
        return 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return (
        int(library.nvmlDeviceGetCount())
        if visible is None
        else len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    )


_STARTED: dict[str, Any] = {}


def _library() -> Any | None:
    """NVIDIA's library, started once a process; none where there is no driver."""
    if "nvml" not in _STARTED:
        _STARTED["nvml"] = _start()
    return _STARTED["nvml"]


def _start() -> Any | None:
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml
