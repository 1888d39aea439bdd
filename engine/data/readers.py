"""Reading the examples of a case: files, lists of files, folders and data sets on the hub. Every row that cannot be used is listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tuneproof.engine.case.data import Columns, Turns
from tuneproof.engine.core.errors import DataRefused, ShapeUnknown
from tuneproof.engine.core.hashing import sha256_data, sha256_file
from tuneproof.engine.core.storable import NotStorable, require_characters, require_storable
from tuneproof.engine.core.text_file import exists
from tuneproof.engine.data.arrow_values import plain_row
from tuneproof.engine.data.cells import RowError
from tuneproof.engine.data.class_names import namings
from tuneproof.engine.data.content import Content, require_data_file
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.file_encoding import likely_encoding
from tuneproof.engine.data.files import FORMATS, file_type, read_file
from tuneproof.engine.data.notes import NotRead, RenamedColumns, RowNote, RowNotes, TakenPart
from tuneproof.engine.data.parts import Part
from tuneproof.engine.data.problems import DifferentShape, NotUtf8Row, RowProblem, UnreadableRow
from tuneproof.engine.data.raw import InvalidRow, RawRow, RawRows
from tuneproof.engine.data.reading_limits import ReadingLimits
from tuneproof.engine.data.row_shape import RowShape
from tuneproof.engine.data.shapes import SHAPES, detect_shape, named_shape
from tuneproof.engine.data.source_files import files_not_read, source_files, source_parts

PROGRESS_ROWS = 1000
"""Rows after which progress is reported."""

MOST_SHOWN_KEYS, MOST_SHOWN_CHARACTERS = 12, 60
"""What a message shows of the keys of a row."""

SHAPE_SAMPLE_ROWS = 1000
"""Rows at the start of a file that decide its shape together, so that a stray first row does not decide it alone."""


@dataclass
class LoadedExamples:
    """The examples of a case or of a file, and what is known of how they were read."""

    examples: list[Example] = field(default_factory=list)
    problems: list[tuple[Source, RowProblem]] = field(default_factory=list)
    """The rows that could not be used."""
    notes: RowNotes = field(default_factory=RowNotes)
    """What the user should know of how rows were read."""
    shapes: dict[str, str] = field(default_factory=dict)
    """The name of each file's shape, by the name of the file in sources."""
    digests: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each file, by the name of the file in sources."""
    parts: dict[Source, Part] = field(default_factory=dict)
    """The part of each row that has one besides train, because its file, sheet or list is called so."""

    def apart(self) -> tuple[LoadedExamples, LoadedExamples | None]:
        """What is not for eval, and what is; None if no row is, or all are. Problems and notes are with the first."""
        if Part.EVAL not in self.parts.values():
            return self, None
        rest = [e for e in self.examples if self.parts.get(e.source) is not Part.EVAL]
        held = [e for e in self.examples if self.parts.get(e.source) is Part.EVAL]
        if not held or not rest:
            return self, None
        files = {e.source.file for e in held} - {e.source.file for e in rest}
        first, second = ({f: s for f, s in self.shapes.items() if (f in files) is of_eval} for of_eval in (False, True))
        digests = [{f: d for f, d in self.digests.items() if (f in files) is of_eval} for of_eval in (False, True)]
        others: dict[Source, Part] = {source: part for source, part in self.parts.items() if part is not Part.EVAL}
        return (
            LoadedExamples(rest, self.problems, self.notes, first, digests[0], others),
            LoadedExamples(held, [], RowNotes(), second, digests[1]),
        )


@dataclass(frozen=True)
class ReadingProgress:
    """How far the reading of a file has come."""

    file: str
    rows: int
    share: float
    """The part of the file's bytes that has been read, from 0 to 1."""


OnProgress = Callable[[ReadingProgress], None]


def read_examples(
    named: str | list[str],
    columns: Columns | None = None,
    apart_from: Collection[str] = (),
    limits: ReadingLimits | None = None,
    on_progress: OnProgress = lambda progress: None,
    *,
    turns: Turns = Turns.LAST,
) -> LoadedExamples:
    """All examples of a file, a list of files, a folder or a data set on the hub.

    `columns` says which columns hold input and output, if not the shape of the rows, and `turns` which turns of a conversation are
    examples. Sources name each file by its last parts, as few as tell it from the other files and from the names in `apart_from`.
    `limits` are those of this machine if they are not given; `on_progress` is called every PROGRESS_ROWS rows. Raises DataRefused if no
    row can be read or memory cannot hold the rows, and ShapeUnknown if the rows of a file have no known shape.
    """
    loaded = LoadedExamples(notes=RowNotes(turns=turns))
    limits = limits or ReadingLimits.of_this_machine()
    names = [named] if isinstance(named, str) else named
    files = source_files(named, apart_from)
    for path in files.values():
        require_data_file(path)
    _require_room(files.values(), limits)
    parts = source_parts(named, apart_from)
    for source_name, path in files.items():
        _add_file(loaded, source_name, path, columns, limits, on_progress, parts[source_name])
        loaded.digests[source_name] = sha256_file(path)
    for name in names:
        if not exists(Path(name)):
            _add_rows(loaded, name, _hub_rows(name), columns)
            loaded.digests[name] = sha256_data([e.content_hash for e in loaded.examples if e.source.file == name])
    if not loaded.examples:
        raise no_rows_error(names, loaded.problems)
    loaded.notes.rows |= unread_files(named, loaded.examples[0].source)
    return loaded


