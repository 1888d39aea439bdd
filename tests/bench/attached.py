"""The wizard attached to a run, and the texts by which its screens are recognised."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.cores import other_programs
from tests.bench.runs import replaying
from tests.bench.terminal import Picture, Terminal
from tests.conftest import COMMAND
from tests.waiting import wait_for_event
from tuneproof.engine.run.events import Probed

HOME, HELP = "should you fine-tune", "esc Close"
DECIDE, BASELINES, TRAIN, CARD = "1● Decide", "5● Baselines", "7● Train", "8● Card"
LONG = ("training.epochs=600", "training.probe_every=250")
"""Minutes of training, with twice as many probes as by default."""


def shows(text: str, without: str = "\0") -> Callable[[Picture], bool]:
    """A condition: `text` is on the screen, and `without` is not."""
    return lambda picture: text in picture and without not in picture


@contextmanager
def beside_training() -> Iterator[tuple[Terminal, Path]]:
    """The wizard on the Train screen of a run that trains for minutes, five seconds or more after its first probe."""
    with tempfile.TemporaryDirectory() as folder, other_programs():
        run = Path(folder) / "run"
        with replaying(run, *LONG):
            wait_for_event(run, Probed)
            with Terminal([COMMAND, "attach", run], Path(folder)) as terminal:
                terminal.wait_for(shows(TRAIN))
                terminal.watch(5)
                yield terminal, run
