"""Tests of promptfoo: variables with assertions, and rows of a table with a column `__expected`.

https://www.promptfoo.dev/docs/configuration/test-cases/ and /expected-outputs/ (version 0.121)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from tuneproof.engine.case.data import Columns
from tuneproof.engine.data.cells import NotToLearn, RowError, object_of, objects_of, output_cell
from tuneproof.engine.data.eval_sets.fields import input_name
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.labels import LabelList, with_labels
from tuneproof.engine.data.notes import KeyPlace, RowNotes, UnusedKey
from tuneproof.engine.data.row_shape import Problems, RowShape

EXPECTED = "__expected"
"""The column of a table of tests with the first assertion; further ones are in `__expected1`, `__expected2` …"""

ANSWERS = ("equals",)
"""Assertions whose value is the whole expected answer."""

PARTS = ("contains", "icontains", "starts-with")
"""Assertions whose value is a part of the answer. In a task of labels or values it is the answer, so it is taken as one."""

REFERENCES = ("similar", "levenshtein", "rouge-n", "bleu", "gleu", "meteor", "f-score", "factuality", "model-graded-factuality")
"""Assertions that compare the answer with a text that is right."""

LABELS = ("contains-all", "icontains-all")
"""Assertions whose values are all in the answer: several labels."""

MOST_TESTS_OF_A_ROW = 1000
"""Tests that lists of values in one row may stand for."""

_NUMBERED = re.compile(rf"{EXPECTED}\d*")
_TYPED = re.compile(r"([a-z][a-z-]*)(?:\([^)]*\))?:\s*(.*)", re.DOTALL)
_NAME = re.compile(r"\{\{-?\s*([A-Za-z_][\w.]*)\s*-?\}\}")
_TEMPLATE = re.compile(r"\{\{|\{%")


@dataclass(frozen=True)
class Assertion:
    """What a test expects of an answer."""

    kind: str
    value: Any


def promptfoo_tests(columns: Columns | None = None) -> RowShape:
    """The shape of tests with variables and assertions; `data.columns` of the case may name the variable that is the input."""

    def convert(row: Mapping[str, Any], source: Source, notes: RowNotes) -> list[Example]:
        variables = object_of(row["vars"], "vars")
        assertions = [Assertion(str(each.get("type")), each.get("value")) for each in _assertions(row.get("assert"))]
        about = {name: row[name] for name in ("description", "metadata") if row.get(name)}
        return [_example(values, assertions, columns, source, notes, about) for values in _each_value(variables)]

    return RowShape("promptfoo tests", frozenset({"vars"}), convert, lambda row: isinstance(row["vars"], dict), _settle)


def promptfoo_table(columns: Columns | None = None) -> RowShape:
    """The shape of a table of tests: a column for each variable, and `__expected`."""

    def convert(row: Mapping[str, Any], source: Source, notes: RowNotes) -> Example:
        assertions = [_written(str(row[name])) for name in row if _NUMBERED.fullmatch(name) and row[name] not in (None, "")]
        variables = {name: value for name, value in row.items() if not name.startswith("__")}
        return _example(variables, assertions, columns, source, notes, {})

    return RowShape("promptfoo table", frozenset({EXPECTED}), convert, settle=_settle)


def _assertions(value: Any) -> Iterator[Mapping[str, Any]]:
    """Assertions in their order, those of a set among them."""
    for each in objects_of(value, "assert"):
        if each.get("type") == "assert-set":
            yield from _assertions(each.get("assert"))
        else:
            yield each


def _each_value(variables: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The variables of each test of a row: a list of texts stands for a test with each of them. Raises RowError for too many."""
    choices = [value if _is_list_of_texts(value) else [value] for value in variables.values()]
    found = list(islice(product(*choices), MOST_TESTS_OF_A_ROW + 1))
    if len(found) > MOST_TESTS_OF_A_ROW:
        raise RowError(f"its lists of values stand for more than {MOST_TESTS_OF_A_ROW:,} tests")
    return (dict(zip(variables, values, strict=True)) for values in found)


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _written(text: str) -> Assertion:
    """An assertion as a cell of a table has it: `contains: text`, or only the text that is expected."""
    typed = _TYPED.fullmatch(text.strip())
    if typed is None or not _is_known(typed[1]):
        return Assertion("equals", text)
    value: Any = typed[2]
    if typed[1] in LABELS:
        value = [part.strip() for part in value.split(",")]
    return Assertion(typed[1], value)


