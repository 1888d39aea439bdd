"""The cores, memory and GPUs of this machine, from the system and from NVIDIA's management library (NVML), without importing torch."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, cast

from tuneproof.engine.core import memory_limits

GIB = 1 << 30
"""Bytes in a GiB."""


@dataclass(frozen=True)
class Gpu:
    """A GPU and its current load."""

    name: str
    total_gib: float
    free_gib: float
    utilization: int
    """Percent of NVML's last sample period in which a kernel ran."""
    celsius: int | None = None
    """Its temperature; None if the GPU does not tell."""


@dataclass(frozen=True)
class Machine:
    """The machine that this process runs on."""

    cores: int
    """CPU cores that this process may use."""
    memory_gib: float
    """Main memory that this process may use: all of the machine's, or as much as a limit allows."""
    gpu: Gpu | None
    """The first GPU, if there is one."""

    @property
    def summary(self) -> str:
        """The GPU, or else cores and memory, in a few words."""
        if self.gpu is not None:
            return f"{self.gpu.name}  {self.gpu.free_gib:.0f} of {self.gpu.total_gib:.0f} GiB free"
        return f"CPU, {self.cores} cores, {self.memory_gib:.0f} GiB"


def detect_machine() -> Machine:
    """The machine as it is now; quick enough to be called every few seconds."""
    memory = memory_limits.tightest_limit().total / GIB
    return Machine(usable_cores(), memory, first_gpu())


def usable_cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_installed(library: str) -> bool:
    """Whether an optional library is installed; it is not imported."""
    try:
        distribution(library)
    except PackageNotFoundError:
        return False
    return True


def block_import(library: str) -> None:
    """Makes `import library` raise ImportError in this process, so that libraries that try the import go on without it."""
    # None in sys.modules is Python's own way to block an import.
    sys.modules.setdefault(library, cast(Any, None))


def first_gpu() -> Gpu | None:
    """The first GPU; None if there is none, or no NVIDIA driver."""
    return _gpu(0)


def gpu_with_least_free_memory(count: int) -> Gpu | None:
    """The one of the first `count` GPUs that has the least free memory; None if there is no GPU."""
    return min(filter(None, map(_gpu, range(count))), key=lambda gpu: gpu.free_gib, default=None)


@dataclass(frozen=True)
class Driver:
    """NVIDIA's driver."""

    version: str
    cuda: tuple[int, int]
    """The newest CUDA that it runs: major and minor version."""
    gpus: int
    """GPUs that it finds, whether a program may use them or not."""


def driver() -> Driver | None:
    """NVIDIA's driver on this machine; None if there is none."""
    nvml = _nvml()
    if nvml is None:
        return None
    version, cuda = nvml.nvmlSystemGetDriverVersion(), int(nvml.nvmlSystemGetCudaDriverVersion())
    text = version.decode() if isinstance(version, bytes) else str(version)
    return Driver(text, (cuda // 1000, cuda % 1000 // 10), int(nvml.nvmlDeviceGetCount()))


def gpu_count() -> int:
    """GPUs that a program may use: those of the machine, or of these the ones that CUDA_VISIBLE_DEVICES lists."""
    nvml = _nvml()
    if nvml is None:
        return 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return int(nvml.nvmlDeviceGetCount())
    return len([name for name in visible.split(",") if name.strip() not in ("", "-1")])


def _gpu(index: int) -> Gpu | None:
    nvml = _nvml()
    if nvml is None:
        return None
    with suppress(nvml.NVMLError):
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        name = nvml.nvmlDeviceGetName(handle)
        short = (name.decode() if isinstance(name, bytes) else name).removeprefix("NVIDIA ")
        return Gpu(
            short, memory.total / GIB, memory.free / GIB, int(nvml.nvmlDeviceGetUtilizationRates(handle).gpu), _celsius(nvml, handle)
        )
    return None


def _celsius(nvml: Any, handle: Any) -> int | None:
    with suppress(nvml.NVMLError):
        return int(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
    return None


@cache
def _nvml() -> Any | None:
    """The module pynvml, initialised once in a process; None if it or the driver is missing."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml
