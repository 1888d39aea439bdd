"""The program and the machine: Python, libraries, cores, memory, and the disk of the runs."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from tuneproof.engine.core import disk_space, hardware, memory_limits
from tuneproof.engine.core.memory_limits import LIMITS, MemoryLimit
from tuneproof.engine.doctor.line import Group, Line, good, limited, missing

ENOUGH_DISK, LITTLE_DISK = 20_000_000_000, 1_000_000_000
"""Bytes: a base of 7 billion parameters merged in bfloat16 takes 15 GB, and the run of a sample case 20 MB."""

ENOUGH_MEMORY, LITTLE_MEMORY = 8_000_000_000, 2_000_000_000
"""Bytes: the worker with torch loaded takes about 0.7 GB before it has a model, and a model of 1 billion parameters 4 GB on a CPU."""

DISTRIBUTION = "tuneproof"


def program_lines() -> Iterator[Line]:
    """The program itself and the libraries that it needs."""
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield good(Group.PROGRAM, "tuneproof", f"{version(DISTRIBUTION)}, {system}")
    yield _libraries()


def machine_lines() -> Iterator[Line]:
    """Cores, memory and disk."""
    cores = hardware.usable_cores()
    found = f"{cores} of {os.cpu_count() or cores}"
    if cores > 1:
        yield good(Group.MACHINE, "cores", found)
    else:
        yield limited(Group.MACHINE, "cores", found, "trainings on the CPU are slow: ask for more")
    yield _memory()
    yield disk_line(Group.MACHINE, "disk of the runs", Path("runs"), "start tuneproof in another folder, or give --run-dir")


def _libraries() -> Line:
    """Whether the required libraries are installed in versions that fit."""
    wrong = [problem for text in requires(DISTRIBUTION) or [] if (problem := _unmet(Requirement(text)))]
    if wrong:
        return missing(Group.PROGRAM, "libraries", "; ".join(wrong), "pip install -c constraints.txt . where tuneproof was installed from")
    return good(Group.PROGRAM, "libraries", "all that are required, in versions that fit")


def _unmet(wanted: Requirement) -> str | None:
    if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
        return None
    try:
        installed = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} is not installed"
    fits = wanted.specifier.contains(installed, prereleases=True)
    return None if fits else f"{wanted.name} is {installed}, {wanted.specifier} is needed"


def _memory() -> Line:
    limit, least = memory_limits.tightest_limit(), memory_limits.least_free_memory()
    bound = "" if limit.limit is MemoryLimit.MACHINE else f", by {LIMITS[limit.limit]}"
    found = f"{least.free / 1e9:.1f} of {limit.total / 1e9:.1f} GB free{bound}"
    todo = "end other programs" if limit.limit is MemoryLimit.MACHINE else "raise that limit"
    if least.free < LITTLE_MEMORY:
        return missing(Group.MACHINE, "memory", found, f"{todo}: hardly a model can be loaded")
    if least.free < ENOUGH_MEMORY:
        return limited(Group.MACHINE, "memory", found, f"{todo}, or choose a base below a billion parameters")
    return good(Group.MACHINE, "memory", found)


def disk_line(group: Group, name: str, folder: Path, elsewhere: str) -> Line:
    """The disk of a folder, or of what of its path exists: whether it can be written, and its room."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(os.urandom(1 << 20))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return missing(group, name, f"{existing.absolute()}: {os.strerror(error.errno or 0)}", elsewhere)
    free = disk_space.free_bytes(existing)
    if free is None:
        return limited(group, name, f"{existing.absolute()}: its file system does not say what is free", "watch its quota")
    found = f"{free / 1e9:,.1f} GB free in {existing.absolute()}"
    if free < LITTLE_DISK:
        return missing(group, name, found, f"make room, or {elsewhere}")
    if free < ENOUGH_DISK:
        return limited(group, name, found, f"enough for small bases; for others make room, or {elsewhere}")
    return good(group, name, found)
