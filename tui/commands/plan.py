"""`tuneproof plan`: the plan of a case, before anything is spent."""

from __future__ import annotations

import argparse
from pathlib import Path

from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.find_case import find_case
from tuneproof.tui.commands.parser import Parser


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("case", metavar="CASE", type=Path, help="the case file, whole or not, or a run folder")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="override a field of the case")
    parser.add_argument(
        "--measure", action="store_true", help="load the base and measure a few training steps: hours, and money with a price"
    )
    parser.add_json()


def _act(options: argparse.Namespace) -> int:
    from tuneproof.tui.plan import plan_case, plan_run

    if options.case.is_dir():
        return plan_run(options.case, as_json=options.json)
    path = find_case(options.case)
    return plan_case(path, options.case, options.set, measures=options.measure, as_json=options.json)


PLAN = Command(
    "plan",
    "Write the plan of a case: what to do and why, what it takes, and what it can show.",
    (
        Example("tuneproof plan support_tickets.yaml", "reads the data, audits it, looks at the base; loads no weights"),
        Example("tuneproof plan support_tickets.yaml --measure", "also measures a few training steps here: hours and money"),
        Example("tuneproof plan runs/support-tickets-1", "the plan of a run, with what it has measured"),
    ),
    _add_arguments,
    _act,
    about="The case need not be whole: what is missing is a section of the plan. Nothing is spent, and no run is made.",
)
