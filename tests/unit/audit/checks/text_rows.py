"""Rows of text without faults, ways to plant faults into them, and what a check finds."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.registry import Finding
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.scoring.graders import make_grader

Edit = Callable[[str], str]


def example(line: int, text: str, output: str, history: tuple[Message, ...] = (), instruction: str = "") -> Example:
    return Example(instruction, text, output, Source("rows.jsonl", line), history=history)


def clean(line: int) -> Example:
    question = f"Which of the {line} harbours in the north was built first, and how long did that take?"
    return example(line, question, f"Harbour {line} of the north, built in {1600 + line}: it took “{line} years”, says Zoë.")


def table(examples: list[Example], scored: list[Example] | None = None, task: Task | None = None) -> Table:
    grader = make_grader(task, [e.output for e in examples]) if task else None
    return Table(Rows(examples), Rows(scored or []), [], grader)


def findings(check: str, examples: list[Example], scored: list[Example] | None = None, task: Task | None = None) -> list[Finding]:
    return list(CHECKS[check].find(table(examples, scored, task)))


def lines(check: str, examples: list[Example], task: Task | None = None) -> list[int]:
    return [row.at.line for finding in findings(check, examples, task=task) for row in finding.rows]


def notes(check: str, text: str, output: str = "an answer") -> list[str]:
    return [row.note for finding in findings(check, [example(1, text, output)]) for row in finding.rows]


def everywhere(planted: str) -> list[Edit]:
    return [lambda text: planted + text, lambda text: text + planted, lambda text: text[:9] + planted + text[9:]]


def instead(planted: str) -> list[Edit]:
    return [lambda text: planted]


def planted_rows(draw: st.DataObject, edits: list[Edit], fields: tuple[str, ...]) -> tuple[list[Example], list[int]]:
    rows = [clean(line) for line in range(1, 61)]
    at = sorted(draw.draw(st.sets(st.integers(0, len(rows) - 1), max_size=8), label="rows"))
    # Different ones, so that none is so frequent that it counts as a label.
    chosen = draw.draw(st.permutations(edits), label="defects")
    for edit, number in zip(chosen * 8, at, strict=False):
        e = rows[number]
        field = draw.draw(st.sampled_from(fields))
        rows[number] = example(
            e.source.line,
            edit(e.input) if field == "input" else e.input,
            edit(e.output) if field == "output" else e.output,
        )
    return rows, [number + 1 for number in at]
