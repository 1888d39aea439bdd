"""What became of the faults of one kind: a row of the table, counted as the commands end."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from tests.faults.commands import Ended

SENTENCE = re.compile(r"^tuneproof: .+: .+; .+$|^tuneproof: interrupted; continue with .+$", re.MULTILINE)
"""How the command says what is wrong, where, and what to do."""

NOTES_SHOWN = 12
"""The most problems of a kind that are printed."""

HEAD = ("kind", "injected", "lost", "wrong exit code", "not reported")


@dataclass
class Tally:
    """One row of the table."""

    kind: str
    injected: int = 0
    lost: int = 0
    """Runs that could not be finished, or that have another result than an undisturbed run."""
    wrong_code: int = 0
    """Commands that ended with a code that the documentation does not give for this, or that did not end."""
    unreported: int = 0
    """Commands that failed without a sentence that says what, where and what to do."""
    skipped: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def check_end(self, fault: str, ended: Ended, codes: Collection[int], names: str = "") -> None:
        """Counts how a command ended that may end with these codes, and with a sentence that names something unless it succeeded."""
        if ended.code not in codes:
            self.wrong_code += 1
            self.problems.append(f"{fault}: exit code {ended.code}, not {' or '.join(map(str, sorted(codes)))}: {_last_line(ended)}")
        if ended.code != 0 and not _says(ended, names):
            self.unreported += 1
            self.problems.append(f"{fault}: no sentence{f' about {names}' if names else ''}: {_last_line(ended)}")

    def check_result(self, fault: str, ended: Ended, result: object, undisturbed: object) -> None:
        """Counts a run as lost if the command that should finish it failed, or if its result is another one."""
        if ended.code != 0:
            self.lost += 1
            self.problems.append(f"{fault}: cannot be finished, exit code {ended.code}: {_last_line(ended)}")
        elif result != undisturbed:
            self.lost += 1
            self.problems.append(f"{fault}: another result than an undisturbed run")

    @property
    def is_clean(self) -> bool:
        """Whether every fault ended as it should."""
        return not (self.lost or self.wrong_code or self.unreported)

    @property
    def row(self) -> str:
        """The row as it is printed, with what was skipped."""
        numbers = (self.injected, self.lost, self.wrong_code, self.unreported)
        return "| " + " | ".join([self.kind, *(f"{number:,}" for number in numbers)]) + " |" + "".join(self._notes())

    def _notes(self) -> list[str]:
        more = len(self.problems) - NOTES_SHOWN
        notes = [f"SKIPPED: {reason}" for reason in self.skipped] + self.problems[:NOTES_SHOWN]
        notes += [f"… and {more:,} more"] if more > 0 else []
        return [f"\n    {note}" for note in notes]


def head() -> str:
    """The head of the table, in Markdown."""
    return "| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD)


def _says(ended: Ended, names: str) -> bool:
    text = ended.err
    found = SENTENCE.search(text)
    return found is not None and names in found.group() and "Traceback" not in text and "defect in tuneproof" not in text


def _last_line(ended: Ended) -> str:
    lines = ended.err.strip().splitlines()
    return lines[-1][:300] if lines else "(nothing on stderr)"
