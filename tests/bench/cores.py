"""What a measured program, and the machine's other programs, take of its cores."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil


@dataclass
class Neighbours:
    """What other programs took of one core, once the measuring is over."""

    share: float = 0.0


@contextmanager
def neighbours() -> Iterator[Neighbours]:
    """Tells how much of the machine others took meanwhile: what was measured beside them is to be read with care."""
    found = Neighbours()
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
