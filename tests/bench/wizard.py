"""How fast and how light the wizard is, alone and beside a training: `python -m tests.bench.wizard [FIGURE...]`."""

from __future__ import annotations

import argparse
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import psutil

from tests.bench.attached import CARD, DECIDE, HELP, HOME, TRAIN, beside_training, shows
from tests.bench.cores import cpu, other_programs
from tests.bench.runs import finished, long_run, short_runs, worker_pid
from tests.bench.speed import intervals, whole_trainings
from tests.bench.terminal import Picture, Terminal
from tests.conftest import COMMAND, ROOT
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import StepLogged
from tuneproof.engine.run.store import EVENTS
from tuneproof.tui.run_feed import NOTIFY_SECONDS

PAINTS = 15
RUNS = 10
ROUNDS = 10
PROMPT = 0.1
BESIDE_SECONDS = 40.0
STILL_SECONDS = 12.0
ONE_LABEL_APP: tuple[list[str | Path], str] = ([sys.executable, "-P", Path(__file__).with_name("one_label.py")], "one label")
ATTACHES = 5


def first_paint() -> None:
    """Time from the start of the process to the text on the screen, for home in a folder with runs and for an app of one label in turn."""
    with tempfile.TemporaryDirectory() as folder, other_programs():
        newest = short_runs(Path(folder) / "runs", RUNS)
        programs: dict[str, tuple[list[str | Path], str]] = {
            "one label": ONE_LABEL_APP,
            "home": ([COMMAND], HOME),
        }
        seconds: dict[str, list[float]] = {name: [] for name in [*programs, "home with its runs"]}
        # The first start of each warms the disk cache and is not counted.
        for _ in range(PAINTS + 1):
            for name, (command, text) in programs.items():
                with Terminal(command, Path(folder)) as terminal:
                    seconds[name].append(terminal.wait_for(shows(text)) - terminal.started)
                    if name == "home":
                        seconds["home with its runs"].append(terminal.wait_for(shows(newest)) - terminal.started)
        for name, took in seconds.items():
            print(f"first paint of {name}, {PAINTS} starts: {spread(took[1:])}")
        ratios = [home / label for home, label in zip(seconds["home"][1:], seconds["one label"][1:], strict=True)]
        medians = statistics.median(seconds["home"][1:]) / statistics.median(seconds["one label"][1:])
        print(f"ratio of the medians {medians:.2f}, of the pairs: median {statistics.median(ratios):.2f}, worst {max(ratios):.2f}")


def modules() -> None:
    """The heavy libraries that are loaded once home, and then the first step, is drawn."""
    done = subprocess.run([sys.executable, "-m", "tests.bench.loaded"], cwd=ROOT, capture_output=True, text=True, check=True)
    print(done.stdout, end="")


@dataclass(frozen=True)
class Key:
    """A key, and how its effect is distinguished from other redraws."""

    name: str
    sends: bytes
    shows: Callable[[Picture], bool] | None = None
    """The condition that only this key fulfils; None if any change of the text will do, because nothing changes by itself there."""


def differs(before: list[str]) -> Callable[[Picture], bool]:
    """A condition: any text on the screen has changed."""
    return lambda picture: picture.lines() != before


KEYS = [
    Key("? opens help", b"?", shows(HELP)),
    Key("q closes help", b"q", shows(TRAIN, without=HELP)),
    Key("? opens help", b"?", shows(HELP)),
    Key("escape closes help", b"\x1b", shows(TRAIN, without=HELP)),
    Key("1 to Decide", b"1", shows(DECIDE)),
    *[Key("down, up in a list", b"\x1b[B")] * 2,
    *[Key("down, up in a list", b"\x1b[A")] * 2,
    Key("7 to Train", b"7", shows(TRAIN)),
    Key("8 to Card", b"8", shows(CARD)),
    Key("7 to Train", b"7", shows(TRAIN)),
]


def keys() -> None:
    """Time from a key to its effect on the screen, while a training uses every core.

    The effect is a text that only this key can change: the current step in the rail, the help, the panel beside a list. Other redraws
    change none of these, so they are not taken for the effect. A key that has to wait for such a redraw is counted with the wait.
    """
    chance = random.Random(0)
    took: dict[str, list[float]] = {}
    with beside_training() as (terminal, _):
        for key in chain.from_iterable(repeat(KEYS, ROUNDS)):
            # At a random point between two redraws.
            terminal.watch(0.3 + NOTIFY_SECONDS * chance.random())
            before = terminal.picture.lines()
            has_effect = key.shows or differs(before)
            assert not has_effect(terminal.picture), f"{key.name}: the screen shows its effect already\n{terminal}"
            pressed = terminal.press(key.sends)
            took.setdefault(key.name, []).append(terminal.wait_for(has_effect) - pressed)
    for name, seconds in took.items():
        print(f"  {name:<20} {percentiles(seconds)}")
    print(f"all keys: {percentiles([one for seconds in took.values() for one in seconds])}")
    print(f"without escape: {percentiles([one for name, seconds in took.items() if 'escape' not in name for one in seconds])}")


