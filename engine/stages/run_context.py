"""What every stage is given: the run folder, the case, the log, and the request to stop."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.case.schema import Case
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.killed import Killed
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import RunStore


@dataclass(frozen=True)
class RunContext:
    """One run while its stages are done by this process, which holds the run's lock."""

    store: RunStore
    case: Case
    log: EventLog
    stop: StopRequest
    killed: Killed | None = None
    """How the process before this one died, if it could not say so itself."""
