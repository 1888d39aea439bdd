"""Rows with one request and one answer, under the names that data sets have for the two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuneproof.engine.data.cells import RowError, list_of, output_cell, text_cell
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.labels import LabelList, with_labels
from tuneproof.engine.data.notes import KeyPlace, RowNotes, UnusedKey
from tuneproof.engine.data.row_keys import single_turn
from tuneproof.engine.data.row_shape import Problems, RowShape

PAIRS = (
    ("prompt", "response"),
    ("query", "response"),
    ("question", "response"),
    ("question", "answer"),
    ("query", "answer"),
    ("prompt", "answer"),
    ("prompt", "output"),
    ("human", "ai"),
    ("human", "assistant"),
    ("human", "bot"),
    ("user", "assistant"),
    ("input", "target"),
    ("text", "target"),
    ("text", "label_text"),
    ("text", "label"),
    ("text", "labels"),
    ("sentence", "label"),
    ("document", "summary"),
    ("dialogue", "summary"),
    ("text", "summary"),
    ("article", "highlights"),
    # Last, because many rows have a source of another kind.
    ("source", "target"),
)
"""The keys of a request and its answer, in the order in which they are tried."""

LABEL_KEYS = ("label", "labels")
"""Keys of an answer that may be a list of labels."""

PASSAGE_KEY = "context"
"""The key of a passage that a question is about."""


def alpaca(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    """`instruction` and `input` (Alpaca): if a row has only an instruction, that is the input."""
    return _instructed(row, source, notes, "input", "output")


def dolly(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    """`instruction`, `context` and `response` (Dolly), or with `input` in place of `context`."""
    return _instructed(row, source, notes, PASSAGE_KEY if row.get(PASSAGE_KEY) is not None else "input", "response")


def _instructed(row: Mapping[str, Any], source: Source, notes: RowNotes, given_key: str, output_key: str) -> Example:
    instruction = text_cell(row, "instruction", required=False)
    given = text_cell(row, given_key, required=False)
    if not given.strip():
        instruction, given = "", instruction
    used = frozenset(("instruction", given_key, output_key))
    return single_turn(row, source, notes, instruction, given, output_cell(row, output_key), used)


def pair(asked: str, answered: str) -> RowShape:
    """The shape of rows with a request and an answer under two keys."""
    with_passage = asked in ("question", "query", "prompt")
    used = frozenset((asked, answered, PASSAGE_KEY) if with_passage else (asked, answered))

    def convert(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
        given = text_cell(row, asked)
        if with_passage and (passage := row.get(PASSAGE_KEY)) is not None:
            given = f"{_passage(passage)}\n\n{given}" if passage else given
        answer = row[answered]
        is_labels = isinstance(answer, list) and answered in LABEL_KEYS and not any(isinstance(x, dict | list) for x in answer)
        output = LabelList.of(answer) if is_labels else output_cell(row, answered)
        return single_turn(row, source, notes, "", given, output, used)

    settle = _labels if answered in LABEL_KEYS else None
    return RowShape(f"{asked}/{answered}", frozenset((asked, answered)), convert, settle=settle)


def _labels(examples: list[Example], problems: Problems, notes: RowNotes) -> list[Example]:
    return with_labels(examples)


def _passage(value: Any) -> str:
    """A passage: a text, or a list of texts, one a paragraph."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n\n".join(value)
    return text_cell({PASSAGE_KEY: value}, PASSAGE_KEY)


def _squad(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
    """`question`, `context` and `answers: {text: […], answer_start: […]}`; the first answer is the output."""
    answers = row["answers"]
    texts = (
        answers.get("text")
        if isinstance(answers, dict)
        else [a.get("text") if isinstance(a, dict) else a for a in list_of(answers, "answers")]
    )
    if not isinstance(texts, list) or not texts:
        raise RowError("`answers` has no answer: the question cannot be answered from its passage")
    if len(set(map(str, texts))) > 1:
        notes.add(UnusedKey("answers", KeyPlace.ROW, "only the first of several right answers is learned and scored"))
    given = text_cell(row, "question")
    passage = text_cell(row, PASSAGE_KEY, required=False)
    given = f"{passage}\n\n{given}" if passage else given
    return single_turn(row, source, notes, "", given, output_cell({"answers": texts[0]}, "answers"), _SQUAD_KEYS)


_SQUAD_KEYS = frozenset(("question", PASSAGE_KEY, "answers"))

ALPACA = RowShape("instruction/input/output", frozenset({"instruction", "output"}), alpaca)
INPUT_OUTPUT = RowShape("input/output", frozenset({"input", "output"}), alpaca)
OTHER_PAIRS = (
    RowShape("instruction/context/response", frozenset({"instruction", "response"}), dolly),
    RowShape("question/context/answers", frozenset({"question", "answers"}), _squad, lambda row: isinstance(row["answers"], dict | list)),
    *(pair(asked, answered) for asked, answered in PAIRS),
)
