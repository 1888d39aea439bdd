"""A grammar is never worse than its data: what the schema leaves open has bounds from train, so that every answer ends."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemas import SCHEMAS
from tests.unit.arms.test_constrained import PROMPTS
from tuneproof.engine.arms.bounded_schema import bounded_schema
from tuneproof.engine.arms.closed_schema import closed_schema
from tuneproof.engine.arms.grammar import bounds_of, grammar_of
from tuneproof.engine.case.output_bounds import Bounds, BoundsChoice, FieldBound, describe_bounds
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import load_base, load_weights
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.json_values import parse_json

FREE: dict[str, Any] = {
    "type": "object",
    "properties": {"status": {"type": "string"}, "note": {"type": "string"}, "code": {"type": "string"}, "tags": {"type": "array"}},
    "required": ["status", "note", "code", "tags"],
    "additionalProperties": False,
}
STATUSES = ["open", "closed", "waiting", "refused", "lost"]
NOTES = ["call back", "the parcel is late", "x"]
TRAIN = [
    json.dumps({"status": STATUSES[n % 5], "note": NOTES[n % 3] * (1 + n % 2) + str(n), "code": f"K{1000 + n}", "tags": ["a"] * (n % 3)})
    for n in range(40)
]


def output(schema: dict[str, Any] | None = FREE, bounds: BoundsChoice | Bounds = BoundsChoice.AUTO) -> OutputFormat:
    return OutputFormat(kind=OutputKind.JSON, json_schema=schema, bounds=bounds)


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    base = load_base(ModelChoice(base="sample"))
    return Decoder(base, load_weights(base))


def valid_answers(decoder: Decoder, wanted: OutputFormat, max_new_tokens: int = 64) -> int:
    """How many answers to prompts that ask for something else are whole and valid under the schema of the case."""
    grader = make_grader(Task(output=wanted), TRAIN)
    completions, _ = decoder.complete(PROMPTS, max_new_tokens, grammar=grammar_of(wanted, TRAIN).source)
    return sum(grader.grade(completion.text, TRAIN[0]).format_valid and not completion.truncated for completion in completions)


def test_a_free_string_that_is_cut_off_every_time_ends_with_the_bounds_of_train(decoder: Decoder) -> None:
    one_string = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
    rows = [json.dumps({"status": STATUSES[n % 5]}) for n in range(40)]
    assert describe_bounds(bounds_of(output(one_string), rows)) == "status one of 5 values"
    answers, _ = decoder.complete(PROMPTS, 64, grammar=grammar_of(output(one_string), rows).source)
    assert all(json.loads(answer.text)["status"] in STATUSES for answer in answers)


def test_every_answer_ends_although_all_strings_and_lists_are_free(decoder: Decoder) -> None:
    assert valid_answers(decoder, output(), 160) == len(PROMPTS)
    assert valid_answers(decoder, output(bounds=BoundsChoice.NONE), 160) < len(PROMPTS)


def test_the_arm_says_which_bounds_it_has() -> None:
    assert grammar_of(output(), TRAIN).summary == (
        "decoded under the schema, its fields in the order of train; bounds from train: status one of 5 values; "
        "note at most 80 characters; code of the form [A-Z][0-9]{4}; tags at most 4 items; tags[] always a"
    )
    assert "bounds" not in grammar_of(output(bounds=BoundsChoice.NONE), TRAIN).summary


def test_a_bound_that_would_exclude_an_answer_of_validation_is_dropped() -> None:
    other = json.dumps({"status": "escalated", "note": "y" * 300, "code": "none", "tags": ["b"] * 9})
    bounds = bounds_of(output(), TRAIN, [other])
    assert bounds["status"].values is None and bounds["code"].pattern is None
    assert bounds["note"].max_length == 600 and bounds["tags"].max_items == 18
    schema = bounded_schema(FREE, [json.loads(t) for t in TRAIN], [json.loads(other)], BoundsChoice.AUTO).schema
    assert jsonschema_rs.is_valid(schema, json.loads(other))


def test_bounds_of_the_case_are_taken_as_they_are_and_dropped_where_validation_needs_more() -> None:
    mine = {"note": FieldBound(max_length=12), "status": FieldBound(values=["open", "closed"])}
    summary = grammar_of(output(bounds=mine), TRAIN, [TRAIN[0]]).summary
    assert summary.endswith("; bounds of the case: status one of 2 values; note at most 12 characters")
    left = grammar_of(output(bounds=mine), TRAIN, [TRAIN[2]]).summary
    assert "left open, as a validation answer has other values: status" in left


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [({"nothing": FieldBound(max_length=3)}, "no part of the answer"), ({"status": FieldBound(max_items=3)}, "no array")],
)
def test_a_bound_of_the_case_that_does_not_fit_is_refused_with_what_to_do(bounds: Bounds, reason: str) -> None:
    with pytest.raises(CaseError, match=reason) as caught:
        grammar_of(output(bounds=bounds), TRAIN)
    assert caught.value.where == "task.output.bounds" and caught.value.fix


def test_what_the_schema_bounds_itself_stays_as_it_is() -> None:
    own = {"type": "object", "properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "string", "maxLength": 3}, "c": {"const": 1}}}
    rows = [{"a": "x", "b": "abc", "c": 1}] * 20
    assert bounded_schema(own, rows, [], BoundsChoice.AUTO).schema == own


def test_numbers_have_the_digits_and_decimals_of_train_and_no_range() -> None:
    schema = {"type": "object", "properties": {"price": {"type": "number"}, "count": {"type": "integer"}, "whole": {"type": "number"}}}
    rows = [{"price": 12.25 + n, "count": n, "whole": 3 * n} for n in range(20)]
    bounded = bounded_schema(closed_schema(schema, rows), rows, [], BoundsChoice.AUTO)
    assert describe_bounds(bounded.bounds) == (
        "price at most 3 digits, at most 2 decimals; count at most 3 digits; whole at most 3 digits, an integer"
    )
    assert jsonschema_rs.is_valid(bounded.schema, {"price": -999.01, "count": 999, "whole": -5})


def test_a_part_that_no_train_answer_has_is_not_longer_than_the_longest_of_them() -> None:
    schema = {**FREE, "properties": {**FREE["properties"], "unseen": {"type": "string"}}}
    longest = max(len(row) for row in TRAIN)
    most = bounds_of(output(schema), TRAIN)["unseen"].max_length
    assert most is not None and 2 * longest <= most <= 2 * longest + 10


def test_a_pattern_with_text_before_it_ends(decoder: Decoder) -> None:
    wanted = OutputFormat(kind=OutputKind.PATTERN, pattern=r"#### (-?\d{1,6})")
    rows = ["two and two\n#### 4", "1/2 of 10\n#### 5"]
    grammar = grammar_of(wanted, rows)
    assert grammar.summary == "decoded as a text that ends in a match of the pattern; bounds from train: the answer at most 40 characters"
    answers, _ = decoder.complete(PROMPTS, 60, grammar=grammar.source)
    assert all(not answer.truncated and len(answer.text) <= 40 and "#### " in answer.text for answer in answers)


def test_the_grader_and_the_digest_of_the_task_do_not_know_bounds_that_nobody_chose() -> None:
    plain, mine = Task(output=output()), Task(output=output(bounds={"note": FieldBound(max_length=12)}))
    assert "bounds" not in json.dumps(plain.as_recorded) and plain.sha256 != mine.sha256
    long = json.dumps({"status": "new", "note": "z" * 500, "code": "?", "tags": []})
    assert all(make_grader(task, TRAIN).grade(long, long).correct for task in (plain, mine))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(list(SCHEMAS)), st.lists(VALUES, max_size=6), st.lists(VALUES, max_size=3))
def test_no_bound_excludes_an_answer_of_train_or_validation(name: str, train: list[Any], validation: list[Any]) -> None:
    bounded = bounded_schema(SCHEMAS[name], train, validation, BoundsChoice.AUTO).schema
    allowed, original = jsonschema_rs.validator_for(bounded), jsonschema_rs.validator_for(SCHEMAS[name])
    assert all(allowed.is_valid(value) for value in [*train, *validation] if original.is_valid(value))


@given(st.lists(VALUES, max_size=6), st.lists(VALUES, max_size=3))
def test_no_bound_of_an_unknown_part_excludes_one_either(train: list[Any], validation: list[Any]) -> None:
    schema = {"type": "object", "properties": {"a": {}, "b": {"anyOf": [{"type": "string"}, {}]}}}
    rows, held = [{"a": v, "b": v} for v in train], [{"a": v, "b": v} for v in validation]
    allowed = jsonschema_rs.validator_for(bounded_schema(schema, rows, held, BoundsChoice.AUTO).schema)
    assert all(allowed.is_valid(row) for row in [*rows, *held])
    assert all(parse_json(json.dumps(row)) == row for row in rows)
