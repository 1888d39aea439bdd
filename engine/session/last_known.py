"""What was known of the rows when they were last read, so that the screens keep it while they are read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuneproof.engine.audit.report import Report
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.run.events import SplitFrozen

DECIDED = {"leave_out", "accept", "split"}
"""Keys of the data that say what becomes of the rows, and not which rows there are."""


@dataclass
class LastKnown:
    """The newest audit and the newest split of the same files, whatever the task was then."""

    report: Report | None = None
    split: SplitFrozen | None = None
    _rows: dict[str, Any] | None = None

    def see(self, content: DraftCase, report: Report | None, split: SplitFrozen | None) -> LastKnown:
        """Takes in what is known now; what is not keeps what was known before, as long as the rows are the same ones."""
        rows = content.data.model_dump(exclude=DECIDED) if content.data is not None else None
        if rows != self._rows:
            self._rows, self.report, self.split = rows, None, None
        self.report, self.split = report or self.report, split or self.split
        return self
