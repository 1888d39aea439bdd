"""Calling code that other people wrote, such as a chat template, in a process that may be killed."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 10
"""Time that a call may take."""

EXTRA_BYTES = 1 << 30
"""Memory that a call may take on top of what the process has."""

POLL_SECONDS = 0.002


def ends_within_limits(call: Callable[[], object], seconds: float | None = None, extra_bytes: int = EXTRA_BYTES) -> bool:
    """Whether a call ends in the given time and memory, tried in a copy of this process; how it ends does not matter.

    None stands for `SECONDS`.

    A signal or a time limit within this process would not do: Python handles no signal inside one long operation, such as a power of two
    large numbers.
    """
    child = os.fork()
    if child == 0:
        _try(call, extra_bytes)
    deadline = time.monotonic() + (SECONDS if seconds is None else seconds)
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(POLL_SECONDS)


def _try(call: Callable[[], object], extra_bytes: int) -> None:
    """Makes the call in the child process, and ends it."""
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if (used := _address_space()) is not None:
            resource.setrlimit(resource.RLIMIT_AS, (used + extra_bytes, used + extra_bytes))
        call()
        code = 0
    except MemoryError:
        code = 1
    except Exception:
        # An error is an answer too.
        code = 0
    finally:
        os._exit(code)


def _address_space() -> int | None:
    """Bytes of address space that this process has; None where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return None
