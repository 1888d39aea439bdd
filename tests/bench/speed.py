"""How fast training is with the wizard attached, against training that nobody looks at."""

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
from tests.bench.cores import neighbours
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
"""Of one core: where other programs took more, a pair says more about them than about the wizard."""
PAIRED_STEPS = 200
TURNS = 24
TURN_SECONDS = 12.0
UNPROBED = ("training.epochs=2000", "training.probe_every=100000")


def pair() -> None:
    """Whole trainings, with nobody looking and with the wizard on its Train screen, each first every other time."""
    ratios: list[float] = []
    by_step: list[float] = []
    for number in range(TRIES):
        took: dict[bool, tuple[float, float]] = {}
        with neighbours() as others:
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
    """Trains the sample for some hundred steps; returns its seconds and those of its median step."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        with replaying(run, f"training.max_steps={PAIRED_STEPS}", until=Stage.TRAIN):
            # The wizard has started long before training begins: what is compared is the watching.
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


def turns() -> None:
    """One training, with the wizard on its Train screen by turns awake and held still by a signal: finer than whole trainings.

    Whatever else differs between two trainings, where memory lies or what the machine does that minute, is the same for two turns
    that follow each other. Held still, the wizard takes nothing, as if nobody looked; awake again, it catches up with what it missed.
    """
    with tempfile.TemporaryDirectory() as folder, neighbours():
        run = Path(folder) / "run"
        with replaying(run, *UNPROBED):
            wait_for_event(run, StepLogged)
            with Terminal([COMMAND, "attach", run], Path(folder)) as terminal:
                terminal.wait_for(shows(TRAIN))
                terminal.watch(5)
                spans = [take_turn(terminal, awake=number % 2 == 0) for number in range(TURNS + 1)]
            curve = StepSeries()
            for event in EventReader(run / EVENTS).read():
                if isinstance(event, StepLogged):
                    curve.append(event)
        speeds = [steps_a_second(curve, *span) for span in spans]
    # Each turn held still is compared with the mean of the turns before and after it, so that a drift of the machine cancels.
    ratios = [(speeds[at - 1] + speeds[at + 1]) / 2 / speeds[at] for at in range(1, TURNS, 2)]
    error = statistics.stdev(ratios) / math.sqrt(len(ratios))
    print(f"{len(ratios)} turns of {TURN_SECONDS:.0f} s, {statistics.mean(speeds):.1f} steps a second: ", end="")
    print(f"{statistics.mean(ratios):.3f} ± {error:.3f} (standard error) of headless speed, median {statistics.median(ratios):.3f}")


def take_turn(terminal: Terminal, *, awake: bool) -> tuple[float, float]:
    """From when to when, in seconds since 1970, the wizard was left awake or held still."""
    began = time.time()
    if awake:
        terminal.watch(TURN_SECONDS)
    else:
        os.kill(terminal.pid, signal.SIGSTOP)
        time.sleep(TURN_SECONDS)
        os.kill(terminal.pid, signal.SIGCONT)
    return began, time.time()


def steps_a_second(curve: StepSeries, began: float, ended: float) -> float:
    """The speed of training between two times, from the first to the last step that fell between them."""
    logged = [ts for ts in curve.ts if began <= ts <= ended]
    return (len(logged) - 1) / (logged[-1] - logged[0])
