"""Rows written in each of the formats, for the tests of the readers."""

from __future__ import annotations

from pathlib import Path

from tuneproof.engine.data.readers import LoadedExamples, read_examples

PIZZA_CESU_8 = b"\xed\xa0\xbc\xed\xbd\x95"
"""U+1F355 in CESU-8, as in the published SNIPS."""


def read_bytes(path: Path, content: bytes) -> LoadedExamples:
    """Writes a file and reads its examples."""
    path.write_bytes(content)
    return read_examples(str(path))


def jsonl(cells: list[bytes]) -> bytes:
    """A line for each cell, whose input is its number and the cell."""
    return b"".join(b'{"input": "%d ' % at + cell + b'", "output": "b"}\n' for at, cell in enumerate(cells))


def array(cells: list[bytes]) -> bytes:
    return b"[\n" + b",\n".join(jsonl([cell]).strip().replace(b'"0 ', b'"%d ' % at) for at, cell in enumerate(cells)) + b"\n]"


def within_an_object(cells: list[bytes]) -> bytes:
    return b'{"version": {"a": [1]}, "rows": ' + array(cells) + b', "licence": "none"}'


def table(cells: list[bytes]) -> bytes:
    return b"input,output\n" + b"".join(b"%d " % at + cell + b",b\n" for at, cell in enumerate(cells))
