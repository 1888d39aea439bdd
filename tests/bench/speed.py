"""The speed of training with the wizard attached, compared with training without it."""

from __future__ import annotations

import math
import os
import signal
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from tests.bench.attached import BASELINES, TRAIN, shows
from tests.bench.cores import other_programs
from tests.bench.runs import replaying, wait_for_end_of
from tests.bench.terminal import Terminal
from tests.conftest import COMMAND
from tests.waiting import wait_for_event
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import StepLogged, TrainingFinished, TrainingStarted
from tuneproof.engine.run.step_series import StepSeries
from tuneproof.engine.run.store import EVENTS

PAIRS = 5
TRIES = 10
ALONE = 0.05
"""A pair does not count if other programs take more than this share of one core."""
PAIRED_STEPS = 200
INTERVALS = 24
INTERVAL_SECONDS = 12.0
UNPROBED = ("training.epochs=2000", "training.probe_every=100000")


def whole_trainings() -> None:
    """Compares pairs of whole trainings, without the wizard and with it on its Train screen; which comes first alternates."""
    ratios: list[float] = []
    by_step: list[float] = []
    for number in range(TRIES):
        took: dict[bool, tuple[float, float]] = {}
        with other_programs() as others:
            for watched in (False, True) if number % 2 else (True, False):
                took[watched] = train(watched)
        alone, beside = took[False], took[True]
        ratio, step = alone[0] / beside[0], alone[1] / beside[1]
        print(
            f"{alone[0]:.2f} s headless, {beside[0]:.2f} s with the wizard: {ratio:.3f} of the speed, {step:.3f} by the median step", end=""
        )
        print("" if others.share <= ALONE else "; not counted, others took too much")
        if others.share <= ALONE:
            ratios.append(ratio)
            by_step.append(step)
        if len(ratios) == PAIRS:
            break
    if ratios:
        print(f"median of {len(ratios)} pairs: {statistics.median(ratios):.3f}, by the median step {statistics.median(by_step):.3f}")


def train(watched: bool) -> tuple[float, float]:
    """Trains the sample case for `PAIRED_STEPS` steps; returns the seconds of the training and of its median step."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        with replaying(run, f"training.max_steps={PAIRED_STEPS}", until=Stage.TRAIN):
            # The wizard starts long before training begins, so that its start is not measured.
            wait_for_end_of(Stage.SPLIT, run)
            if watched:
                with Terminal([COMMAND, "attach", run], Path(folder)) as terminal:
                    terminal.wait_for(shows(BASELINES))
                    wait_for_end_of(Stage.BASELINES, run, rest=terminal.watch)
                    terminal.watch(0.7)
                    terminal.press(b"7")
                    terminal.wait_for(shows(TRAIN))
                    wait_for_end_of(Stage.TRAIN, run, rest=terminal.watch)
                    assert TRAIN in terminal.picture, str(terminal)
            else:
                wait_for_end_of(Stage.TRAIN, run)
        began, ended = wait_for_event(run, TrainingStarted), wait_for_event(run, TrainingFinished)
        logged = [event.ts for event in EventReader(run / EVENTS).read() if isinstance(event, StepLogged)]
        return ended.ts - began.ts, statistics.median(later - earlier for earlier, later in pairwise(logged))


def intervals() -> None:
    """Compares intervals of one training in which the wizard alternately runs and is suspended by SIGSTOP.

    This is more precise than pairs of trainings, because memory layout and machine load are nearly the same in adjacent intervals. A
    suspended wizard takes no CPU time; after it resumes, it also reads the events that it missed.
    """
    with tempfile.TemporaryDirectory() as folder, other_programs():
        run = Path(folder) / "run"
        with replaying(run, *UNPROBED):
            wait_for_event(run, StepLogged)
            with Terminal([COMMAND, "attach", run], Path(folder)) as terminal:
                terminal.wait_for(shows(TRAIN))
                terminal.watch(5)
                spans = [measure_interval(terminal, running=number % 2 == 0) for number in range(INTERVALS + 1)]
            curve = StepSeries()
            for event in EventReader(run / EVENTS).read():
                if isinstance(event, StepLogged):
                    curve.append(event)
        speeds = [steps_a_second(curve, *span) for span in spans]
    # Each suspended interval is compared with the mean of its two neighbours, so that a drift of the machine cancels.
    ratios = [(speeds[at - 1] + speeds[at + 1]) / 2 / speeds[at] for at in range(1, INTERVALS, 2)]
    error = statistics.stdev(ratios) / math.sqrt(len(ratios))
    print(f"{len(ratios)} intervals of {INTERVAL_SECONDS:.0f} s, {statistics.mean(speeds):.1f} steps a second: ", end="")
    print(f"{statistics.mean(ratios):.3f} ± {error:.3f} (standard error) of headless speed, median {statistics.median(ratios):.3f}")


def measure_interval(terminal: Terminal, *, running: bool) -> tuple[float, float]:
    """Start and end of one interval, in seconds since 1970, with the wizard running or suspended."""
    began = time.time()
    if running:
        terminal.watch(INTERVAL_SECONDS)
    else:
        os.kill(terminal.pid, signal.SIGSTOP)
        time.sleep(INTERVAL_SECONDS)
        os.kill(terminal.pid, signal.SIGCONT)
    return began, time.time()


def steps_a_second(curve: StepSeries, began: float, ended: float) -> float:
    """Steps per second between two times, from the first to the last step between them."""
    logged = [ts for ts in curve.ts if began <= ts <= ended]
    return (len(logged) - 1) / (logged[-1] - logged[0])
