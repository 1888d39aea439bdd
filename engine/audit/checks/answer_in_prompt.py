"""Rows whose prompt gives the answer away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tuneproof.engine.audit.counts import Size, aggregate
from tuneproof.engine.audit.label_names import label_reader
from tuneproof.engine.audit.near.digests import DigestCounts
from tuneproof.engine.audit.registry import Finding, Row, Severity, check, several
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example
from tuneproof.engine.scoring.output_inference import ANSWER_MARKERS

FEWEST_WORDS, FEWEST_CHARACTERS = 3, 12
"""A shorter output stands in a prompt by chance, a number, a name or a yes, and so does a single word."""

THE_TASK = 0.5
"""Where more than this share of rows is so, the task is to take the answer from the prompt."""

_GIVEN_AWAY = re.compile(
    r"\b(?:(?:correct|right|expected|true|final) (?:answer|label|output|solution) is|(?:answer|label|output|solution)\s*[:=])\s*(\S[^\n]*)"
)
"""An answer that the prompt names as such; "the answer is yes" is something that people say."""

_MARKED = re.compile("|".join(f"(?:{pattern})" for pattern in ANSWER_MARKERS), re.DOTALL)
_AROUND = " \t\"'`*.,;!"


@check("answer-in-prompt", severity=Severity.INFO)
def answers_in_prompts(table: Table) -> Iterator[Finding]:
    """Rows whose whole answer stands in the prompt: the model only has to copy it, and the score says nothing about new inputs.

    Looked for are answers of three words or twelve characters and more (no single words), where outputs are no labels, and any answer
    that the prompt names as such, once ("Answer: 12"). Where more than half of all rows are so, taking the answer from the prompt is the
    task, and nothing is said. Numbers that stand in a question by chance are no leak, nor is an instruction that other rows have as well,
    nor what the model itself said before.
    """
    labels = label_reader(table) is not None
    shared = _shared_instructions(table)
    rows = [Row(e.source, note=why) for part in table.parts for e in part if (why := _why(e, shared, labels)) is not None]
    if not rows or len(rows) > THE_TASK * table.count(Size).rows:
        return
    count, scored = len(rows), len({row.at for row in rows} & {e.source for e in table.eval})
    told = f" ({scored} of them in eval)" if scored else ""
    yield Finding(
        f"{count} {several(count, 'row has its', 'rows have their')} whole answer in the prompt{told}",
        "take the answer out of the prompt, or leave these rows out; where copying is right, as in a correction, keep them",
        tuple(rows),
    )


@aggregate
@dataclass(frozen=True)
class Instructions:
    """How often each instruction stands there."""

    counts: DigestCounts

    @classmethod
    def of(cls, table: Table) -> Instructions:
        return cls(DigestCounts.of(example.instruction for part in table.parts for example in part))

    def plus(self, later: Instructions) -> Instructions:
        return Instructions(self.counts.plus(later.counts))


def _shared_instructions(table: Table) -> set[str]:
    """Instructions of these rows that more than one row has."""
    counts = table.count(Instructions).counts.each(example.instruction for part in table.parts for example in part)
    return {instruction for instruction, count in counts.items() if count > 1}


def _why(example: Example, shared: set[str], labels: bool) -> str | None:
    """How the prompt gives the answer away, if it does."""
    prompt, answer = _told(example, shared).casefold(), example.output.strip().casefold()
    if not labels and _is_long(answer) and answer != example.input.strip().casefold() and _stands_in(answer, prompt):
        return "the whole answer stands in the prompt"
    named = _named_answer(prompt)
    if named is None or not answer:
        return None
    marked = _MARKED.search(answer)
    final = next((group for group in marked.groups() if group), answer) if marked else answer
    return f"the prompt says: {named[1][:80]}" if named[0] == final.strip(_AROUND) else None


def _told(example: Example, shared: set[str]) -> str:
    """What the row itself tells the model: its input, the user's turns before, and an instruction of its own."""
    if not example.history and example.instruction in shared:
        return example.input
    turns = [message.content for message in example.history if message.role != "assistant"]
    own = [] if example.instruction in shared else [example.instruction]
    return "\n".join([*own, *turns, example.input])


def _is_long(answer: str) -> bool:
    """Whether an answer is too long to stand in a prompt by chance, as any single word may."""
    return (len(answer) >= FEWEST_CHARACTERS and not answer.isalpha()) or len(answer.split()) >= FEWEST_WORDS


def _stands_in(answer: str, prompt: str) -> bool:
    """Whether the answer stands in the prompt as words of its own."""
    at = prompt.find(answer)
    while at >= 0:
        before, after = prompt[at - 1 : at], prompt[at + len(answer) : at + len(answer) + 1]
        if not (before.isalnum() and answer[0].isalnum()) and not (after.isalnum() and answer[-1].isalnum()):
            return True
        at = prompt.find(answer, at + 1)
    return False


def _named_answer(prompt: str) -> tuple[str, str] | None:
    """The answer that the prompt names as such, and in which words; nothing where it names several, as examples do, or asks nothing."""
    if not ("answer" in prompt or "label" in prompt or "output" in prompt or "solution" in prompt):
        return None
    found = list(_GIVEN_AWAY.finditer(prompt))
    if len(found) != 1 or not _GIVEN_AWAY.sub("", prompt).strip():
        return None
    return found[0][1].strip(_AROUND), found[0][0]
