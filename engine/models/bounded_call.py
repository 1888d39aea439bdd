"""Calling code that other people wrote, such as a chat template, with limits: in a process that may be killed, or in this one."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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


class TookTooLong(Exception):
    """A call was ended at its time limit."""


@contextmanager
def within_limits() -> Iterator[None]:
    """Raises TookTooLong in what runs inside for longer than `SECONDS` of the processor, and MemoryError where it takes `EXTRA_BYTES`.

    For calls too many to make in a copy each. Only the main thread can be interrupted; elsewhere the time has no limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    used = _address_space()
    with _time_limit():
        try:
            if used is not None:
                resource.setrlimit(resource.RLIMIT_AS, (min([used + EXTRA_BYTES, *most]), hard))
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def _time_limit() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGPROF, end)
    # Taking memory is time of the system, which this timer counts, too.
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_DFL if before is None else before)


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
        # Read for every row: a buffered file would take as long as the template.
        file = os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return None
    try:
        return int(os.read(file, 100).split()[0]) * resource.getpagesize()
    finally:
        os.close(file)
