"""The writing end of `events.jsonl`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tuneproof.engine.core.regular_files import open_for_appending, open_regular
from tuneproof.engine.run.event import Event

CHUNK = 1 << 20
"""Bytes of a log that are read at a time."""


class EventLog:
    """Appends events to a log: one process at a time, numbered lines, each flushed when it is written.

    A torn last line, as a crash can leave one, is cut off when the log is opened.
    """

    def __init__(self, path: Path) -> None:
        """Raises UsageError if the path is a link or no regular file, and OSError if it cannot be written."""
        self._lock = threading.Lock()
        self.is_writing = False
        """Whether an event is being written, which must not be cut short: half a line would spoil the next."""
        self._seq, self._size = _count_whole_lines(path)
        self._descriptor = open_for_appending(path)
        os.ftruncate(self._descriptor, self._size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._descriptor)

    def emit(self, event: Event, *, sync: bool = False) -> None:
        """Appends the event with its number and the time; `sync` also waits until it is on disk.

        Raises OSError if the disk does not take it; the log then ends with the event before.
        """
        with self._lock, self._writing():
            stamped = event.model_copy(update={"seq": self._seq, "ts": round(time.time(), 3)})
            line = stamped.model_dump_json().encode() + b"\n"
            try:
                self._write(line)
            except OSError:
                # Half a line would make the next event part of it.
                with suppress(OSError):
                    os.ftruncate(self._descriptor, self._size)
                raise
            self._seq, self._size = self._seq + 1, self._size + len(line)
            if sync:
                os.fsync(self._descriptor)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.is_writing = True
        try:
            yield
        finally:
            self.is_writing = False

    def _write(self, line: bytes) -> None:
        # A disk that fills up takes a part of what it is given.
        while line:
            line = line[os.write(self._descriptor, line) :]


def end_of_whole_lines(path: Path) -> int:
    """Where the next event will be in a log, in bytes: a torn last line gives way to it."""
    return _count_whole_lines(path)[1]


def _count_whole_lines(path: Path) -> tuple[int, int]:
    """The number of whole lines in a file, and where the last of them ends, in bytes; zero if there is no regular file."""
    lines = end = read = 0
    try:
        file = open_regular(path)
    except OSError:
        return 0, 0
    with file:
        while chunk := file.read(CHUNK):
            lines += chunk.count(b"\n")
            if (last := chunk.rfind(b"\n")) >= 0:
                end = read + last + 1
            read += len(chunk)
    return lines, end


def whole_lines(content: bytes) -> bytes:
    """The content up to the end of its last whole line."""
    return content[: content.rfind(b"\n") + 1]
