"""NVIDIA's library of a machine with one GPU, for tests on machines without: the real one says nothing there."""

from __future__ import annotations

import os
from types import SimpleNamespace

NVML_TEMPERATURE_GPU = 0


class NVMLError(Exception):
    """The error of the real library."""


def nvmlInit() -> None:
    """Always works."""


def nvmlSystemGetDriverVersion() -> str:
    return "580.65.06"


def nvmlSystemGetCudaDriverVersion() -> int:
    return int(os.environ.get("TEST_DRIVER_CUDA", "13000"))


def nvmlDeviceGetCount() -> int:
    return int(os.environ.get("TEST_GPUS", "1"))


def nvmlDeviceGetHandleByIndex(index: int) -> int:
    if index >= nvmlDeviceGetCount():
        raise NVMLError
    return index


def nvmlDeviceGetMemoryInfo(handle: int) -> SimpleNamespace:
    return SimpleNamespace(total=80 << 30, free=int(os.environ.get("TEST_FREE_GIB", "79")) << 30)


def nvmlDeviceGetName(handle: int) -> str:
    return "NVIDIA H100 80GB HBM3"


def nvmlDeviceGetUtilizationRates(handle: int) -> SimpleNamespace:
    return SimpleNamespace(gpu=0)


def nvmlDeviceGetTemperature(handle: int, sensor: int) -> int:
    return 40