def _is_known(kind: str) -> bool:
    """Whether a word before a colon names an assertion; else the colon is part of the expected text."""
    return kind.removeprefix("not-") in {*ANSWERS, *PARTS, *REFERENCES, *LABELS, *OTHER_ASSERTIONS}


OTHER_ASSERTIONS = frozenset(
    "answer-relevance classifier contains-any contains-html contains-json contains-sql contains-xml context-faithfulness context-recall"
    " context-relevance conversation-relevance cost finish-reason g-eval guardrails icontains-any is-html is-json is-refusal is-sql"
    " is-valid-function-call is-valid-openai-function-call is-valid-openai-tools-call is-xml javascript latency llm-rubric"
    " model-graded-closedqa moderation perplexity perplexity-score pi python regex ruby search-rubric select-best tool-call-f1"
    " trace-error-spans webhook word-count".split()
)
"""Assertions that name no expected answer."""


def _example(
    variables: Mapping[str, Any],
    assertions: Sequence[Assertion],
    columns: Columns | None,
    source: Source,
    notes: RowNotes,
    about: Mapping[str, Any],
) -> Example:
    """The example of a test: its input is a variable, and its output what an assertion expects. Raises RowError."""
    output, used = _expected(assertions, variables, notes)
    fields = {name: value for name, value in variables.items() if name not in used}
    name = input_name(fields, columns.input if columns else None)
    text = fields[name]
    if text.startswith("file://"):
        raise RowError(f"the variable `{name[:60]}` is in a file of its own: {text[:60]}")
    rest = {key: value for key, value in variables.items() if key != name}
    return Example("", text, output, source, metadata={**rest, **about})


def _expected(assertions: Sequence[Assertion], variables: Mapping[str, Any], notes: RowNotes) -> tuple[str, set[str]]:
    """The expected answer, and the names of the variables that it is made of. Assertions that are not compared are noted."""
    for kinds in (ANSWERS, LABELS, PARTS, REFERENCES):
        chosen = next((each for each in assertions if each.kind in kinds), None)
        if chosen is not None:
            break
    else:
        kinds_here = ", ".join(f"`{each.kind[:40]}`" for each in assertions[:6])
        raise NotToLearn(f"it names no expected answer, only {kinds_here}" if assertions else "it has no assertion")
    for each in assertions:
        if each is not chosen:
            notes.add(UnusedKey(each.kind[:40], KeyPlace.ROW, "the assertion is not compared: the case says how answers are compared"))
    if chosen.kind not in ANSWERS:
        means = "its value is taken as the expected answer, which the case compares in its own way"
        notes.add(UnusedKey(chosen.kind, KeyPlace.ROW, means))
    used: set[str] = set()
    value = _filled(chosen.value, variables, used)
    if chosen.kind in LABELS:
        return LabelList.of(value if isinstance(value, list) else [value], stays=True), used
    return output_cell({"value": value}, "value"), used


def _filled(value: Any, variables: Mapping[str, Any], used: set[str]) -> Any:
    """A value of an assertion with the variables in it. Raises RowError for a template that is more than names, and for another file."""
    if isinstance(value, list):
        return [_filled(each, variables, used) for each in value]
    if isinstance(value, dict):
        return {key: _filled(each, variables, used) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    if value.startswith("file://"):
        raise RowError(f"the expected answer is in a file of its own: {value[:60]}")
    whole = _NAME.fullmatch(value.strip())
    if whole is not None:
        return _variable(whole[1], variables, used)
    filled = _NAME.sub(lambda found: _as_text(_variable(found[1], variables, used)), value)
    if _TEMPLATE.search(_NAME.sub("", value)):
        raise RowError("the expected answer is a template that is more than names of variables")
    return filled


def _variable(name: str, variables: Mapping[str, Any], used: set[str]) -> Any:
    if name not in variables:
        raise RowError(f"the expected answer has `{name[:60]}`, which is none of the variables")
    used.add(name)
    return variables[name]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _settle(examples: list[Example], problems: Problems, notes: RowNotes) -> list[Example]:
    return with_labels(examples)
