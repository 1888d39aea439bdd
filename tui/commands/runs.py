"""`tuneproof runs`: the runs of a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from tuneproof.engine.core.errors import ExitCode
from tuneproof.engine.core.plain_text import sanitize_json
from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.parser import Parser


def _add_arguments(parser: Parser) -> None:
    help_text = "the folder of the runs (default: runs)"
    parser.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", default=Path("runs"), help=help_text)
    parser.add_json()


def _act(options: argparse.Namespace) -> int:
    from tuneproof.tui.runs import runs_json, runs_text

    print(sanitize_json(runs_json(options.folder)) if options.json else runs_text(options.folder))
    return int(ExitCode.DONE)


RUNS = Command(
    "runs",
    "List runs: state, stage, verdict.",
    (
        Example("tuneproof runs", "those in ./runs, the latest first"),
        Example("tuneproof runs /data/runs --json", "for a program"),
    ),
    _add_arguments,
    _act,
)
