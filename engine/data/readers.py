"""What the case calls its examples, read: files, lists of files, folders and hub names, with every bad row named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tuneproof.engine.case.data import Columns
from tuneproof.engine.core.errors import DataRefused, ShapeUnknown
from tuneproof.engine.core.hashing import sha256_data, sha256_file
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.files import READERS, ending_of, read_file
from tuneproof.engine.data.problems import OtherShape, RowProblem, Unreadable
from tuneproof.engine.data.raw import BadRow, RawRow, Rows
from tuneproof.engine.data.shapes import SHAPES, RowError, Shape, detect, of_columns

QUARANTINE_ENDING = ".quarantine.jsonl"
"""How files of rows that were set aside are called."""

ROWS_FOR_THE_SHAPE = 1000
"""Rows at the head of a file by which its shape is told, so that one stray row does not decide for all that follow."""


@dataclass
class Reading:
    """The examples that could be read, the rows that could not, the shape of each file, and the digest of each file."""

    examples: list[Example] = field(default_factory=list)
    problems: list[tuple[Source, RowProblem]] = field(default_factory=list)
    shapes: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)


def read_examples(named: str | list[str], columns: Columns | None = None, apart_from: Collection[str] = ()) -> Reading:
    """Every example of a file, a list of files, a folder or a hub data set.

    Files are named in sources by the shortest ending that tells them apart from each other and from `apart_from`.
    Raises DataRefused where nothing can be read, or where the
    shape cannot be told.
    """
    reading = Reading()
    names = [named] if isinstance(named, str) else named
    for label, path in labelled_paths(named, apart_from).items():
        _read_rows(reading, label, read_file(path), columns)
        reading.digests[label] = sha256_file(path)
    for name in names:
        if not Path(name).exists():
            _read_rows(reading, name, _hub_rows(name), columns)
            reading.digests[name] = sha256_data([e.content_hash for e in reading.examples if e.source.file == name])
    if not reading.examples:
        raise nothing_read(names, reading.problems)
    return reading


def read_labelled(label: str, path: Path, columns: Columns | None = None) -> Reading:
    """The rows of one file, whose sources are to have this name; it may be that none can be read."""
    reading = Reading()
    _read_rows(reading, label, read_file(path), columns)
    return reading


def nothing_read(names: list[str], problems: list[tuple[Source, RowProblem]]) -> DataRefused:
    """What is said where not a single row can be read."""
    first = f"; the first: {problems[0][0]}: {problems[0][1]}" if problems else ""
    return DataRefused(f"no row could be read{first}", where=", ".join(names), fix="see the formats in the README")


def labelled_paths(named: str | list[str], apart_from: Collection[str] = ()) -> dict[str, Path]:
    """The files behind what the case calls its examples, by the names that sources have; hub data sets have none."""
    names = [named] if isinstance(named, str) else named
    paths = [path for name in names for path in _paths(name)]
    return dict(zip(_labels(paths, apart_from), paths, strict=True))


def _paths(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file() and ending_of(p).format in READERS)
        # Rows that were set aside beside the data are not data.
        found = [p for p in found if not p.name.endswith(QUARANTINE_ENDING)]
        if not found:
            raise DataRefused("the folder holds no file of a known format", where=name, fix=f"known: {', '.join(READERS)}")
        return found
    return [path] if path.exists() else []


def _labels(paths: list[Path], taken: Collection[str]) -> list[str]:
    """File names, with as many folders before them as it takes to tell the files apart."""
    for depth in range(1, max((len(p.parts) for p in paths), default=1) + 1):
        labels = ["/".join(p.parts[-depth:]) for p in paths]
        if len(set(labels)) == len(labels) and not set(labels) & set(taken):
            return labels
    return [str(p) for p in paths]


def _read_rows(reading: Reading, label: str, rows: Rows, columns: Columns | None) -> None:
    shape = of_columns(columns) if columns else None
    unknown: tuple[Source, Mapping[str, Any]] | None = None
    first = list(islice(rows, ROWS_FOR_THE_SHAPE))
    shape = shape or _commonest(row.value for row in first if isinstance(row, RawRow) and isinstance(row.value, Mapping))
    for row in chain(first, rows):
        source = Source(label, row.line)
        if isinstance(row, BadRow):
            reading.problems.append((source, row.problem))
            continue
        if not isinstance(row.value, Mapping):
            reading.problems.append((source, Unreadable("not a record of named fields")))
            continue
        shape = shape or detect(row.value)
        if shape is None:
            unknown = unknown or (source, row.value)
            reading.problems.append((source, Unreadable(f"no known shape has the keys {', '.join(map(str, row.value))}")))
        else:
            _convert(reading, shape, row.value, source, told=columns is not None)
    if shape is not None:
        reading.shapes[label] = shape.name
    elif unknown is not None:
        raise ShapeUnknown(
            f"the shape of the data cannot be told from the keys {', '.join(map(str, unknown[1]))}",
            where=str(unknown[0]),
            fix="say which is which in the case: data.columns: {input: ..., output: ...}",
        )


def _commonest(records: Iterable[Mapping[str, Any]]) -> Shape | None:
    """The shape that most of the records have; of equally many, the one that comes first."""
    counted = Counter(shape.name for record in records if (shape := detect(record)))
    return next((shape for shape in SHAPES if counted and shape.name == counted.most_common(1)[0][0]), None)


def _convert(reading: Reading, shape: Shape, row: Mapping[str, Any], source: Source, *, told: bool) -> None:
    missing = ", ".join(f"`{key}`" for key in sorted(shape.needs - row.keys()))
    other = detect(row) if missing and not told else None
    if other:
        reading.problems.append((source, OtherShape(f"the row is {other.name}, the file {shape.name}", other.name, shape.name)))
    elif missing:
        reading.problems.append((source, Unreadable(f"{missing} missing")))
    else:
        try:
            reading.examples.append(shape.convert(row, source))
        except RowError as problem:
            reading.problems.append((source, problem.kind(str(problem))))


def _hub_rows(name: str) -> Rows:
    if name.count("/") > 1 or name.startswith((".", "/", "~")) or Path(name).suffix.lower() in READERS:
        raise DataRefused("there is no such file", where=name, fix="paths are relative to the case file")
    import datasets

    try:
        rows = datasets.load_dataset(name, split="train")
    except Exception as error:
        # The hub client raises dozens of unrelated classes for "not found" and "no network".
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataRefused(
            f"neither a file here nor a data set that could be loaded from the hub: {reason}",
            where=name,
            fix="paths are relative to the case file",
        ) from None
    for number, value in enumerate(rows, start=1):
        yield RawRow(number, value)
