"""JSON outputs in another style than most are found with what is different."""

from __future__ import annotations

import json
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tuneproof.engine.audit.checks import CHECKS
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


OTHER_STYLES: dict[str, Callable[[int], str]] = {
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


def test_a_list_of_objects_has_the_style_of_its_first_object() -> None:
    outputs = [json.dumps([record(line)]) for line in range(1, 10)] + [f"[{reordered(10)}]"]
    assert [row.at.line for row in styled(outputs)] == [10]


def test_maps_whose_keys_are_data_have_no_order() -> None:
    outputs = [json.dumps({f"k{(line * 7 + i * (1 if line % 2 else -1)) % 60}": i for i in range(3)}) for line in range(1, 200)]
    assert styled(outputs) == []


def test_optional_keys_and_other_keys_are_not_another_order() -> None:
    assert styled(['{"a": 1, "b": 2}', '{"a": 1, "b": 2, "c": 3}', '{"b": 2}', '{"c": 1, "b": 5}', "[]", "{}", "[1, 2]", "[1,2]"]) == []


def test_a_few_json_outputs_among_texts_are_not_reported() -> None:
    assert styled(["a", "b", "c", '{"a": 1}', '{"a":1}']) == []


def test_numbers_among_words_in_quotes_are_not_another_style() -> None:
    assert styled([json.dumps({"size": size}) for size in ("12", "12b", "XL", "7", "none")]) == []
