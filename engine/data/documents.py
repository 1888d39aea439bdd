"""The documents that the retrieval arm searches, as passages short enough for a prompt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.core.hashing import sha256_data, sha256_file

SUFFIXES = {".txt", ".md"}

MAX_WORDS = 120
"""Words in a passage: about one paragraph, so that several passages fit a small context."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document."""

    file: str
    """Relative to the folder of documents, with `/`."""
    line: int
    """Where it begins, from 1."""
    text: str

    @property
    def location(self) -> str:
        """File and line, as `file.md:12`."""
        return f"{self.file}:{self.line}"


def read_passages(folder: Path) -> list[Passage]:
    """The passages of all text files below a folder, by file name. Raises CaseError if there are none, or if a file cannot be read."""
    return [
        passage
        for file in document_files(folder)
        for passage in split_into_passages(_text(file, folder), file.relative_to(folder).as_posix())
    ]


def document_files(folder: Path) -> list[Path]:
    """The .txt and .md files below a folder, sorted. Raises CaseError if there is no such folder, or no text in it."""
    if not folder.is_dir():
        raise CaseError("there is no such folder", where=f"data.documents: {folder}", fix="name a folder with .txt or .md files")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not any(path.stat().st_size for path in files):
        raise CaseError("the folder has no text", where=f"data.documents: {folder}", fix="put .txt or .md files into it")
    return files


def documents_digest(folder: Path) -> str:
    """The digest of all documents with their names."""
    return sha256_data({file.relative_to(folder).as_posix(): sha256_file(file) for file in document_files(folder)})


def split_into_passages(text: str, file: str) -> Iterator[Passage]:
    """The paragraphs of a text. A heading goes with the paragraph after it, and a long paragraph is divided between sentences."""
    heading: list[tuple[int, str]] = []
    for paragraph in _paragraphs(text):
        lines = [*heading, *paragraph]
        if all(line.lstrip().startswith("#") for _, line in paragraph):
            heading = lines
            continue
        heading = []
        yield from (Passage(file, piece[0][0], _joined(piece)) for piece in _pieces(lines))
    if heading:
        yield Passage(file, heading[0][0], _joined(heading))


def _text(file: Path, folder: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"the document cannot be read: {error}", where=f"data.documents: {file.relative_to(folder)}") from None


def _paragraphs(text: str) -> Iterator[list[tuple[int, str]]]:
    numbered = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    for is_text, lines in groupby(numbered, key=lambda each: bool(each[1])):
        if is_text:
            yield list(lines)


def _pieces(lines: list[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Groups of sentences of at most MAX_WORDS words; a longer sentence is divided between words."""
    piece: list[tuple[int, str]] = []
    for line, sentence in _sentences(lines):
        if piece and sum(_words(text) for _, text in piece) + _words(sentence) > MAX_WORDS:
            yield piece
            piece = []
        piece.append((line, sentence))
    if piece:
        yield piece


def _sentences(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    for line, text in lines:
        for sentence in _SENTENCE_END.split(text):
            words = sentence.split()
            for at in range(0, len(words), MAX_WORDS):
                yield line, " ".join(words[at : at + MAX_WORDS])


def _joined(piece: list[tuple[int, str]]) -> str:
    """The text of a piece, with the line breaks of the document."""
    return "\n".join(" ".join(text for _, text in line) for _, line in groupby(piece, key=lambda each: each[0]))


def _words(text: str) -> int:
    return len(text.split())