def unread_files(named: str | list[str], row: Source) -> dict[RowNote, list[Source]]:
    """What of the folders among the names is not read, if anything, as a note at a row."""
    files = files_not_read(named)
    if files:
        shown = ", ".join(path.name[:MOST_SHOWN_CHARACTERS] for path in files[:MOST_SHOWN_KEYS])
        more = f" and {len(files) - MOST_SHOWN_KEYS:,} more" if len(files) > MOST_SHOWN_KEYS else ""
        return {NotRead(f"{shown}{more} in the folder, of a format that is not known", None): [row]}
    return {}


def read_file_as(
    source_name: str,
    path: Path,
    columns: Columns | None = None,
    *,
    part: Part = Part.TRAIN,
    turns: Turns = Turns.LAST,
    allow_large: bool = False,
) -> LoadedExamples:
    """The examples of one file of a part, with a given name in their sources; there may be none.

    Raises DataRefused as `read_file` does.
    """
    loaded = LoadedExamples(notes=RowNotes(turns=turns))
    _add_file(loaded, source_name, path, columns, ReadingLimits.of_this_machine(allow_large=allow_large), lambda progress: None, part)
    return loaded


def _add_file(
    loaded: LoadedExamples,
    source_name: str,
    path: Path,
    columns: Columns | None,
    limits: ReadingLimits,
    on_progress: OnProgress,
    part: Part = Part.TRAIN,
) -> None:
    opened: list[Content] = []
    rows = _counted(read_file(path, limits, opened.append), source_name, path, opened, limits, on_progress)
    first = len(loaded.problems)
    _add_rows(loaded, source_name, rows, columns, part)
    _name_encoding(loaded, first, path)


def _name_encoding(loaded: LoadedExamples, first: int, path: Path) -> None:
    """Says in the problems from one on, which are of one file, which encoding the file probably has."""
    if not any(isinstance(problem, NotUtf8Row) for _, problem in loaded.problems[first:]):
        return
    if encoding := likely_encoding(path, file_type(path).compression):
        loaded.problems[first:] = [
            (source, problem.in_file_of(encoding) if isinstance(problem, NotUtf8Row) else problem)
            for source, problem in loaded.problems[first:]
        ]


def _counted(
    rows: RawRows, source_name: str, path: Path, opened: Sequence[Content], limits: ReadingLimits, on_progress: OnProgress
) -> RawRows:
    """The rows, counted against the limits, and reported as they come."""
    number = 0
    for number, row in enumerate(rows, start=1):
        if number % PROGRESS_ROWS == 0:
            limits.take(str(path), rows=PROGRESS_ROWS)
            on_progress(ReadingProgress(source_name, number, opened[0].share_read))
        yield row
    limits.take(str(path), rows=number % PROGRESS_ROWS)


def _require_room(paths: Iterable[Path], limits: ReadingLimits) -> None:
    """Raises DataRefused, before anything is read, for files that together are larger than memory."""
    total = 0
    for path in paths:
        total += path.stat().st_size if not file_type(path).compression else 0
        limits.require_room(str(path), text_bytes=total)


def no_rows_error(names: list[str], problems: list[tuple[Source, RowProblem]]) -> DataRefused:
    """The error to raise if not a single row can be used."""
    first = f"; the first problem is at {problems[0][0]}: {problems[0][1]}" if problems else ""
    return DataRefused(
        f"no row could be read{first}",
        where=", ".join(names),
        fix="a row needs a request and an answer, under names that are known or chosen as the columns; docs/data.md has the shapes",
    )


def _add_rows(loaded: LoadedExamples, source_name: str, rows: RawRows, columns: Columns | None, part: Part = Part.TRAIN) -> None:
    """Converts the rows of one file to examples of its shape."""
    before = len(loaded.examples)
    unknown: tuple[Source, RawRow] | None = None
    once = _OnceAFile()
    sample = list(islice(rows, SHAPE_SAMPLE_ROWS))
    first = [row.value for row in sample if isinstance(row, RawRow) and isinstance(row.value, Mapping)]
    shape = named_shape(columns, first) if columns else _most_frequent_shape(first)
    for row in chain(sample, rows):
        source = Source(source_name, row.line)
        if isinstance(row, InvalidRow):
            loaded.problems.append((source, row.problem))
            continue
        if not isinstance(row.value, Mapping):
            loaded.problems.append((source, UnreadableRow("not an object with named fields")))
            continue
        if (unstorable := _unstorable(row.value)) is not None:
            loaded.problems.append((source, unstorable))
            continue
        shape = shape or detect_shape(row.value)
        if shape is None:
            unknown = unknown or (source, row)
            loaded.problems.append((source, UnreadableRow(f"no known shape has the keys {_keys(row.value)}")))
        else:
            taken = row.part or part
            if taken is not Part.TRAIN:
                loaded.parts[source] = taken
            notes = once.with_row(row.notes, taken) if row.notes or once.waiting or taken is not Part.TRAIN else ()
            if _add_row(loaded, shape, row.value, source, notes, is_detected=columns is None) and notes:
                once.waiting.clear()
    if shape is not None:
        loaded.shapes[source_name] = shape.name
        if shape.settle is not None:
            loaded.examples[before:] = shape.settle(loaded.examples[before:], loaded.problems, loaded.notes)
    elif unknown is not None:
        renamed = [note.name for note in unknown[1].notes if isinstance(note, RenamedColumns)]
        also = f"; two columns are called `{renamed[0][:MOST_SHOWN_CHARACTERS]}`" if renamed else ""
        raise ShapeUnknown(
            f"no known shape has the keys {_keys(unknown[1].value)}{also}",
            where=str(unknown[0]),
            fix="name the columns in the case: data.columns: {input: ..., output: ...}",
        )


