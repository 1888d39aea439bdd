"""How quick and how light the wizard is, at home and beside a training: `python -m tests.bench.wizard [FIGURE...]`."""

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
from tests.bench.cores import cpu, neighbours
from tests.bench.runs import finished, long_run, short_runs, worker_pid
from tests.bench.speed import pair, turns
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
ATTACHES = 5
ONE_LABEL = """
from textual.app import App
from textual.widgets import Label

class OneLabel(App):
    def compose(self):
        yield Label("one label")

OneLabel().run()
"""


def first_paint() -> None:
    """From the start of the process to the text on the screen: home, in a folder with runs, and an app of one label, in turn."""
    with tempfile.TemporaryDirectory() as folder, neighbours():
        label = Path(folder) / "one_label.py"
        label.write_text(ONE_LABEL)
        newest = short_runs(Path(folder) / "runs", RUNS)
        programs: dict[str, tuple[list[str | Path], str]] = {"one label": ([sys.executable, label], "one label"), "home": ([COMMAND], HOME)}
        seconds: dict[str, list[float]] = {name: [] for name in [*programs, "home with its runs"]}
        # The first of each warms the disk's cache and is left out.
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
    """The heavy libraries that are loaded once home, and then the first step, is painted."""
    done = subprocess.run([sys.executable, "-m", "tests.bench.loaded"], cwd=ROOT, capture_output=True, text=True, check=True)
    print(done.stdout, end="")


@dataclass(frozen=True)
class Key:
    """A key press, and how its answer is told from the redraws that come anyway."""

    name: str
    sends: bytes
    shows: Callable[[Picture], bool] | None = None
    """What only this key brings to the screen; left out where any other text does, since nothing there changes by itself."""


def differs(before: list[str]) -> Callable[[Picture], bool]:
    """Whether any text on the screen is another."""
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
    """How long after a key its answer stands on the screen, while training takes every core.

    An answer is a text on the screen that only that key can bring there: the digit of another step marked in the rail, the help or
    its absence, another text beside a list. The redraws that come anyway bring none of these, so they are not taken for one; a key
    that has to wait for such a redraw is counted with the wait.
    """
    chance = random.Random(0)
    took: dict[str, list[float]] = {}
    with beside_training() as (terminal, _):
        for key in chain.from_iterable(repeat(KEYS, ROUNDS)):
            # At any phase of the redraws.
            terminal.watch(0.3 + NOTIFY_SECONDS * chance.random())
            before = terminal.picture.lines()
            answered = key.shows or differs(before)
            assert not answered(terminal.picture), f"{key.name}: already so\n{terminal}"
            pressed = terminal.press(key.sends)
            took.setdefault(key.name, []).append(terminal.wait_for(answered) - pressed)
    for name, seconds in took.items():
        print(f"  {name:<20} {told(seconds)}")
    print(f"all keys: {told([one for seconds in took.values() for one in seconds])}")
    print(f"without escape: {told([one for name, seconds in took.items() if 'escape' not in name for one in seconds])}")


def told(seconds: list[float]) -> str:
    """Percentiles of key presses."""
    high = sorted(seconds)[min(len(seconds) - 1, int(0.95 * len(seconds)))]
    prompt = sum(one <= PROMPT for one in seconds) / len(seconds)
    return (
        f"{len(seconds):3d} presses, {1000 * statistics.median(seconds):4.0f} ms median, {1000 * high:4.0f} ms at 95 %, "
        f"{1000 * max(seconds):4.0f} ms at most, {prompt:.0%} within {1000 * PROMPT:.0f} ms"
    )


def weight() -> None:
    """What the wizard takes while a training is watched and no key is pressed: bytes to the terminal, CPU, memory."""
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
    """Bytes to the terminal while nothing changes: home, and a finished run on two screens."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "runs" / "done"
        finished(run)
        with neighbours():
            with Terminal([COMMAND], Path(folder)) as terminal:
                terminal.wait_for(shows(HOME))
                tell_still("home", terminal)
            with Terminal([COMMAND, "attach", run], Path(folder)) as terminal:
                terminal.wait_for(shows(CARD))
                tell_still("the Card screen of a finished run", terminal)
                terminal.press(b"7")
                terminal.wait_for(shows(TRAIN))
                tell_still("the Train screen of a finished run", terminal)


def tell_still(where: str, terminal: Terminal) -> None:
    """Bytes and CPU of a screen on which nothing happens."""
    terminal.watch(3)
    before = cpu(psutil.Process(terminal.pid))
    received = terminal.watch(STILL_SECONDS)
    share = (cpu(psutil.Process(terminal.pid)) - before) / STILL_SECONDS
    print(f"{where}: {received} bytes in {STILL_SECONDS:.0f} s, {share:.1%} of a core")


def attach() -> None:
    """From the start of `tuneproof attach` to the last step of a long run, and its curve, on the screen."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        with long_run(run) as last, neighbours():
            seconds = []
            for _ in range(ATTACHES + 1):
                with Terminal([COMMAND, "attach", run], Path(folder)) as terminal:
                    seconds.append(terminal.wait_for(lambda picture: is_live(picture, last)) - terminal.started)
                    resident = psutil.Process(terminal.pid).memory_info().rss
        print(f"attached to 100,000 events, {ATTACHES} times: {spread(seconds[1:])}; {resident / 2**20:.0f} MiB resident")


def is_live(picture: Picture, last: int) -> bool:
    """Whether the Train screen shows the last step, and a curve."""
    told_step = any(f"{last} of" in line.replace(",", "") for line in picture.lines())
    return TRAIN in picture and told_step and any("\u2801" <= cell <= "\u28ff" for line in picture.lines() for cell in line)


def spread(seconds: list[float]) -> str:
    """Median, least and most."""
    return f"median {statistics.median(seconds):.3f} s, {min(seconds):.3f} to {max(seconds):.3f} s"


FIGURES = {
    "first-paint": first_paint,
    "modules": modules,
    "keys": keys,
    "weight": weight,
    "still": still,
    "attach": attach,
    "turns": turns,
    "pair": pair,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", metavar="FIGURE", nargs="*", choices=[*FIGURES, []], help=f"{', '.join(FIGURES)} (default: all)")
    figures = parser.parse_args().figures or FIGURES
    # An end from outside, too, ends what was started here.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in figures:
        print(f"{name}:")
        FIGURES[name]()


if __name__ == "__main__":
    main()
