"""Control groups with a memory limit, to run commands in; tests that need one are skipped where none can be made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

VERSION_1 = Path("/sys/fs/cgroup/memory")
VERSION_2 = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class MemoryCgroup:
    """One control group."""

    folder: Path

    def command(self, *words: object) -> list[str]:
        """The command that runs the words as a process of the group."""
        script = f'echo $$ > {self.folder / "cgroup.procs"} && exec "$@"'
        return ["sh", "-c", script, "sh", *map(str, words)]


@contextmanager
def memory_cgroup(limit: int) -> Iterator[MemoryCgroup]:
    """A control group that allows so many bytes; skips the test if this machine or this user cannot make one."""
    version_1 = VERSION_1.is_dir()
    folder = (VERSION_1 if version_1 else VERSION_2) / f"tuneproof-test-{uuid4().hex}"
    names: Sequence[str] = ["memory.limit_in_bytes"] if version_1 else ["memory.max", "memory.swap.max"]
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"NOT TESTED: no control group can be made here: {error}")
    try:
        try:
            (folder / names[0]).write_text(str(limit))
        except OSError as error:
            pytest.skip(f"NOT TESTED: control groups have no memory limit here: {error}")
        for name in names[1:]:
            # A machine without swap may have no such file.
            with suppress(OSError):
                (folder / name).write_text("0")
        yield MemoryCgroup(folder)
    finally:
        folder.rmdir()
