"""What a run is busy with at the moment, and how long that will take."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.run.events import Progressed
from tuneproof.engine.run.work import Unit, Work


@dataclass(frozen=True)
class WorkInProgress:
    """One piece of work that has begun and not ended."""

    work: Work
    about: str
    began: float
    """Seconds since 1970."""
    seen: float
    """When `done` was reported; seconds since 1970."""
    done: int = 0
    of: int | None = None
    unit: Unit | None = None
    first: int = 0
    """How much was done when it began: what an earlier process had done took this one no time."""
    seconds_each: float | None = None
    """Seconds for one more, where that is known better than from the beginning on."""

    @classmethod
    def begun(cls, event: Progressed) -> WorkInProgress:
        """The work that an event begins."""
        return cls(event.work, event.about, event.ts, event.ts, event.done, event.of, event.unit, first=event.done)

    def is_same(self, event: Progressed) -> bool:
        """Whether an event is about this work. Checks and files follow each other under other names, and arms do not."""
        return event.work is self.work and (event.about == self.about or event.work in (Work.CHECKING, Work.READING))

    def after(self, event: Progressed) -> WorkInProgress:
        """This work once an event about it has happened; begun again with another file, or if less is done than before."""
        if event.done < self.done or (event.work is Work.READING and self.about not in ("", event.about)):
            return WorkInProgress.begun(event)
        return WorkInProgress(self.work, event.about, self.began, event.ts, event.done, event.of, event.unit, first=self.first)

    @property
    def share(self) -> float | None:
        """How much is done, from 0 to 1; None if the whole is not known."""
        return None if not self.of else min(1.0, self.done / self.of)

    def elapsed(self, now: float) -> float:
        """Seconds since it began. The clock of the worker's machine may be ahead of this one's."""
        return max(now, self.seen) - self.began

    @property
    def rate(self) -> float | None:
        """How many are done in a second; None if that cannot be said yet."""
        if self.seconds_each:
            return 1 / self.seconds_each
        done, seconds = self.done - self.first, self.seen - self.began
        return done / seconds if done > 0 and seconds > 0 else None

    def left(self, now: float) -> float | None:
        """Seconds until all is done at this rate; None if that cannot be said.

        What has not been reported is not done, however late it is: only the one that is being done may be nearly so.
        """
        if self.of is None or self.rate is None:
            return None
        todo = self.of - self.done
        return max(0.0, (todo - 1) / self.rate, todo / self.rate - max(0.0, now - self.seen))
