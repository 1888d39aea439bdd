"""`tuneproof trace`: one request, from its text to the score of its answers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tuneproof.engine.core.errors import ExitCode, UsageError
from tuneproof.engine.core.plain_text import rewrite_line, sanitize_json

if TYPE_CHECKING:
    from tuneproof.engine.trace.report import TraceRequest

DESCRIPTION = """\
Show one request from its text to the score of its answers: the prompt with its special tokens, the tokens and which of them the loss sees,
the likeliest next tokens of the base and of the tuned model, where attention went, and what commonly breaks on the way."""

EXAMPLES = """\
examples:
  tuneproof trace case.yaml --row 3
  tuneproof trace runs/support-tickets-1 --id 17ab12fffc6a9da2
  tuneproof trace case.yaml --run runs/support-tickets-1 --row tickets.jsonl:12 --token 74
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description, parser.epilog, parser.formatter_class = DESCRIPTION, EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("source", metavar="CASE", type=Path, help="a case file or a run folder")
    row = "the row: its number among the examples, from 1 (default: 1), or FILE:LINE as findings name it"
    parser.add_argument("--row", metavar="ROW", help=row)
    parser.add_argument("--id", metavar="ID", help="the row of a run by its id, as in predictions.jsonl")
    parser.add_argument("--run", metavar="RUN", type=Path, help="the run whose tuned model is shown, if CASE is a case file")
    token = "the position of the token whose attention is shown (default: the least likely token of the answer)"
    parser.add_argument("--token", metavar="POSITION", type=int, help=token)
    parser.add_argument("--all", action="store_true", help="fold nothing: all tokens, all positions of the answer, whole texts")
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else")


def trace_command(options: argparse.Namespace) -> int:
    """Prints the trace of one row. Raises the error of the process that makes it."""
    from tuneproof.engine.trace.ask import TraceJob

    request = trace_request(options)
    if sys.stderr.isatty():
        rewrite_line("the model reads the row … ")
    try:
        report = TraceJob(request).run()
    finally:
        if sys.stderr.isatty():
            rewrite_line("")
    if options.json:
        print(sanitize_json(report.model_dump_json()))
    else:
        from tuneproof.tui.trace_text import trace_text

        print(trace_text(report, request.token, whole=options.all))
    return int(ExitCode.DONE)


def trace_request(options: argparse.Namespace) -> TraceRequest:
    """What the options ask for. Raises UsageError if they do not go together."""
    from tuneproof.engine.trace.report import TraceRequest

    source: Path = options.source
    if options.row is not None and options.id is not None:
        raise UsageError("--row and --id both name a row", fix="name only one")
    if options.run is not None and source.is_dir():
        raise UsageError("--run belongs to a case file", where=str(source), fix="the run folder alone shows its tuned model")
    if options.token is not None and options.token < 1:
        raise UsageError(f"there is no token {options.token}", where="--token", fix="positions begin with 1")
    number = int(options.row) if options.row is not None and options.row.isdecimal() else None
    if number == 0:
        raise UsageError("there is no row 0", where="--row", fix="rows begin with 1")
    if options.row is not None and number is None and ":" not in options.row:
        raise UsageError(f"`{options.row}` is neither a number nor FILE:LINE", where="--row", fix="try: --row 1")
    return TraceRequest(
        source=source,
        run=options.run,
        row=number if options.row is not None or options.id is not None else 1,
        place=options.row if number is None else None,
        case_id=options.id,
        token=options.token,
    )
