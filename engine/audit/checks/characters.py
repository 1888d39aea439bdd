"""Characters that do not belong in text, white space around it, and a walk over every text of every row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import chain

from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_OFTEN_RIGHT = re.compile("[\u202a-\u202c\u2066-\u2069]")

_ASCII_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STRAY = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"  # controls other than tab, line feed and carriage return
    "|[\ufffd\ufeff\ufffe\uffff\xad]"
    "|[\u202a-\u202e\u2066-\u2069]"  # those that turn the direction of text around
    # After Arabic, Indic and other letters that join, such runs are part of the spelling.
    "|(?<![\u0600-\u1fff\u200b-\u200d\u2060])[\u200b-\u200d\u2060]{2,}|(?<=[0-9A-Za-z])[\u200b\u2060](?=[0-9A-Za-z])"
    "|(?<![^\x00-\x7f])\u200d"  # a joiner with nothing before it to join: an emoji was lost
    # Flags of England, Scotland and Wales are a black flag and such characters; without a flag they are hidden text.
    "|(?<![\U0001f3f4\U000e0000-\U000e007f])[\U000e0000-\U000e007f]+"
)

MOST_NAMED = 5
"""Different characters that a row's note names."""


def rows_with(table: Table, look: Callable[[str, str], str]) -> tuple[Row, ...]:
    """The rows in whose texts something is wrong; `look` is given a field's name and its text, and says what, or nothing.

    The fields are input, output, instruction, system, and each turn before. What an instruction or system text that many rows share
    has wrong is looked for once.
    """
    rows = []
    shared: dict[tuple[str, str], str] = {}
    for example in chain(table.examples, table.eval):
        wrong = look("input", example.input)
        in_output = look("output", example.output)
        if in_output:
            wrong = f"{wrong}; {in_output}" if wrong else in_output
        if example.instruction or example.system or example.history:
            wrong = "; ".join(filter(None, (wrong, *_in_other_fields(example, look, shared))))
        if wrong:
            rows.append(Row(example.source, note=wrong))
    return tuple(rows)


def _in_other_fields(example: Example, look: Callable[[str, str], str], shared: dict[tuple[str, str], str]) -> Iterator[str]:
    for name, text in (("instruction", example.instruction), ("system", example.system)):
        known = shared.get((name, text))
        if known is None:
            known = look(name, text)
            # Few different ones are shared; many are not worth remembering.
            if len(shared) < 1000:
                shared[name, text] = known
        yield known
    for number, message in enumerate(example.history, start=1):
        yield look(f"turn {number}", message.content)


@check("control-characters", severity=Severity.WARN)
def stray_characters(table: Table) -> Iterator[Finding]:
    """Characters that cannot be seen, or that stand for text that was lost: the model learns to write them, and nobody sees why.

    Control characters, the replacement character � that marks bytes nobody could read, byte-order marks, marks that turn the writing
    direction around, soft hyphens and hidden zero-width characters. Joiners inside emoji and direction marks in Arabic or Hebrew text
    are left alone.
    """
    rows = rows_with(table, _stray)
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'row holds', 'rows hold')} invisible or unreadable characters",
            "read the file again in its right encoding, or delete the characters; or leave these rows out",
            rows,
        )


def _stray(field: str, text: str) -> str:
    # Every character looked for is unprintable, but for the replacement character.
    if text.isprintable() and (text.isascii() or "\ufffd" not in text):
        return ""
    found = dict.fromkeys("".join((_ASCII_CONTROL if text.isascii() else _STRAY).findall(text)))
    if found and _RIGHT_TO_LEFT.search(text):
        found = dict.fromkeys(c for c in found if not _OFTEN_RIGHT.match(c))
    if not found:
        return ""
    named = ", ".join(_name(character) for character in list(found)[:MOST_NAMED])
    return f"{field}: {named}{' and others' if len(found) > MOST_NAMED else ''}"


def _name(character: str) -> str:
    # Controls and noncharacters have no name of their own.
    names = {"\ufeff": "BYTE ORDER MARK"}
    name = names.get(character) or unicodedata.name(character, "")
    return f"U+{ord(character):04X}{' ' if name else ''}{name}"


@check("outer-white-space", severity=Severity.INFO)
def outer_white_space(table: Table) -> Iterator[Finding]:
    """White space before or after an input or output: the model takes " yes" and "yes" for two different texts.

    Harmless where every row has it; where some have it, the model learns both.
    """
    rows = tuple(
        Row(e.source, note=note)
        for e in chain(table.examples, table.eval)
        if e.input.strip() != e.input or e.output.strip() != e.output
        if (note := "; ".join(filter(None, (_at_the_ends("input", e.input), _at_the_ends("output", e.output)))))
    )
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'row has', 'rows have')} white space at the ends of the input or output",
            "strip it, or keep it where it is meant",
            rows,
        )


def _at_the_ends(field: str, text: str) -> str:
    before, after = text.lstrip() != text, text.rstrip() != text
    # A text of nothing else is empty, and has no ends.
    if not (before or after) or not text.strip():
        return ""
    return f"{field}: {'at both ends' if before and after else 'at its start' if before else 'at its end'}"
