"""Regular expressions of a case, matched without the exponential time that a backtracking matcher can take.

An expression means what Python's `re` reads in it, but that a group repeated with nothing in it keeps what it had. RE2 matches it in linear
time; what RE2 cannot express, such as look-around and back-references, `regex` matches under a time limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import re2
import regex

from tuneproof.engine.core.errors import CaseError

MATCH_SECONDS = 1.0
"""Longest time for one text, in seconds of the processor."""

MAX_SLOW_TEXTS = 20
"""With more texts than this beyond the limit, the expression is refused: a data set of them would take days."""

WORD = r"\p{L}\p{N}_"
DIGIT = r"\p{Nd}"
SPACE = "\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What `\\w`, `\\d` and `\\s` are in Python, as members of a character class; both libraries have other sets of their own."""

MEMBERS = {"w": WORD, "d": DIGIT, "s": SPACE}
AT_WORD_EDGE = f"(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))"
NOT_AT_WORD_EDGE = f"(?:(?<=[{WORD}])(?=[{WORD}])|(?<![{WORD}])(?![{WORD}]))"

_COUNT = re.compile(r"\{(?:\d+(?:,\d*)?|,\d*)\}")
_OTHER_FLAGS = re.compile(r"\(\?[A-Za-z-]*[aLux][A-Za-z-]*[:)]")


T = TypeVar("T")


class Found(Protocol):
    """One match in a text."""

    def group(self, number: int, /) -> str | None:
        """The text of a group; None if it took no part."""

    def start(self, number: int = 0, /) -> int:
        """Where the match or a group begins, in characters; -1 for a group that took no part."""

    def end(self) -> int:
        """Where the match ends, in characters."""


class AnswerPattern:
    """One regular expression of a case. A text that takes too long has no match.

    Raises CaseError for an expression that `regex` cannot read, and when too many texts have taken too long.
    """

    def __init__(self, text: str, where: str = "task.output.pattern") -> None:
        self.text, self._where = text, where
        self._slow: set[str] = set()
        self._linear = _Linear.of(text)
        try:
            self._timed: Any = regex.compile(_spelled_out(text) if _can_be_spelled_out(text) else text, regex.VERSION0)
        except (regex.error, RecursionError, OverflowError) as error:
            raise CaseError(f"this regular expression cannot be used: {str(error) or type(error).__name__}", where=where) from None

    def __reduce__(self) -> tuple[type[AnswerPattern], tuple[str, str]]:
        # Compiled expressions of both libraries are made again where they are used.
        return AnswerPattern, (self.text, self._where)

    def all_in(self, text: str) -> list[Found]:
        """The matches in a text, in their order."""
        if self._linear is not None and self._linear.knows(text):
            return list(self._linear.finditer(text))
        return self._within_limit(text, lambda: list(self._timed.finditer(text, timeout=MATCH_SECONDS))) or []

    def last_in(self, text: str) -> Found | None:
        """The last match in a text."""
        found = self.all_in(text)
        return found[-1] if found else None

    def is_whole(self, text: str) -> bool:
        """Whether the whole text is a match."""
        if self._linear is not None and self._linear.knows(text):
            return self._linear.is_whole(text)
        return bool(self._within_limit(text, lambda: self._timed.fullmatch(text, timeout=MATCH_SECONDS)))

    def was_too_slow(self, text: str) -> bool:
        """Whether a text had no match because it took longer than `MATCH_SECONDS`."""
        return text in self._slow

    def _within_limit(self, text: str, match: Callable[[], T]) -> T | None:
        if text in self._slow:
            return None
        try:
            return match()
        except TimeoutError:
            self._slow.add(text)
        if len(self._slow) > MAX_SLOW_TEXTS:
            raise CaseError(
                f"it takes longer than {MATCH_SECONDS:g} s on each of {len(self._slow)} texts",
                where=self._where,
                fix="write it without look-around and back-references, or without a repeat inside a repeat",
            )
        return None


class _Linear:
    """An expression as RE2 matches it, for the texts on which RE2 and Python agree."""

    def __init__(self, compiled: Any, *, has_word_edges: bool, has_line_ends: bool) -> None:
        self._compiled = compiled
        self._has_word_edges, self._has_line_ends = has_word_edges, has_line_ends

    @classmethod
    def of(cls, text: str) -> _Linear | None:
        """None if RE2 cannot express it."""
        if not _can_be_spelled_out(text):
            return None
        options = re2.Options()
        options.log_errors = False
        try:
            compiled = re2.compile(_spelled_out(text, for_re2=True), options)
        except (re2.error, UnicodeEncodeError):
            return None
        return cls(compiled, has_word_edges=bool(re.search(r"\\[bB]", text)), has_line_ends="$" in text)

    def knows(self, text: str) -> bool:
        """Whether a match in this text is the one that Python finds."""
        # Python's `$` is also before a last line end, and RE2's word edges are those of ASCII. UTF-8 has no lone surrogates.
        at_line_end = self._has_line_ends and text.endswith("\n")
        return not at_line_end and (text.isascii() or (not self._has_word_edges and _is_utf8(text)))

    def finditer(self, text: str) -> Iterator[Found]:
        yield from self._compiled.finditer(text)

    def is_whole(self, text: str) -> bool:
        return self._compiled.fullmatch(text) is not None


def _can_be_spelled_out(text: str) -> bool:
    """Whether an escape means the same everywhere in it: no flag for ASCII, locale or comments, and no inverted class in a class."""
    flags = re.compile(text).flags
    inverted = any(in_class and piece in (r"\W", r"\S") for piece, in_class in _pieces(text))
    return not (inverted or flags & (re.ASCII | re.VERBOSE) or _OTHER_FLAGS.search(text))


def _spelled_out(text: str, *, for_re2: bool = False) -> str:
    """The expression in what both libraries read as Python does."""
    return "".join(_piece(piece, in_class, for_re2) for piece, in_class in _pieces(text))


def _piece(piece: str, in_class: bool, for_re2: bool) -> str:
    name = piece[1:] if piece[0] == "\\" else ""
    if in_class:
        # An opening bracket in a class is a bracket; to the libraries it may open a POSIX class.
        return MEMBERS.get(name, r"\[" if piece == "[" else r"\P{Nd}" if name == "D" else piece)
    if name in ("d", "w", "s"):
        return f"[{MEMBERS[name]}]"
    if name in ("D", "W", "S"):
        return f"[^{MEMBERS[name.lower()]}]"
    if piece == "{":
        # A brace that begins no count is a brace; to `regex` it may begin an approximate match.
        return r"\{"
    if for_re2:
        # RE2 reads a count without its first number as text.
        return r"\z" if name == "Z" else f"{{0{piece[1:]}" if piece.startswith("{,") else piece
    return {"b": AT_WORD_EDGE, "B": NOT_AT_WORD_EDGE}.get(name, piece)


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The expression in pieces of one escape, one count or one character, with whether it is inside a character class."""
    at, opened = 0, -1
    while at < len(text):
        count = _COUNT.match(text, at) if opened < 0 else None
        size = len(count[0]) if count else 2 if text[at] == "\\" else 1
        piece = text[at : at + size]
        # A bracket directly behind the opening one, or behind its caret, does not close the class.
        is_first = opened >= 0 and text[opened + 1 : at] in ("", "^")
        closes = opened >= 0 and piece == "]" and not is_first
        yield piece, opened >= 0 and not closes and not (is_first and piece == "^" and at == opened + 1)
        if closes:
            opened = -1
        elif opened < 0 and piece == "[":
            opened = at
        at += size


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
