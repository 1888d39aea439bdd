"""The wizard attached to a run, and what tells its screens apart."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.cores import neighbours
from tests.bench.runs import first, replaying
from tests.bench.terminal import Picture, Terminal
from tests.conftest import COMMAND
from tuneproof.engine.run.events import Probed

HOME, HELP = "should you fine-tune", "esc Close"
DECIDE, BASELINES, TRAIN, CARD = "1●Decide", "5●Baselines", "7●Train", "8●Card"
LONG = ("training.epochs=600", "training.probe_every=250")
"""Minutes of training, probed twice as often as by default."""


def shows(text: str, without: str = "\0") -> Callable[[Picture], bool]:
    """Whether the one text stands on the screen and the other does not."""
    return lambda picture: text in picture and without not in picture


@contextmanager
def beside_training() -> Iterator[tuple[Terminal, Path]]:
    """The wizard on the Train screen of a run that goes on for minutes, past its first probe and settled."""
    with tempfile.TemporaryDirectory() as folder, neighbours():
        run = Path(folder) / "run"
        with replaying(run, *LONG):
            first(run, Probed)
            with Terminal([COMMAND, "attach", run], Path(folder)) as terminal:
                terminal.wait_for(shows(TRAIN))
                terminal.watch(5)
                yield terminal, run
