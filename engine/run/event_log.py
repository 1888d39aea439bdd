"""The writing end of `events.jsonl`."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tuneproof.engine.run.event import Event


class EventLog:
    """Appends events to a log: one process at a time, numbered lines, each flushed when it is written.

    A torn last line, as a crash can leave one, is cut off when the log is opened.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        whole = whole_lines(path.read_bytes()) if path.exists() else b""
        if path.exists():
            os.truncate(path, len(whole))
        self._seq = whole.count(b"\n")
        self._file = path.open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def emit(self, event: Event, *, sync: bool = False) -> None:
        """Appends the event with its number and the time; `sync` also waits until it is on disk."""
        with self._lock:
            stamped = event.model_copy(update={"seq": self._seq, "ts": round(time.time(), 3)})
            self._file.write(stamped.model_dump_json().encode() + b"\n")
            self._file.flush()
            if sync:
                os.fsync(self._file.fileno())
            self._seq += 1


def whole_lines(content: bytes) -> bytes:
    """The content up to the end of its last whole line."""
    return content[: content.rfind(b"\n") + 1]
