"""CPU time of a measured program, and of the other programs on the machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil


@dataclass
class OtherPrograms:
    """The CPU time of other programs as a share of one core; set when the measurement ends."""

    share: float = 0.0


@contextmanager
def other_programs() -> Iterator[OtherPrograms]:
    """Measures and prints the load of other programs: if it is high, the figures measured meanwhile are not reliable."""
    found = OtherPrograms()
    busy, ours, started = busy_seconds(), our_seconds(), time.perf_counter()
    yield found
    passed = time.perf_counter() - started
    found.share = max(0.0, (busy_seconds() - busy - (our_seconds() - ours)) / passed)
    print(f"  [{passed:.0f} s on {psutil.cpu_count()} cores, of which other programs took {found.share:.0%} of one]")


def busy_seconds() -> float:
    """CPU seconds of the whole machine since its start."""
    times = psutil.cpu_times()
    return float(sum(getattr(times, kind) for kind in ("user", "nice", "system", "irq", "softirq", "steal")))


def our_seconds() -> float:
    """CPU seconds of this process and of all that it started and that have ended."""
    return float(sum(psutil.Process().cpu_times()[:4]))


def cpu(process: psutil.Process) -> float:
    """CPU seconds of one process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)
