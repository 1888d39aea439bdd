"""Finding JSON documents in the text that a model writes, as it is written or afterwards."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_CLOSERS = {"{": "}", "[": "]"}
_LOOKS_LIKE_OBJECT = re.compile(r"\{\s*(?:[\"'}]|\w+\s*:)")


@dataclass
class DocumentWatch:
    """Reads an answer piece by piece, and says when its JSON document has closed.

    A document begins with the first bracket that is the first character of its line: after nothing, after prose, or after a code fence.
    Brackets inside strings do not count. An object ends where its brackets balance, whether or not a parser accepts it; an array only if it
    is valid JSON, because a line of prose may begin with brackets as well. Text inside `<think>` is not the answer.
    """

    end: int | None = None
    """Where the document ends, as the number of characters read up to there; None as long as it has not closed."""
    _text: list[str] = field(default_factory=list)
    _closers: list[str] = field(default_factory=list)
    _start: int = 0
    _line_is_blank: bool = True
    _in_string: bool = False
    _escaped: bool = False

    def read(self, piece: str) -> bool:
        """Reads what comes next; returns whether the document has closed."""
        for character in piece:
            if self.end is not None:
                break
            self._text.append(character)
            self._read_character(character)
        return self.end is not None

    def _read_character(self, character: str) -> None:
        if not self._closers:
            if character in _CLOSERS and self._line_is_blank and not self._is_thinking():
                self._start = len(self._text) - 1
                self._closers.append(_CLOSERS[character])
            self._line_is_blank = character == "\n" or (self._line_is_blank and character.isspace())
        elif self._in_string:
            if self._escaped or character == "\\":
                self._escaped = not self._escaped
            elif character == '"':
                self._in_string = False
        elif character == '"':
            self._in_string = True
        elif character in _CLOSERS:
            self._closers.append(_CLOSERS[character])
        elif character == self._closers[-1]:
            self._closers.pop()
            if not self._closers:
                self._close()

    def _close(self) -> None:
        document = "".join(self._text[self._start :])
        if _LOOKS_LIKE_OBJECT.match(document) or (document.startswith("[") and _is_json(document)):
            self.end = len(self._text)
        self._line_is_blank = False

    def _is_thinking(self) -> bool:
        text = "".join(self._text)
        return "<think>" in text and "</think>" not in text


def document_end(text: str) -> int | None:
    """Where the JSON document of an answer ends, as a number of characters; None if it has none that closes."""
    watch = DocumentWatch()
    watch.read(text)
    return watch.end


def bracketed_spans(text: str) -> Iterator[str]:
    """The parts of a text that begin with a bracket and end where it is closed, or at the end of the text, not those inside others."""
    at = 0
    while (found := re.compile(r"[{\[]").search(text, at)) is not None:
        start = found.start()
        end = _closing(text, start)
        yield text[start:end]
        at = end


def _closing(text: str, start: int) -> int:
    closers, in_string, at = list[str](), False, start
    while at < len(text):
        character = text[at]
        if in_string:
            at += character == "\\"
            in_string = character != '"'
        elif character == '"':
            in_string = True
        elif character in _CLOSERS:
            closers.append(_CLOSERS[character])
        elif character == closers[-1]:
            closers.pop()
            if not closers:
                return at + 1
        at += 1
    return len(text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
