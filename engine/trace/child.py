"""The process that has the model of a trace: `python -m tuneproof.engine.trace.child REQUEST`, a TraceRequest as JSON."""

from __future__ import annotations

import sys

from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.run.limits import machine_limit
from tuneproof.engine.run.quiet import quiet_libraries
from tuneproof.engine.trace.report import TraceProblem, TraceReply, TraceRequest


def reply_to(request: TraceRequest) -> TraceReply:
    """The trace, or why there is none. Imports torch."""
    try:
        quiet_libraries()
        from tuneproof.engine.trace.build import build_trace

        return TraceReply(report=build_trace(request))
    except TuneproofError as error:
        return _problem(error)
    except Exception as error:
        limit = machine_limit(error, request.source)
        if limit is None:
            raise
        return _problem(limit)


def _problem(error: TuneproofError) -> TraceReply:
    return TraceReply(problem=TraceProblem(kind=type(error).__name__, what=error.what, where=error.where, fix=error.fix))


if __name__ == "__main__":
    answer = reply_to(TraceRequest.model_validate_json(sys.argv[1])).model_dump_json()
    # Libraries may have printed before.
    sys.stdout.buffer.write(b"\n" + answer.encode())
