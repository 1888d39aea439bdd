"""The memory that this process can still get: the least of what the machine has free and of every limit that is set on the process.

A machine with 24 GB free kills a process in a container of 1 GB all the same. These limits are read: control groups of both versions
(Linux, `admin-guide/cgroup-v2.rst` and `cgroup-v1/memory.rst`), which containers, systemd and most Slurm clusters use; what Slurm gave the
job; and the resource limits of the shell (`ulimit`).
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

PROC = Path("/proc/self")

UNLIMITED = 1 << 60
"""Bytes from which on a limit is none: version 1 writes the largest multiple of a page instead of `max`."""

MEBIBYTE = 1 << 20
"""What Slurm counts in, where it says M and where it says nothing."""

SLURM_UNITS = {"K": 1 << 10, "M": MEBIBYTE, "G": 1 << 30, "T": 1 << 40}


class MemoryLimit(StrEnum):
    """What bounds the memory of a process."""

    MACHINE = "machine"
    CGROUP = "cgroup"
    SLURM = "slurm"
    ADDRESS_SPACE = "address_space"
    """`ulimit -v`: RLIMIT_AS."""
    DATA = "data"
    """`ulimit -d`: RLIMIT_DATA."""

    @property
    def per_process(self) -> bool:
        """Whether each process has as much for itself, so that several do not share it."""
        return self in (MemoryLimit.ADDRESS_SPACE, MemoryLimit.DATA)


SOURCES = {
    MemoryLimit.MACHINE: "free on this machine",
    MemoryLimit.CGROUP: "free of the {} that the limit of its container or control group allows",
    MemoryLimit.SLURM: "free of the {} that Slurm gives the job",
    MemoryLimit.ADDRESS_SPACE: "free of the {} that `ulimit -v` allows",
    MemoryLimit.DATA: "free of the {} that `ulimit -d` allows",
}
"""Where a number of free bytes comes from, in words, with the size of the limit."""

LIMITS = {
    MemoryLimit.MACHINE: "all that the machine has",
    MemoryLimit.CGROUP: "the limit of its container or control group",
    MemoryLimit.SLURM: "what Slurm gives the job",
    MemoryLimit.ADDRESS_SPACE: "`ulimit -v`",
    MemoryLimit.DATA: "`ulimit -d`",
}
"""The limits themselves, in words."""


@dataclass(frozen=True)
class FreeMemory:
    """What is left of one limit, in bytes."""

    limit: MemoryLimit
    total: int
    """The limit itself."""
    free: int

    @property
    def source(self) -> str:
        """Where the free bytes come from, in words."""
        return SOURCES[self.limit].format(f"{self.total / 1e9:.2f} GB")

    def for_each_of(self, processes: int) -> float:
        """The bytes that each of so many processes can get."""
        return self.free if self.limit.per_process else self.free / processes


def least_free_memory(processes: int = 1) -> FreeMemory:
    """What leaves the least to each of so many processes of this machine."""
    return min([_machine(), *limits_in_force()], key=lambda each: each.for_each_of(processes))


def tightest_limit() -> FreeMemory:
    """The limit that allows this process the least main memory, were all of it free."""
    return min((_machine(), *limits_in_force()), key=lambda each: each.total)


def limits_in_force() -> list[FreeMemory]:
    """Every limit on the memory of this process besides the machine itself."""
    return [*cgroup_limits(), *_slurm_limits(), *_resource_limits()]


def _machine() -> FreeMemory:
    memory = psutil.virtual_memory()
    return FreeMemory(MemoryLimit.MACHINE, int(memory.total), int(memory.available))


def cgroup_limits(proc: Path = PROC) -> list[FreeMemory]:
    """The memory limits of this process's control group and of those around it; `proc` is the folder of a process under /proc."""
    found = []
    for folder in _memory_cgroups(proc):
        files = CGROUP_FILES[(folder / "memory.limit_in_bytes").exists()]
        limits = [limit for name in files.limits if (limit := _number(folder / name)) is not None and limit < UNLIMITED]
        if limits:
            used = (_number(folder / files.usage) or 0) - _reclaimable(folder / "memory.stat", files.page_cache)
            found.append(FreeMemory(MemoryLimit.CGROUP, min(limits), max(0, min(limits) - max(0, used))))
    return found


@dataclass(frozen=True)
class CgroupFiles:
    """The names that one version of control groups has for the same facts."""

    limits: tuple[str, ...]
    usage: str
    page_cache: tuple[str, ...]
    """Keys of `memory.stat` for what the kernel takes back before it kills."""