def percentiles(seconds: list[float]) -> str:
    """Percentiles of key presses."""
    high = sorted(seconds)[min(len(seconds) - 1, int(0.95 * len(seconds)))]
    prompt = sum(one <= PROMPT for one in seconds) / len(seconds)
    return (
        f"{len(seconds):3d} presses, {1000 * statistics.median(seconds):4.0f} ms median, {1000 * high:4.0f} ms at 95 %, "
        f"{1000 * max(seconds):4.0f} ms at most, {prompt:.0%} within {1000 * PROMPT:.0f} ms"
    )


def weight() -> None:
    """Output, CPU and memory of the wizard while it watches a training and no key is pressed."""
    with beside_training() as (terminal, run):
        wizard, worker = psutil.Process(terminal.pid), psutil.Process(worker_pid(run))
        before, worker_before, started = cpu(wizard), cpu(worker), time.perf_counter()
        reader, received = EventReader(run / EVENTS), []
        reader.read()
        while time.perf_counter() - started < BESIDE_SECONDS:
            received.append(terminal.watch(1))
        passed = time.perf_counter() - started
        share, worker_share = (cpu(wizard) - before) / passed, (cpu(worker) - worker_before) / passed
        taken = sum(isinstance(event, StepLogged) for event in reader.read())
        print(f"while training ({worker_share:.0%} of a core in the worker, {taken / passed:.1f} steps a second):")
        print(f"  wizard: {share:.1%} of a core over {passed:.0f} s, {wizard.memory_info().rss / 2**20:.0f} MiB resident")
        rate = sum(received) / passed / 1024
        print(f"  to the terminal: {rate:.1f} KiB/s, {max(received) / 1024:.1f} KiB in the fullest second")


def still() -> None:
    """Output while nothing changes: on home, and on two screens of a finished run."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "runs" / "done"
        finished(run)
        with other_programs():
            with Terminal([COMMAND], Path(folder)) as terminal:
                terminal.wait_for(shows(HOME))
                print_idle("home", terminal)
            with Terminal([COMMAND, "attach", run], Path(folder)) as terminal:
                terminal.wait_for(shows(CARD))
                print_idle("the Card screen of a finished run", terminal)
                terminal.press(b"7")
                terminal.wait_for(shows(TRAIN))
                print_idle("the Train screen of a finished run", terminal)


def print_idle(where: str, terminal: Terminal) -> None:
    """Prints output and CPU of a screen on which nothing happens."""
    terminal.watch(3)
    before = cpu(psutil.Process(terminal.pid))
    received = terminal.watch(STILL_SECONDS)
    share = (cpu(psutil.Process(terminal.pid)) - before) / STILL_SECONDS
    print(f"{where}: {received} bytes in {STILL_SECONDS:.0f} s, {share:.1%} of a core")


def attach() -> None:
    """Time from the start of `tuneproof attach` until the last step and the curve of a long run are on the screen."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        with long_run(run) as last, other_programs():
            seconds = []
            for _ in range(ATTACHES + 1):
                with Terminal([COMMAND, "attach", run], Path(folder)) as terminal:
                    seconds.append(terminal.wait_for(lambda picture: is_live(picture, last)) - terminal.started)
                    resident = psutil.Process(terminal.pid).memory_info().rss
        print(f"attached to 100,000 events, {ATTACHES} times: {spread(seconds[1:])}; {resident / 2**20:.0f} MiB resident")


def is_live(picture: Picture, last: int) -> bool:
    """Whether the Train screen shows the last step, and a curve."""
    shows_step = any(f"{last} of" in line.replace(",", "") for line in picture.lines())
    return TRAIN in picture and shows_step and any("\u2801" <= cell <= "\u28ff" for line in picture.lines() for cell in line)


def spread(seconds: list[float]) -> str:
    """Median, minimum and maximum."""
    return f"median {statistics.median(seconds):.3f} s, {min(seconds):.3f} to {max(seconds):.3f} s"


FIGURES = {
    "first-paint": first_paint,
    "modules": modules,
    "keys": keys,
    "weight": weight,
    "still": still,
    "attach": attach,
    "intervals": intervals,
    "whole-trainings": whole_trainings,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", metavar="FIGURE", nargs="*", choices=[*FIGURES, []], help=f"{', '.join(FIGURES)} (default: all)")
    figures = parser.parse_args().figures or FIGURES
    # On SIGTERM, too, the processes that were started here end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in figures:
        print(f"{name}:")
        FIGURES[name]()


if __name__ == "__main__":
    main()
