"""Rows with labels, for the tests of the checks of labels."""

from __future__ import annotations

import random

from tuneproof.engine.audit.registry import Finding
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.graders import make_grader

TOPICS = {
    "billing": "invoice payment refund card charge bill amount paid",
    "shipping": "parcel delivery courier address late tracking box arrived",
    "login": "password account sign email locked reset code user",
    "returns": "return exchange size wrong colour damaged label shop",
}


def examples(outputs: list[str], file: str = "rows.jsonl") -> Rows:
    return Rows(Example("Name it.", f"text {i}", output, Source(file, i)) for i, output in enumerate(outputs, start=1))


def grader(**output: object) -> Grader:
    return make_grader(Task.model_validate({"output": output}), [])


def table(train_rows: list[str], eval_rows: list[str] | None = None, judged: Grader | None = None) -> Table:
    return Table(examples(train_rows), examples(eval_rows or [], "eval.jsonl"), [], grader=judged)


def lines(findings: list[Finding]) -> list[int]:
    return [row.at.line for finding in findings for row in finding.rows]


def topic_rows(rng: random.Random, count: int = 400) -> list[Example]:
    names = list(TOPICS)
    return [
        Example("Name the topic.", " ".join(rng.sample(TOPICS[name].split(), 5)), name, Source("rows.jsonl", i))
        for i, name in enumerate((names[i % len(names)] for i in range(count)), start=1)
    ]
