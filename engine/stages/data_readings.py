"""The data files of a case, read once for the audit and the split."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property

from tuneproof.engine.case.data import Data
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.notes import NotRead
from tuneproof.engine.data.parts import Part
from tuneproof.engine.data.readers import LoadedExamples, OnProgress, ReadingProgress, read_examples
from tuneproof.engine.data.reading_limits import ReadingLimits
from tuneproof.engine.data.source_files import source_files
from tuneproof.engine.run.event import EventSink
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.work import Unit, Work


class DataReadings:
    """The examples of a case and, if it names one, its separate eval file; each is read when a stage first needs it."""

    def __init__(self, data: Data, log: EventSink) -> None:
        self.data, self._log = data, log
        self._limits = ReadingLimits.of_this_machine(allow_large=data.allow_large)

    @property
    def examples(self) -> LoadedExamples:
        """The rows under `data.examples`, without those whose file, sheet or list is called test or eval."""
        return self._examples[0]

    @cached_property
    def _examples(self) -> tuple[LoadedExamples, LoadedExamples | None]:
        examples, held_out = self._read(self.data.examples).apart()
        if held_out is not None and self.data.eval is not None:
            _note_not_read(examples, held_out, self.data.eval, self.data.examples)
        return examples, held_out

    @cached_property
    def eval(self) -> LoadedExamples | None:
        """The rows under `data.eval`, or those of the examples whose file, sheet or list is called test or eval.

        None if the eval set is cut from the examples. Raises CaseError if `data.eval` is the same file as the examples.
        """
        if self.data.eval is None:
            return self._examples[1]
        if self.data.eval == self.data.examples:
            raise CaseError(
                "`data.eval` is the same file as `data.examples`",
                where="data.eval",
                fix="leave it out: the examples are then divided",
            )
        return self._read(self.data.eval, apart_from=self.examples.shapes)

    def take_over(self, earlier: DataReadings) -> None:
        """Takes over the rows that were read before from the same files in the same way."""
        self.__dict__ |= {name: earlier.__dict__[name] for name in ("_examples", "eval") if name in earlier.__dict__}

    @property
    def validation_rows(self) -> frozenset[Source]:
        """The examples whose file, sheet or list is called validation; they are that part."""
        return frozenset(source for source, part in self.examples.parts.items() if part is Part.VALIDATION)

    @property
    def parts_by_name(self) -> dict[Part, list[str]]:
        """The files whose rows, or some of them, are the eval set or the validation part by the name of the file, sheet or list."""
        eval_set = self._examples[1] if self.data.eval is None else None
        rows = {Part.EVAL: [e.source for e in eval_set.examples] if eval_set else [], Part.VALIDATION: self.validation_rows}
        return {part: sorted({source.file for source in sources}) for part, sources in rows.items() if sources}

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


def _note_not_read(examples: LoadedExamples, held_out: LoadedExamples, named_eval: str | list[str], named: str | list[str]) -> None:
    """Notes the rows of a test file that are neither trained on nor scored, because the case names other ones to score."""
    scored = {path.resolve() for path in source_files(named_eval).values()}
    files = {name: path.resolve() for name, path in source_files(named).items()}
    rows = [example.source for example in held_out.examples if files.get(example.source.file) not in scored]
    if rows:
        note = NotRead("the test part of the examples, because data.eval names another eval set", len(rows))
        examples.notes.rows.setdefault(note, []).append(rows[0])


@contextmanager
def reading(log: EventSink) -> Iterator[OnProgress]:
    """Reports a reading of data; gives what it has to call."""
    with working(log, Work.READING, unit=Unit.ROWS) as report:

        def on_progress(progress: ReadingProgress) -> None:
            # How many rows a file has is not known before its end.
            of = round(progress.rows / progress.share) if progress.share else None
            report.advance(progress.rows, of, about=progress.file)

        yield on_progress
