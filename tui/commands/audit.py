"""`tuneproof audit`: the audit of files, without a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from tuneproof.tui.commands.command import Command, Example
from tuneproof.tui.commands.find_case import find_case
from tuneproof.tui.commands.parser import Parser


def _add_arguments(parser: Parser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="training examples: files, folders, or the hub name of a data set")
    parser.add_argument("--against", metavar="EVALFILE", action="append", default=[], help="eval file to check for leakage")
    parser.add_argument(
        "--near",
        choices=["w3", "c5"],
        default="w3",
        help="shingles of the near-duplicate search: three words (w3, the default) or five characters (c5)",
    )
    parser.add_argument("--case", metavar="CASE", type=Path, help="a case file with the task, model and data settings to use")
    parser.add_argument(
        "--columns",
        metavar="NAMES",
        help="the columns, as input=NAME,output=NAME and perhaps instruction=NAME; a name may be a path such as data.text",
    )
    labels = (
        "method for finding label errors (default: neighbours, or the setting of the case); cleanlab is slower and needs tuneproof[labels]"
    )
    parser.add_argument("--label-errors", choices=["neighbours", "cleanlab"], help=labels)
    parser.add_argument(
        "--allow-large", action="store_true", help="read data that memory may not hold, or that grow hugely when decompressed"
    )
    parser.add_argument(
        "--on", choices=["here", "ray"], default="here", help="run in this process (the default), or on Ray with one shard per file"
    )
    parser.add_json()


def _act(options: argparse.Namespace) -> int:
    from tuneproof.engine.audit.near.settings import Shingle
    from tuneproof.engine.case.data import LabelErrorMethod
    from tuneproof.tui.audit import audit_command, parse_columns

    case = find_case(options.case) if options.case else None
    columns = parse_columns(options.columns) if options.columns is not None else None
    label_errors = LabelErrorMethod(options.label_errors) if options.label_errors else None
    on_ray = options.on == "ray"
    shingle, large = Shingle(options.near), options.allow_large
    return audit_command(
        options.files, options.against, shingle, case, label_errors, columns, on_ray=on_ray, allow_large=large, as_json=options.json
    )


AUDIT = Command(
    "audit",
    "Audit files of examples: duplicates, leaks, conflicts, private data …",
    (
        Example("tuneproof audit tickets.jsonl --against eval.jsonl", "and what of the eval file is also in train"),
        Example("tuneproof audit hub:owner/name --json", "a data set of the hub, for a program"),
    ),
    _add_arguments,
    _act,
    about="Files are never edited. The exit code is 3 if a finding blocks.",
)
