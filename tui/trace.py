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
    from tuneproof.engine.trace.report import TraceRequest, with_row

    source: Path = options.source
    if options.row is not None and options.id is not None:
        raise UsageError("--row and --id both name a row", fix="name only one")
    if options.run is not None and source.is_dir():
        raise UsageError("--run belongs to a case file", where=str(source), fix="the run folder alone shows its tuned model")
    if options.token is not None and options.token < 1:
        raise UsageError(f"there is no token {options.token}", where="--token", fix="positions begin with 1")
    request = TraceRequest(source=source, run=options.run, row=1, token=options.token)
    if options.id is not None:
        return request.model_copy(update={"row": None, "case_id": options.id})
    return request if options.row is None else with_row(request, options.row)
