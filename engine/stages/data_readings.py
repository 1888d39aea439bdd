"""The data files of a case, read once for the audit and the split."""

from __future__ import annotations

from functools import cached_property

from tuneproof.engine.case.data import Data
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.pace import Pace
from tuneproof.engine.data.readers import LoadedExamples, ReadingProgress, read_examples
from tuneproof.engine.data.reading_limits import ReadingLimits


class DataReadings:
    """The examples of a case and, if it names one, its separate eval file; each is read when a stage first needs it."""

    def __init__(self, data: Data, pace: Pace) -> None:
        self.data, self.pace = data, pace
        self._limits = ReadingLimits.of_this_machine(allow_large=data.allow_large)

    @cached_property
    def examples(self) -> LoadedExamples:
        """The rows under `data.examples`."""
        return read_examples(self.data.examples, self.data.columns, limits=self._limits, on_progress=self._progressed)

    @cached_property
    def eval(self) -> LoadedExamples | None:
        """The rows under `data.eval`; None if the eval set is cut from the examples. Raises CaseError if it is the same file."""
        if self.data.eval is None:
            return None
        if self.data.eval == self.data.examples:
            raise CaseError(
                "`data.eval` is the same file as `data.examples`",
                where="data.eval",
                fix="leave it out: the examples are then divided",
            )
        return read_examples(
            self.data.eval, self.data.columns, apart_from=self.examples.shapes, limits=self._limits, on_progress=self._progressed
        )

    def take_over(self, earlier: DataReadings) -> None:
        """Takes over the rows that were read before from the same files in the same way."""
        self.__dict__ |= {name: earlier.__dict__[name] for name in ("examples", "eval") if name in earlier.__dict__}

    def _progressed(self, progress: ReadingProgress) -> None:
        self.pace.reading(progress.file, progress.rows, progress.share)

    @property
    def all(self) -> list[LoadedExamples]:
        """The examples, then the eval file if there is one."""
        return [self.examples, *([self.eval] if self.eval else [])]

    @property
    def eval_rows(self) -> list[Example]:
        """The rows of the eval file; empty if there is none."""
        return self.eval.examples if self.eval else []
