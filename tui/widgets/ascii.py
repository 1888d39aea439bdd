# ruff: noqa: RUF001  signs that look like others are what this is about
"""Terminals that show only ASCII: every other character is replaced when a line is drawn, cell by cell, wherever its text comes from."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

VARIABLE = "TUNEPROOF_ASCII"
SWITCH = {"1": False, "0": True}

_REPLACED = {
    "-": "─┈╌┄╴╶╸╺–—−‒▔▁",
    "|": "│┃╎┆╵╷▏▕║┇┊",
    "+": "┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛╋╞╡╪╤╧╔╗╚╝╠╣╦╩╬╾╼",
    "#": "█▉▊▇■▐",
    "=": "━╍▓▆▅",
    ":": "▌▋▍▄▃▂▎▀░▒⋮",
    "*": "●★•◆⬤",
    "o": "○◦◯◇",
    ">": "▸▶→›❯»⏵",
    "<": "◂◀←‹«⏴",
    "v": "✓✔▾▼↓∨",
    "x": "✗✘×✕",
    "^": "▴↑∧",
    "!": "▲⚠",
    ".": "·…⋯∙",
    "~": "≈≃∼↻",
    "'": "‘’‚´",
    '"': "“”„",
    " ": "\u00a0\u2009\u202f\u2800",
}
_TABLE = {ord(character): plain for plain, characters in _REPLACED.items() for character in characters}
_TABLE |= dict.fromkeys(range(10241, 10496), ".")
"""Braille, of which curves are made, is a dot."""


def shows_unicode(environment: Mapping[str, str]) -> bool:
    """Whether the terminal shows more than ASCII, judged by the locale; TUNEPROOF_ASCII set to 1 or 0 decides it.

    If no locale is set, as in most containers, it is assumed: nearly all terminals do.
    """
    switch = SWITCH.get(environment.get(VARIABLE, ""))
    if switch is not None:
        return switch
    locale = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := environment.get(name))), "UTF-8")
    return "utf8" in locale.lower().replace("-", "")


class AsciiFilter(LineFilter):
    """Replaces every character that is not ASCII by one or two that are, so that no cell moves."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [segment if segment.control or segment.text.isascii() else _in_ascii(segment) for segment in segments]


def in_ascii(text: str) -> str:
    """The text in ASCII, as wide as before: a known sign becomes a similar one, any other character `?`."""
    return "".join(character if character.isascii() else "?" * cell_len(character) for character in text.translate(_TABLE))


def _in_ascii(segment: Segment) -> Segment:
    return Segment(in_ascii(segment.text), segment.style)
