"""The rows that contain private data or secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tuneproof.engine.audit.pii.matches import Match, PiiKind
from tuneproof.engine.audit.registry import FlaggedRow
from tuneproof.engine.data.example import Example

MOST_NOTED = 3
"""Matches that the note of a row names; the rest are counted."""

MOST_REMEMBERED = 1000
"""Instructions whose result is remembered, so that one that all rows share is scanned once."""


@dataclass(frozen=True)
class ScanResult:
    """The rows with matches, and how often each kind occurs."""

    rows: tuple[FlaggedRow, ...]
    kinds: Counter[PiiKind]

    def __str__(self) -> str:
        return ", ".join(f"{kind} {count}" for kind, count in self.kinds.most_common())


def scan_rows(examples: Iterable[Example], may_have: Callable[[str], bool], find: Callable[[str], list[Match]]) -> ScanResult:
    """The rows in which `find` finds something; `may_have` is a cheap test that is false for most texts without matches."""
    rows: list[FlaggedRow] = []
    kinds: Counter[PiiKind] = Counter()
    # Most rows of a file share the instruction and the system prompt.
    seen: dict[str, bool] = {}
    for example in examples:
        fixed = example.instruction + "\n" + example.system if example.system else example.instruction
        fixed_may_have = seen.get(fixed)
        if fixed_may_have is None:
            if len(seen) > MOST_REMEMBERED:
                seen.clear()
            fixed_may_have = seen[fixed] = may_have(fixed)
        if (
            fixed_may_have
            or may_have(example.input + "\n" + example.output)
            or ((example.history or example.tool_use) and may_have(_turns(example)))
        ):
            found = [(part, match) for part, text in _parts(example) if may_have(text) for match in find(text)]
            if found:
                kinds.update(match.kind for _, match in found)
                rows.append(FlaggedRow(example.source, note=_note(f"{match.kind} {match.shown} in the {part}" for part, match in found)))
    return ScanResult(tuple(rows), kinds)


def _turns(example: Example) -> str:
    return "\n".join([turn.text for turn in (*example.history, *example.turns_after_input)])


def _parts(example: Example) -> Iterator[tuple[str, str]]:
    yield "instruction", example.instruction
    yield "system prompt", example.system
    for turn in example.history:
        yield "history", turn.text
    yield "input", example.input
    for turn in example.turns_after_input:
        yield "turns of tools", turn.text
    yield "output", example.output


def _note(notes: Iterable[str]) -> str:
    different = list(dict.fromkeys(notes))
    more = len(different) - MOST_NOTED
    return "; ".join([*different[:MOST_NOTED], *([f"and {more} more"] if more > 0 else [])])
