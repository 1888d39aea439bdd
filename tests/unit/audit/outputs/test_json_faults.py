"""Outputs that are nearly JSON are described by their fault."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneproof.engine.audit.outputs.json_faults import json_fault

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
def test_each_fault_has_its_own_description(output: str) -> None:
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
def test_valid_json_and_other_text_have_no_fault(output: str) -> None:
    assert json_fault(output) in (None, "cut off before its end" if output.startswith("[[[[") else None)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


OBJECTS = st.dictionaries(st.text(max_size=8), VALUES, min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(value=OBJECTS, indent=st.sampled_from([None, 2]), ascii_only=st.booleans())
def test_the_fault_of_any_broken_object_is_described(value: dict[str, object], indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert json_fault(text) is None
    assert json_fault(f"```json\n{text}\n```") == "a Markdown fence around it"
    assert json_fault(text[:-1] + ",}") == "a trailing comma"
    assert json_fault(f"{text}\n{text}") == "2 JSON values instead of one"
    assert json_fault(f"The answer: {text}") == "text before the JSON"
    assert json_fault(text[:-1]) == "cut off before its end"


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="{}[]\"':, \n\\a1/*`-NaN", max_size=60))
def test_any_text_can_be_checked(output: str) -> None:
    fault = json_fault(output)
    assert fault is None or fault
