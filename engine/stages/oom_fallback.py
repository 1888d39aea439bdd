"""Going on with smaller parts of a batch where one ran out of memory: the rows of a step and their order stay as they are."""

from __future__ import annotations

from tuneproof.engine.core.errors import OutOfMemory, StartAgain
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Warned
from tuneproof.engine.run.store import RunStore

PARTS = "training/parts.json"


def parts_so_far(store: RunStore) -> int:
    """In how many parts a process runs its rows of a batch since memory ran out; 1 where it never did."""
    return artifacts.BatchParts.model_validate_json(store.read(PARTS)).accumulation if store.has(PARTS) else 1


def go_on_smaller(store: RunStore, log: EventLog, plan: Plan) -> OutOfMemory:
    """Puts down to run each batch in twice as many parts, or the next number that divides it, and raises StartAgain.

    Memory that was filled once is not given back whole, so a fresh process goes on, from the last checkpoint. Returns the error to raise
    where rows are run one at a time already.
    """
    rows = plan.rows_per_process
    smaller = [parts for parts in range(2 * plan.accumulation, rows + 1) if rows % parts == 0]
    if not smaller:
        return OutOfMemory(
            "out of memory with one row at a time",
            where=str(store.path),
            fix="free memory and add --resume; or set training.max_length, take a lighter method.name or a smaller model.base in a new run",
        )
    store.write(PARTS, artifacts.BatchParts(accumulation=smaller[0]).as_text())
    before, now = rows // plan.accumulation, rows // smaller[0]
    log.emit(Warned(message=f"out of memory with {before} rows at a time: going on with {now}, {smaller[0]} parts a step"), sync=True)
    raise StartAgain
