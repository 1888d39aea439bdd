"""The machine is described as it is, and an optional library can be looked for or blocked without importing it."""

from __future__ import annotations

import importlib.util
import os
import sys

import pytest

from tuneproof.engine.core.hardware import Gpu, Machine, block_import, detect_machine, gpu_count, is_installed
from tuneproof.engine.core.memory_limits import least_free_memory


def test_the_cores_are_those_this_process_may_use() -> None:
    machine = detect_machine()
    assert machine.cores == len(os.sched_getaffinity(0))
    assert 0 < least_free_memory().free / 2**30 < machine.memory_gib


def test_the_summary_names_the_gpu_or_else_the_cores() -> None:
    assert Machine(cores=2, memory_gib=23.4, gpu=None).summary == "CPU, 2 cores, 23 GiB"
    assert Machine(2, 23.4, Gpu("H100", total_gib=79.6, free_gib=71.2, utilization=3)).summary == "H100  71 of 80 GiB free"


def test_hidden_gpus_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert gpu_count() == 0


def test_a_library_is_installed_or_not() -> None:
    assert is_installed("pydantic") and not is_installed("no-such-library")


def test_a_blocked_library_cannot_be_imported() -> None:
    unused = "this"
    assert importlib.util.find_spec(unused) is not None and unused not in sys.modules
    block_import(unused)
    try:
        with pytest.raises(ImportError):
            importlib.import_module(unused)
    finally:
        del sys.modules[unused]