CGROUP_FILES = {
    # Above memory.high nothing is killed, but every allocation is slowed down until it makes no progress.
    False: CgroupFiles(("memory.max", "memory.high"), "memory.current", ("inactive_file", "active_file", "slab_reclaimable")),
    True: CgroupFiles(("memory.limit_in_bytes",), "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")),
}
"""By whether it is version 1."""


def _memory_cgroups(proc: Path) -> Iterator[Path]:
    """The folders of the control groups that count this process's memory, the innermost first."""
    groups = [line.split(":", 2) for line in _lines(proc / "cgroup") if line.count(":") >= 2]
    for version_1, (mounted, top) in _cgroup_mounts(proc):
        ours = next((path for _, controllers, path in groups if ("memory" in controllers.split(",")) == version_1), None)
        if ours is None or (not version_1 and not any(controllers == "" for _, controllers, _ in groups)):
            continue
        # In a container the mount shows only the part of the tree below the container's own group.
        inside = Path(ours.lstrip("/"))
        with suppress(ValueError):
            inside = Path("/", ours.lstrip("/")).relative_to(top)
        innermost = mounted / inside if ".." not in inside.parts and (mounted / inside).is_dir() else mounted
        yield from (folder for folder in (innermost, *innermost.parents) if folder.is_relative_to(mounted))


def _cgroup_mounts(proc: Path) -> Iterator[tuple[bool, tuple[Path, str]]]:
    """Whether it is version 1, where it is mounted, and which group is at its top, of every mounted hierarchy that can limit memory."""
    for line in _lines(proc / "mountinfo"):
        before, separator, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if not separator or len(fields) < 5 or len(kind) < 3:
            continue
        version_1 = kind[0] == "cgroup" and "memory" in kind[2].split(",")
        if version_1 or kind[0] == "cgroup2":
            yield version_1, (Path(_unescaped(fields[4])), _unescaped(fields[3]))


def _unescaped(path: str) -> str:
    """A path of mountinfo, where a space is written as its octal code."""
    return path.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def _reclaimable(stat: Path, keys: tuple[str, ...]) -> int:
    values = dict(line.split(" ", 1) for line in _lines(stat) if " " in line)
    return sum(int(values[key]) for key in keys if values.get(key, "").strip().isdigit())


def _slurm_limits() -> list[FreeMemory]:
    """What Slurm gave the job on this node; a value of 0 means all that the node has."""
    total = _slurm_bytes("SLURM_MEM_PER_NODE")
    per_cpu, cpus = _slurm_bytes("SLURM_MEM_PER_CPU"), os.environ.get("SLURM_CPUS_ON_NODE", "")
    if not total and per_cpu:
        total = per_cpu * (int(cpus) if cpus.isdigit() and int(cpus) > 0 else os.cpu_count() or 1)
    return [FreeMemory(MemoryLimit.SLURM, total, max(0, total - _resident_with_children()))] if total else []


def _slurm_bytes(variable: str) -> int:
    text = os.environ.get(variable, "").strip().upper()
    digits = text.rstrip("KMGT")
    return int(digits) * SLURM_UNITS.get(text[len(digits) :], MEBIBYTE) if digits.isdigit() else 0


def _resident_with_children() -> int:
    """The resident set sizes of this process and of all that it started, in bytes."""
    total, me = 0, psutil.Process()
    for process in (me, *me.children(recursive=True)):
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def _resource_limits() -> list[FreeMemory]:
    found = []
    for limit, number, used in (
        (MemoryLimit.ADDRESS_SPACE, resource.RLIMIT_AS, "VmSize"),
        (MemoryLimit.DATA, resource.RLIMIT_DATA, "VmData"),
    ):
        total, _ = resource.getrlimit(number)
        if total != resource.RLIM_INFINITY and total < UNLIMITED:
            found.append(FreeMemory(limit, total, max(0, total - _status_bytes(used))))
    return found


def _status_bytes(key: str) -> int:
    """A size of /proc/self/status, in bytes; 0 on a system without it."""
    found = [line.split() for line in _lines(PROC / "status") if line.startswith(f"{key}:")]
    return int(found[0][1]) * 1024 if found and found[0][1].isdigit() else 0


def kernel_oom_kills() -> int | None:
    """How many processes the kernel has killed for want of memory since the machine started; None if it does not say."""
    found = [line.split() for line in _lines(Path("/proc/vmstat")) if line.startswith("oom_kill ")]
    return int(found[0][1]) if found else None


def boot_id() -> str:
    """Which start of the machine this is."""
    return "".join(_lines(Path("/proc/sys/kernel/random/boot_id"))).strip() or f"{psutil.boot_time():.0f}"


def _number(path: Path) -> int | None:
    """The number in a file; None if there is no file, or the word `max`."""
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdigit() else None


def _lines(path: Path) -> list[str]:
    """The lines of a file of the kernel; none if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
