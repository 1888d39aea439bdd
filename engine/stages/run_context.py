"""What every stage is given: the run folder, the case, the log, and the request to stop."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.case.schema import Case
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import Warned
from tuneproof.engine.run.killed import Killed
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.step_id import StepId
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

    def is_done(self, step: StepId, inputs: Inputs) -> bool:
        """Whether a step up to the freeze was done before from the same inputs; if it was from others, says that it is done again.

        Raises GateClosed if the eval set is frozen and the inputs are others, or if a file of the step has changed.
        """
        changed = self.store.forget_if_changed(step, inputs)
        if changed:
            self.log.emit(Warned(message=f"{step}: done again, because this changed: {', '.join(changed)}"))
        return self.store.is_done(step, inputs)
