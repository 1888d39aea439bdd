"""A fault at one file operation of this process, chosen by its number: only the operations that change a run folder are counted.

Environment variables say which, so that they reach a worker too. Python reports most operations to an audit hook; writes and syncs it does
not, so that these functions are replaced. What libraries write in C++ or Rust is not seen: faults at random times reach that.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

PROGRAM, NUMBER, FAULT, FOLDER, RECORD = "FAULTS_PROGRAM", "FAULTS_NUMBER", "FAULTS_FAULT", "FAULTS_FOLDER", "FAULTS_RECORD"

CHANGES = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.truncate", "os.link", "os.symlink", "fcntl.flock")
"""The audit events of operations that change files; `open` only with flags to write."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Program(StrEnum):
    """Which process has the fault."""

    COMMAND = "command"
    WORKER = "worker"


class Fault(StrEnum):
    """What happens at the operation."""

    KILL = "kill"
    """SIGKILL before the operation; in the middle of it where it is a write."""
    FILL = "fill"
    """The file system is filled to the last byte before the operation."""


def environment(program: Program, folder: Path, number: int, fault: Fault = Fault.KILL) -> dict[str, str]:
    """The variables for a fault at the operation of this number of a program in a run folder."""
    return {PROGRAM: program, NUMBER: str(number), FAULT: fault, FOLDER: str(folder)}


def recording(folder: Path, record: Path) -> dict[str, str]:
    """The variables for no fault: every operation is written to the record of its program, `record` with the program as its ending."""
    return {RECORD: str(record), FOLDER: str(folder)}


def begin(program: Program) -> None:
    """Watches this process if the environment means it."""
    if os.environ.get(PROGRAM) == program or RECORD in os.environ:
        _Watch(program).begin()


class _Watch:
    """Counts the operations of this process."""

    def __init__(self, program: Program) -> None:
        self.folder, self.number = os.environ[FOLDER], int(os.environ.get(NUMBER, 0))
        self.fault = Fault(os.environ.get(FAULT, Fault.KILL))
        self.write, self.fsync = os.write, os.fsync
        record = os.environ.get(RECORD)
        self.record = os.open(f"{record}.{program}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if record else None
        self.count = 0

    def begin(self) -> None:
        setattr(os, "write", self._write)  # noqa: B010  as whatever else is replaced while it runs
        setattr(os, "fsync", self._fsync)  # noqa: B010
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in CHANGES and (event != "open" or (isinstance(arguments[2], int) and arguments[2] & WRITING)):
            self._at(event, arguments[0])

    def _write(self, descriptor: int, content: bytes) -> int:
        self._at("os.write", descriptor, content, lambda: self.write(descriptor, content[: len(content) // 2]))
        return self.write(descriptor, content)

    def _fsync(self, descriptor: int) -> None:
        self._at("os.fsync", descriptor)
        self.fsync(descriptor)

    def _at(self, operation: str, place: Any, content: bytes = b"", half: Callable[[], object] | None = None) -> None:
        path = _path_of(place)
        if path != self.folder and not path.startswith(f"{self.folder}/"):
            return
        self.count += 1
        if self.record is not None:
            self.write(self.record, f"{operation} {path[len(self.folder) + 1 :]} {_kind(content)}\n".encode())
        if self.count == self.number:
            if self.fault is Fault.FILL:
                fill(Path(self.folder).parent, self.write)
                return
            if half is not None:
                half()
            os.kill(os.getpid(), signal.SIGKILL)


def fill(folder: Path, write: Callable[[int, bytes], int] = os.write) -> Path:
    """Fills the file system of a folder to the last byte, with one file."""
    ballast = folder / "ballast"
    descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for size in (1 << 20, 4096, 1):
        try:
            while True:
                write(descriptor, b"\0" * size)
        except OSError:
            continue
    os.close(descriptor)
    return ballast


def _path_of(place: Any) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{place}") if isinstance(place, int) else os.path.abspath(os.fsdecode(place))  # noqa: PTH100, PTH115
    except (OSError, TypeError, ValueError):
        return ""


def _kind(content: bytes) -> str:
    """The kind of the event that is written, or nothing."""
    _, found, rest = bytes(content).partition(b'"kind":"')
    return rest.partition(b'"')[0].decode() if found else ""
