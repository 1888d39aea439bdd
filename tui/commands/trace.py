"""`tuneproof trace`: one request, from its text to the score of its answers."""

from __future__ import annotations

import argparse
from pathlib import Path

from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.find_case import find_case
from tuneproof.tui.commands.parser import Parser

ABOUT = """\
Shows the prompt with its special tokens, the tokens and which of them the loss
sees, the likeliest next tokens of the base and of the tuned model, where
attention went, why each answer passed or failed, and what commonly breaks.
Nothing is written."""


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("source", metavar="CASE", type=Path, help="a case file, or a run folder")
    row = "the row: its number among the examples, from 1 (default: 1), or FILE:LINE as findings name it"
    parser.add_argument("--row", metavar="ROW", help=row)
    parser.add_argument("--id", metavar="ID", help="the row of a run by its id, as in predictions.jsonl")
    parser.add_argument("--run", metavar="RUN", type=Path, help="the run whose tuned model is shown, if CASE is a case file")
    token = "the position of the token whose attention is shown (default: the least likely token of the answer)"
    parser.add_argument("--token", metavar="POSITION", type=int, help=token)
    parser.add_argument("--all", action="store_true", help="fold nothing: all tokens, all positions of the answer, whole texts")
    parser.add_json()


def _act(options: argparse.Namespace) -> int:
    from tuneproof.tui.trace import trace_command

    if not options.source.is_dir():
        options.source = find_case(options.source)
    return trace_command(options)


TRACE = Command(
    "trace",
    "Show one request token by token, from its text to the score of its answers.",
    (
        Example("tuneproof trace case.yaml --row 3", "the third example, with the base of the case"),
        Example("tuneproof trace runs/support-tickets-1 --id ID", "a case of a run: base beside tuned model"),
        Example("tuneproof trace case.yaml --row tickets.jsonl:12", "the row that a finding names"),
    ),
    _add_arguments,
    _act,
    about=ABOUT,
)
