"""What happens when training runs out of memory: smaller micro-batches and more gradient accumulation, with the same steps."""

from __future__ import annotations

from tuneproof.engine.core.errors import OutOfMemory, RestartWorker
from tuneproof.engine.methods.plan import Plan
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Warned
from tuneproof.engine.run.facts import Facts
from tuneproof.engine.run.store import RunStore

PARTS = "training/parts.json"


class BatchParts(Facts):
    """The least gradient accumulation since memory ran out; the rows of a step, and their order, stay the same."""

    accumulation: int


def parts_so_far(store: RunStore) -> int:
    """The least gradient accumulation of a process since memory ran out; 1 if it never did."""
    return BatchParts.model_validate_json(store.read(PARTS)).accumulation if store.has(PARTS) else 1


def increase_accumulation(store: RunStore, log: EventLog, plan: Plan) -> OutOfMemory:
    """Doubles gradient accumulation, or takes the next number that divides the batch, and raises RestartWorker.

    The rows of a step and their order stay the same. A fresh process resumes from the last checkpoint, because memory that was used once is
    not given back whole. Returns the error to raise if rows are already run one at a time.
    """
    rows = plan.rows_per_process
    larger = [parts for parts in range(2 * plan.accumulation, rows + 1) if rows % parts == 0]
    if not larger:
        return OutOfMemory(
            "out of memory with one row at a time",
            where=str(store.path),
            fix="free memory, or set training.max_length or a lighter method.name, and add --resume; a smaller model.base takes a new run",
        )
    store.write(PARTS, BatchParts(accumulation=larger[0]).as_text())
    before, now = rows // plan.accumulation, rows // larger[0]
    log.emit(
        Warned(message=f"out of memory with {before} rows at a time: continuing with {now}, {larger[0]} accumulation steps"), sync=True
    )
    raise RestartWorker
