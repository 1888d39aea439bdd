"""A limit of the machine is distinguished from a defect, whatever class and words a library reports it with."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tuneproof.engine.core.errors import DiskFull, OutOfMemory, RunFailed, TuneproofError, UsageError
from tuneproof.engine.run.limits import is_out_of_memory, machine_limit


@pytest.mark.parametrize(
    ("error", "limit"),
    [
        (MemoryError(), OutOfMemory),
        (OSError(errno.ENOMEM, "cannot fork"), OutOfMemory),
        (RuntimeError("CUDA out of memory. Tried to allocate 20 MiB"), OutOfMemory),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), OutOfMemory),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), OutOfMemory),
        (OSError(errno.ENOSPC, "no space"), DiskFull),
        (PermissionError(errno.EACCES, "denied"), UsageError),
    ],
)
def test_each_limit_has_its_own_error(error: Exception, limit: type[TuneproofError]) -> None:
    assert type(machine_limit(error, Path("run"))) is limit


def test_a_defect_is_no_limit() -> None:
    assert machine_limit(ValueError("memory of an elephant"), Path("run")) is None
    assert machine_limit(ImportError("a.so: failed to map segment from shared object: Operation not permitted"), Path("run")) is None


def test_an_error_about_memory_is_recognised_whatever_it_says() -> None:
    assert is_out_of_memory(OutOfMemory("no room for one row"))
    assert not is_out_of_memory(RunFailed("the loss is not finite"))
