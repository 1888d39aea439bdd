"""Check: rows whose prompt contains the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tuneproof.engine.audit.counts import Size, aggregate
from tuneproof.engine.audit.label_names import label_reader
from tuneproof.engine.audit.near.digests import DigestCounts
from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import Example
from tuneproof.engine.scoring.output_inference import ANSWER_MARKERS

FEWEST_WORDS, FEWEST_CHARACTERS = 6, 30
"""A shorter output, such as a number, a name or a phrase, is taken from the prompt by many tasks."""

IS_THE_TASK = 0.2
"""If more than this share of rows has the answer in the prompt, the task is to take it from there."""

IS_THE_FORM = 0.5
"""If more than this share of prompts names the answer, that is the form of the task."""

CONTAINED = "the whole answer is in the prompt"

_NAMED_ANSWER = re.compile(
    r"\b(?:(?:correct|right|expected|true|final) (?:answer|label|output|solution) is|(?:answer|label|output|solution)\s*[:=])\s*(\S[^\n]*)"
)
"""An answer that the prompt names as such. "The answer is yes" does not count, because people say that."""

_MARKED = re.compile("|".join(f"(?:{pattern})" for pattern in ANSWER_MARKERS), re.DOTALL)
_AROUND = " \t\"'`*.,;!"


@check("answer-in-prompt", severity=Severity.INFO)
def answers_in_prompts(table: Table) -> Iterator[Finding]:
    """Rows whose whole answer is in the prompt: the model only has to copy it, and the score says nothing about new inputs.

    If outputs are not labels, an answer counts if it has at least six words or thirty characters, and is not a single word. Any answer
    counts that the prompt names once, as in "Answer: 12". Instructions that other rows share are not searched, nor are earlier turns of
    the assistant. If more than a fifth of all rows contain their answer, taking it from the prompt is the task, and they do not count;
    nor do named answers if half of all prompts name one.
    """
    labels = label_reader(table) is not None
    shared = _shared_instructions(table)
    found = [(e, how) for part in table.parts for e in part if (how := _note(e, shared, labels)) is not None]
    size = table.count(Size).rows
    is_task = sum(how == CONTAINED for _, how in found) > IS_THE_TASK * size
    is_form = sum(how != CONTAINED for _, how in found) > IS_THE_FORM * size
    rows = [FlaggedRow(e.source, note=how) for e, how in found if not (is_task if how == CONTAINED else is_form)]
    if not rows:
        return
    count, in_eval = len(rows), len({row.at for row in rows} & {e.source for e in table.eval})
    of_eval = f" ({in_eval} of them in eval)" if in_eval else ""
    yield Finding(
        f"{count} {plural(count, 'row has its', 'rows have their')} whole answer in the prompt{of_eval}",
        "take the answer out of the prompt, or leave these rows out; if copying is right, as in a correction, keep them",
        tuple(rows),
    )


@aggregate
@dataclass(frozen=True)
class Instructions:
    """How often each instruction occurs."""

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


def _note(example: Example, shared: set[str], labels: bool) -> str | None:
    """How the prompt contains the answer; None if it does not."""
    prompt, answer = _own_text(example, shared).casefold(), example.output.strip().casefold()
    if not labels and _is_long(answer) and answer != example.input.strip().casefold() and _contains(prompt, answer):
        return CONTAINED
    named = _named_answer(prompt)
    if named is None or not answer:
        return None
    marked = _MARKED.search(answer)
    final = next((group for group in marked.groups() if group), answer) if marked else answer
    return f"the prompt says: {named[1][:80]}" if named[0] == final.strip(_AROUND) else None


def _own_text(example: Example, shared: set[str]) -> str:
    """What only this row tells the model: its input, earlier user turns, and an instruction that no other row has."""
    if not example.history and example.instruction in shared:
        return example.input
    turns = [message.content for message in example.history if message.role != "assistant"]
    own = [] if example.instruction in shared else [example.instruction]
    return "\n".join([*own, *turns, example.input])


def _is_long(answer: str) -> bool:
    """Whether an answer is too long to be in a prompt by chance, as any single word may be."""
    return (len(answer) >= FEWEST_CHARACTERS and not answer.isalpha()) or len(answer.split()) >= FEWEST_WORDS


def _contains(prompt: str, answer: str) -> bool:
    """Whether the prompt contains the answer, beginning and ending at word boundaries."""
    at = prompt.find(answer)
    while at >= 0:
        before, after = prompt[at - 1 : at], prompt[at + len(answer) : at + len(answer) + 1]
        if not (before.isalnum() and answer[0].isalnum()) and not (after.isalnum() and answer[-1].isalnum()):
            return True
        at = prompt.find(answer, at + 1)
    return False


def _named_answer(prompt: str) -> tuple[str, str] | None:
    """The answer that the prompt names, and in which words; None if it names several, as worked examples do, or says nothing else."""
    if not ("answer" in prompt or "label" in prompt or "output" in prompt or "solution" in prompt):
        return None
    found = list(_NAMED_ANSWER.finditer(prompt))
    if len(found) != 1 or not _NAMED_ANSWER.sub("", prompt).strip():
        return None
    return found[0][1].strip(_AROUND), found[0][0]
