"""The data files of a case, read once for the audit and the split."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property

from tuneproof.engine.case.data import Data
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Example
from tuneproof.engine.data.readers import LoadedExamples, OnProgress, ReadingProgress, read_examples
from tuneproof.engine.data.reading_limits import ReadingLimits
from tuneproof.engine.run.event import EventSink
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.work import Unit, Work


class DataReadings:
    """The examples of a case and, if it names one, its separate eval file; each is read when a stage first needs it."""

    def __init__(self, data: Data, log: EventSink) -> None:
        self.data, self._log = data, log
        self._limits = ReadingLimits.of_this_machine(allow_large=data.allow_large)

    @cached_property
    def examples(self) -> LoadedExamples:
        """The rows under `data.examples`."""
        return self._read(self.data.examples)

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
        return self._read(self.data.eval, apart_from=self.examples.shapes)

    def take_over(self, earlier: DataReadings) -> None:
        """Takes over the rows that were read before from the same files in the same way."""
        self.__dict__ |= {name: earlier.__dict__[name] for name in ("examples", "eval") if name in earlier.__dict__}

    @property
    def all(self) -> list[LoadedExamples]:
        """The examples, then the eval file if there is one."""
        return [self.examples, *([self.eval] if self.eval else [])]

    @property
    def eval_rows(self) -> list[Example]:
        """The rows of the eval file; empty if there is none."""
        return self.eval.examples if self.eval else []

    def _read(self, named: str | list[str], apart_from: Collection[str] = ()) -> LoadedExamples:
        with reading(self._log) as on_progress:
            return read_examples(named, self.data.columns, apart_from, self._limits, on_progress, turns=self.data.turns)


@contextmanager
def reading(log: EventSink) -> Iterator[OnProgress]:
    """Reports a reading of data; gives what it has to call."""
    with working(log, Work.READING, unit=Unit.ROWS) as report:

        def on_progress(progress: ReadingProgress) -> None:
            # How many rows a file has is not known before its end.
            of = round(progress.rows / progress.share) if progress.share else None
            report.advance(progress.rows, of, about=progress.file)

        yield on_progress
