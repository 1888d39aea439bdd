"""JSON written in more than one way, and outputs that are nearly JSON: each kind told by its name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneproof.engine.audit.checks import (
    CHECKS,
    json_style,  # noqa: F401  registers the check
)
from tuneproof.engine.audit.outputs.json_faults import json_fault
from tuneproof.engine.audit.registry import FlaggedRow
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Source


def styled(outputs: list[str]) -> list[FlaggedRow]:
    examples = [Example("", f"text {line}", output, Source("rows.jsonl", line)) for line, output in enumerate(outputs, start=1)]
    return [row for finding in CHECKS["json-style"].find(Table(Rows(examples), Rows(), [])) for row in finding.rows]


def record(line: int) -> dict[str, object]:
    return {"name": f'a: {line}, "b":{line}', "count": line, "code": f"{line:03}", "tags": ["x", "y"]}


def reordered(line: int) -> str:
    return json.dumps(dict(reversed(record(line).items())))


OTHER_STYLES = {
    "compact, most are on one line with spaces": lambda line: json.dumps(record(line), separators=(",", ":")),
    "over several lines, most are on one line with spaces": lambda line: json.dumps(record(line), indent=2),
    "keys in the order tags, code, count, name, most have name, count, code, tags": reordered,
    "`count` is a number in quotes, most have none": lambda line: json.dumps(record(line) | {"count": str(line)}),
    "`code` is a number without quotes, most have quotes": lambda line: json.dumps(record(line) | {"code": line}),
}


@settings(max_examples=60, deadline=None)
@given(planted=st.dictionaries(st.integers(1, 40), st.sampled_from(sorted(OTHER_STYLES)), max_size=9))
def test_outputs_in_another_style_are_found_with_what_is_different(planted: dict[int, str]) -> None:
    outputs = [OTHER_STYLES[planted[line]](line) if line in planted else json.dumps(record(line)) for line in range(1, 41)]
    assert {row.at.line: row.note for row in styled(outputs)} == planted


def test_objects_in_a_list_are_looked_at_by_the_first_one() -> None:
    outputs = [json.dumps([record(line)]) for line in range(1, 10)] + [f"[{reordered(10)}]"]
    assert [row.at.line for row in styled(outputs)] == [10]


def test_maps_whose_keys_are_data_have_no_order() -> None:
    outputs = [json.dumps({f"k{(line * 7 + i * (1 if line % 2 else -1)) % 60}": i for i in range(3)}) for line in range(1, 200)]
    assert styled(outputs) == []


def test_optional_keys_and_other_keys_are_not_another_order() -> None:
    assert styled(['{"a": 1, "b": 2}', '{"a": 1, "b": 2, "c": 3}', '{"b": 2}', '{"c": 1, "b": 5}', "[]", "{}", "[1, 2]", "[1,2]"]) == []


def test_a_few_json_outputs_among_texts_are_not_told() -> None:
    assert styled(["a", "b", "c", '{"a": 1}', '{"a":1}']) == []


def test_the_number_of_words_in_quotes_that_are_no_numbers_does_not_matter() -> None:
    assert styled([json.dumps({"size": size}) for size in ("12", "12b", "XL", "7", "none")]) == []


JSON = '{"name": "O\'Hara, {1]", "n": 1, "more": [1, {"ok": true}], "at": "http://x.org/a, b"}'

NEAR = {
    f"```json\n{JSON}\n```": "a Markdown fence around it",
    f"```\n{JSON}```": "a Markdown fence around it",
    '```json\n{"a": 1,}\n```': "a Markdown fence around it, and a trailing comma",
    JSON[:-1] + ",}": "a trailing comma",
    '{"a": [1, 2, ], "b": ",}"}': "a trailing comma",
    "{'a': 'it is', 'b': \"it's\", 'c': 'so \"called\"'}": "single quotes for double quotes",
    "{'a': 'it\\'s'}": "single quotes for double quotes",
    "{'a': True, 'b': None}": "single quotes for double quotes, Python's True, False or None",
    '{a: 1, b_c: "d: e"}': "keys without quotes",
    '{"a": NaN, "b": -Infinity}': "NaN or Infinity, which JSON does not have",
    '{"a": 1} // the first\n': "comments",
    '{"a": "one\ntwo"}': "line breaks inside strings",
    "{“a”: “b”}": "typographic quotes",
    f"Here it is: {JSON}": "text before the JSON",
    f"{JSON}\n\nI hope this helps!": "text after the JSON",
    f"Sure!\n```json\n{JSON}\n```\nAnything else?": "text before and after the JSON",
    f"{JSON}\n{JSON}": "2 JSON values instead of one",
    '{"a": 1}, {"a": 2}, {"a": 3}': "3 JSON values instead of one",
    '{"a": 1, "b": [1, 2': "cut off before its end",
    '{"a": "begun and not': "cut off before its end",
    '{"a": 1, "b":': "cut off before its end",
    '{"a": tru': "cut off before its end",
}


@pytest.mark.parametrize("output", NEAR)
def test_near_misses_are_told_apart(output: str) -> None:
    assert json_fault(output) == NEAR[output]


@pytest.mark.parametrize(
    "output",
    [
        JSON,
        f"  {JSON}\n",
        "",
        "  ",
        "3",
        '"text"',
        "null",
        "[]",
        "n is 1",
        "See [1] and [2] for more on this.",
        "billing",
        '{"a": 1]',
        "```\ntext\n```",
        "{a b c}",
        "[[[[" * 50_000,
        "{" * 1_000,
        "'" * 500,
        '{"a": 1, "a": 2}',
    ],
)
def test_json_itself_and_what_is_far_from_it_are_no_near_misses(output: str) -> None:
    assert json_fault(output) in (None, "cut off before its end" if output.startswith("[[[[") else None)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=8), VALUES, min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(value=OBJECTS, indent=st.sampled_from([None, 2]), ascii_only=st.booleans())
def test_any_object_is_told_by_its_slip(value: dict[str, object], indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert json_fault(text) is None
    assert json_fault(f"```json\n{text}\n```") == "a Markdown fence around it"
    assert json_fault(text[:-1] + ",}") == "a trailing comma"
    assert json_fault(f"{text}\n{text}") == "2 JSON values instead of one"
    assert json_fault(f"The answer: {text}") == "text before the JSON"
    assert json_fault(text[:-1]) == "cut off before its end"


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="{}[]\"':, \n\\a1/*`-NaN", max_size=60))
def test_no_text_whatever_breaks_it(output: str) -> None:
    told = json_fault(output)
    assert told is None or told
