"""`tuneproof attach`: the wizard, on a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from tuneproof.engine.core.errors import UsageError
from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.parser import Parser


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", type=Path, help="the run folder")


def _act(options: argparse.Namespace) -> int:
    from tuneproof.tui.open_wizard import open_wizard

    run_dir: Path = options.run
    if not run_dir.is_dir():
        raise UsageError("there is no such run folder", where=str(run_dir), fix="list them with: tuneproof runs")
    return open_wizard(run_dir)


ATTACH = Command(
    "attach",
    "Watch a run in progress, or open a finished one.",
    (Example("tuneproof attach runs/support-tickets-1", "from any terminal; the run does not notice"),),
    _add_arguments,
    _act,
)