class _OnceAFile:
    """The notes that are said once a file, which wait for a row that can be used."""

    def __init__(self) -> None:
        self.waiting: list[RowNote] = []
        self._parts = set[Part]()

    def with_row(self, of_row: Sequence[RowNote], part: Part) -> Sequence[RowNote]:
        """What is to be noted at a row of a part, with what waits."""
        self.waiting += [note for note in of_row if note.of_file]
        if part is not Part.TRAIN and part not in self._parts:
            self.waiting.append(TakenPart(part))
            self._parts.add(part)
        return [*(note for note in of_row if not note.of_file), *self.waiting]


def _unstorable(row: Mapping[str, Any]) -> UnreadableRow | None:
    """What of a row no run could store, in a column that is used or not."""
    for key, value in row.items():
        try:
            require_characters(key)
            require_storable(value)
        except NotStorable as error:
            return UnreadableRow(f"`{key[:MOST_SHOWN_CHARACTERS]}` {error}")
    return None


def _keys(row: Mapping[str, Any]) -> str:
    shown = [key[:MOST_SHOWN_CHARACTERS] for key in islice(row, MOST_SHOWN_KEYS)]
    return ", ".join(shown) + (f" and {len(row) - len(shown):,} more" if len(row) > len(shown) else "")


def _most_frequent_shape(rows: Iterable[Mapping[str, Any]]) -> RowShape | None:
    """The shape that most of the rows have; if several are as frequent, the one that is first in `SHAPES`."""
    counts = Counter(shape.name for row in rows if (shape := detect_shape(row)))
    return next((shape for shape in SHAPES if counts and shape.name == counts.most_common(1)[0][0]), None)


def _add_row(
    loaded: LoadedExamples, shape: RowShape, row: Mapping[str, Any], source: Source, notes: Sequence[RowNote], *, is_detected: bool
) -> bool:
    """Adds the examples of one row of its file's shape, or a problem, and returns whether it has any.

    `notes` are those of the reader; `is_detected` if the shape does not come from `data.columns`.
    """
    missing = ", ".join(f"`{key}`" for key in sorted(shape.required_keys - row.keys()))
    other = detect_shape(row) if missing and is_detected else None
    if other:
        message = f"the row's shape is {other.name}, the file's is {shape.name}"
        loaded.problems.append((source, DifferentShape(message, other.name, shape.name)))
    elif missing:
        loaded.problems.append((source, UnreadableRow(f"{missing} missing")))
    else:
        try:
            loaded.examples += shape.examples(row, source, loaded.notes)
            loaded.notes.waiting.extend(notes)
            if loaded.notes.waiting:
                loaded.notes.keep(source)
            return True
        except RowError as error:
            loaded.notes.waiting.clear()
            loaded.problems.append((source, error.problem()))
    return False


def _hub_rows(name: str) -> RawRows:
    """The rows of the train split of a data set on the hub."""
    if name.count("/") > 1 or name.startswith((".", "/", "~")) or Path(name).suffix.lower() in FORMATS:
        raise DataRefused("there is no such file", where=name, fix="paths are relative to the case file")
    import datasets

    try:
        rows = datasets.load_dataset(name, split="train")
    except Exception as error:
        # For "not found" and "no network" the hub client raises dozens of classes that have no common base.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataRefused(
            f"there is no such file, and no data set of that name could be loaded from the hub: {reason}",
            where=name,
            fix="paths are relative to the case file",
        ) from None
    named = namings(rows.features.to_dict()) if getattr(rows, "features", None) else {}
    others = getattr(getattr(rows, "info", None), "splits", None) or {}
    notes: tuple[RowNote, ...] = tuple(
        NotRead(f"the split `{split}` of {name}", info.num_examples) for split, info in others.items() if split != "train"
    )
    for number, value in enumerate(rows, start=1):
        row = plain_row(value)
        row |= {column: naming(row[column]) for column, naming in named.items() if column in row}
        yield RawRow(number, row, notes if number == 1 else ())
