"""A request to stop the run, made by a signal and checked where stopping is safe."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tuneproof.engine.core.errors import Interrupted

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What asks a process to end: `kill` and `timeout`, Ctrl-C, and a terminal that was closed."""

STOP_SIGNALS_AS_BYTES = frozenset(map(int, STOP_SIGNALS))

GRACE_SECONDS = 1.5
"""How long a stop waits for the next safe place, where nothing has to be saved first."""


def is_ignored(number: signal.Signals) -> bool:
    """Whether this process was started, as by `nohup`, to ignore a terminal that is closed."""
    return number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


class StoppedAtOnce(BaseException):
    """The run was stopped inside something that may never come to a safe place; `except Exception` on the way does not catch it."""


class StopRequest:
    """Whether a stop of the run is requested; checked between steps and batches."""

    def __init__(self) -> None:
        # Not a threading.Event: a second signal that arrives while the first one's handler sets it would wait for its lock forever.
        self._requested = False
        self._saves = False
        self._signals: int | None = None
        self.is_busy: Callable[[], bool] = lambda: False
        """Whether something is under way that takes no time and must be whole."""

    def request(self) -> None:
        """Requests a stop at the next safe place."""
        self._requested = True

    @property
    def requested(self) -> bool:
        """Whether a stop is requested."""
        return self._requested

    def check(self) -> None:
        """Raises Interrupted if a stop is requested."""
        if self.requested:
            raise Interrupted("stopped on request", fix="add --resume to continue")

    @contextmanager
    def until_saved(self) -> Iterator[None]:
        """While it is open, a stop waits for however long it takes: what runs there saves its work first."""
        self._saves = True
        try:
            yield
        finally:
            self._saves = False

    def cut_short(self) -> None:
        """Raises StoppedAtOnce if a stop is requested and nothing is saved first."""
        if self._requested and not self._saves and not self.is_busy():
            raise StoppedAtOnce

    def obey_signals(self) -> None:
        """Requests a stop when a signal asks for one, and cuts short what does not come to a safe place within `GRACE_SECONDS`.

        Python runs handlers between two of its instructions, and its `re` looks for them while it matches: both a template that loops and
        a pattern that backtracks are ended.
        """

        def request(*_: object) -> None:
            self.request()
            signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS, GRACE_SECONDS)

        signal.signal(signal.SIGALRM, lambda *_: self.cut_short())
        for number in STOP_SIGNALS:
            if not is_ignored(number):
                signal.signal(number, request)
        self._signals, written = os.pipe()
        os.set_blocking(written, False)
        # Written to by the interpreter itself, even while the program is inside something that takes long.
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        # A process that replaced itself held them back.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def wait_for_signal(self) -> None:
        """Returns once a signal has asked for a stop; for a thread of its own. Never returns if signals are not obeyed."""
        if self._signals is None:
            threading.Event().wait()
        else:
            while not STOP_SIGNALS_AS_BYTES.intersection(os.read(self._signals, 64)):
                pass

    def hold_signals(self) -> None:
        """Keeps signals for the process that this one is about to become. Raises Interrupted if a stop is requested already."""
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.check()
