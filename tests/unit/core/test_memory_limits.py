"""The smallest limit on memory counts: of the machine, of control groups of both versions, of Slurm and of `ulimit`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cgroups import memory_cgroup
from tuneproof.engine.core.memory_limits import FreeMemory, MemoryLimit, cgroup_limits, least_free_memory

LOOK = """
import json
from tuneproof.engine.core.hardware import detect_machine
from tuneproof.engine.core.memory_limits import least_free_memory
least = least_free_memory()
print(json.dumps([least.limit, least.total, least.free, detect_machine().memory_gib]))
"""
MIB = 1 << 20


def seen(command: list[str], env: Mapping[str, str] | None = None) -> tuple[MemoryLimit, int, int, float]:
    """What a process with the limits of the command sees: the limit, its size, what is free of it, and the machine's GiB."""
    out = subprocess.run(
        [*command, sys.executable, "-c", LOOK], env={**os.environ, **(env or {})}, capture_output=True, text=True, check=True
    )
    limit, total, free, gib = json.loads(out.stdout)
    return MemoryLimit(limit), total, free, gib


def test_the_limit_of_a_real_control_group_is_what_a_process_in_it_can_get() -> None:
    with memory_cgroup(900 * MIB) as group:
        limit, total, free, gib = seen(group.command())
    assert (limit, total) == (MemoryLimit.CGROUP, 900 * MIB) and 600 * MIB < free < total
    assert gib == pytest.approx(900 / 1024)


@pytest.mark.parametrize(("option", "expected"), [("-v", MemoryLimit.ADDRESS_SPACE), ("-d", MemoryLimit.DATA)])
def test_a_ulimit_is_seen(option: str, expected: MemoryLimit) -> None:
    limit, total, free, _ = seen(["bash", "-c", f'ulimit {option} {1 << 20}; exec "$@"', "bash"])
    assert (limit, total) == (expected, 1 << 30) and 0 < free < total and expected.per_process


@pytest.mark.parametrize(
    "given",
    [{"SLURM_MEM_PER_NODE": "900"}, {"SLURM_MEM_PER_CPU": "450", "SLURM_CPUS_ON_NODE": "2"}, {"SLURM_MEM_PER_NODE": "900M"}],
)
def test_what_slurm_gives_the_job_is_seen(given: dict[str, str]) -> None:
    limit, total, free, _ = seen([], given)
    assert (limit, total) == (MemoryLimit.SLURM, 900 * MIB) and 700 * MIB < free < total


@pytest.mark.parametrize("nothing", [{"SLURM_MEM_PER_NODE": "0"}, {"SLURM_MEM_PER_CPU": "all"}, {}])
def test_slurm_without_a_limit_changes_nothing(nothing: dict[str, str]) -> None:
    assert seen([], nothing)[0] is least_free_memory().limit


class Kernel:
    """A folder in the place of /proc/self and of the mounted control groups."""

    def __init__(self, folder: Path) -> None:
        self.proc, self.mount = folder / "proc", folder / "cgroup"
        self.proc.mkdir()
        self.mount.mkdir()

    def in_group(self, group: str, mountinfo: str) -> None:
        (self.proc / "cgroup").write_text(group)
        (self.proc / "mountinfo").write_text(mountinfo.replace("MOUNT", str(self.mount)))

    def group(self, path: str, **files: object) -> None:
        folder = self.mount / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / f"memory.{name}").write_text(f"{content}\n")

    def limits(self) -> list[tuple[int, int]]:
        return [(each.total, each.free) for each in cgroup_limits(self.proc)]


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


VERSION_2 = "35 24 0:30 / MOUNT rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"


def test_version_2_every_group_around_the_process_counts_without_what_the_kernel_can_take_back(kernel: Kernel) -> None:
    kernel.in_group("0::/user.slice/run.scope\n", VERSION_2)
    kernel.group("user.slice", max=1000, current=900, stat="anon 500\ninactive_file 200\nactive_file 100\nslab_reclaimable 50")
    kernel.group("user.slice/run.scope", max="max", high=2000, current=100, stat="")
    assert kernel.limits() == [(2000, 1900), (1000, 450)]


def test_version_2_in_a_container_that_sees_only_its_own_group(kernel: Kernel) -> None:
    kernel.in_group("0::/\n", VERSION_2)
    kernel.group("", max=5000, current=1000, stat="inactive_file 0")
    assert kernel.limits() == [(5000, 4000)]


def test_version_1_in_a_container_whose_mount_shows_only_its_own_group(kernel: Kernel) -> None:
    mounts = "42 32 0:39 /docker/af3 MOUNT ro,nosuid master:19 - cgroup cgroup rw,memory\n"
    kernel.in_group("8:cpu,cpuacct:/docker/af3\n4:memory:/docker/af3\n0::/\n", mounts)
    kernel.group("", limit_in_bytes=5000, usage_in_bytes=3000, stat="cache 1\ntotal_inactive_file 700\ntotal_active_file 300")
    assert kernel.limits() == [(5000, 3000)]


def test_version_1_without_a_limit_is_the_largest_number_and_none_for_us(kernel: Kernel) -> None:
    kernel.in_group("4:memory:/\n", "35 31 0:32 / MOUNT rw - cgroup cgroup rw,memory\n")
    kernel.group("", limit_in_bytes=9223372036854771712, usage_in_bytes=3000, stat="")
    assert kernel.limits() == []


@pytest.mark.parametrize("mountinfo", ["", "nonsense\n", "1 2 3 / /nowhere rw - cgroup2 cgroup2 rw\n"])
def test_a_system_without_control_groups_has_no_such_limit(kernel: Kernel, mountinfo: str) -> None:
    kernel.in_group("0::/../elsewhere\n", mountinfo)
    assert kernel.limits() == []


def test_a_limit_of_each_process_is_not_shared_by_several() -> None:
    assert FreeMemory(MemoryLimit.ADDRESS_SPACE, 1000, 800).for_each_of(4) == 800
    assert FreeMemory(MemoryLimit.CGROUP, 1000, 800).for_each_of(4) == 200
