"""`tuneproof reproduce`: stored prompts, decoded again."""

from __future__ import annotations

import argparse
from pathlib import Path

from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.parser import Parser


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", type=Path, help="the run folder")
    parser.add_argument("--arm", metavar="ARM", required=True, help="the arm, or a model of the learning curve: tuned_25, tuned_50")
    parser.add_argument("--id", metavar="ID", help="the id of the case in predictions.jsonl (default: all cases of the arm, in one pass)")
    parser.add_json()


def _act(options: argparse.Namespace) -> int:
    from tuneproof.tui.reproduce import reproduce_command

    return reproduce_command(options.run, options.arm, options.id, as_json=options.json)


REPRODUCE = Command(
    "reproduce",
    "Decode stored prompts again, and compare the answers with the stored ones.",
    (Example("tuneproof reproduce runs/support-tickets-1 --arm tuned", "every answer of the tuned model"),),
    _add_arguments,
    _act,
    about="With the base and the adapter of the run. The exit code is 5 if an answer differs.",
)
