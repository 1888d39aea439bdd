"""Constrained decoding: every answer that is not cut off has a valid format."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemas import SCHEMAS
from tuneproof.engine.arms import UNTUNED_ARMS, ArmContext
from tuneproof.engine.arms.closed_schema import closed_schema, key_order
from tuneproof.engine.arms.date_formats import PATTERNS
from tuneproof.engine.arms.grammar import MAX_SCORED_LABELS, check_grammar, grammar_of, scored_labels
from tuneproof.engine.case.schema import Case, ModelChoice
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import load_base, load_weights
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.json_values import parse_json

ROWS = read_examples(str(Path(__file__).parents[3] / "sample_cases" / "support_tickets.jsonl")).examples
OUTPUTS = [row.output for row in ROWS]
KINDS = (("Triage the ticket.", ROWS[:3]), ("Repeat.", ROWS[3:5]), ("Answer with one JSON object.", ROWS[5:7]))
PROMPTS = [f"<|user|>{head}\n\n{row.input}<|end|><|assistant|>" for head, rows in KINDS for row in rows]


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    base = load_base(ModelChoice(base="sample"))
    return Decoder(base, load_weights(base))


def completed(decoder: Decoder, output: OutputFormat, outputs: list[str], at_least: int = 1, max_new_tokens: int = 48) -> list[str]:
    """The answers that were not cut off."""
    grammar, _ = grammar_of(output, outputs)
    completions, _ = decoder.complete(PROMPTS, max_new_tokens, grammar=grammar)
    ended = [c.text for c in completions if not c.truncated]
    assert len(ended) >= at_least, [c.text for c in completions]
    return ended


# With an open object, or a number of any length, a small model may write until it is cut off.
MAY_NOT_END = {"bounds", "number", "map", "pattern properties", "a list that refers to itself", "formats", "address", "reference"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_completed_json_answer_matches_the_schema(decoder: Decoder, name: str) -> None:
    validator = jsonschema_rs.validator_for(SCHEMAS[name], validate_formats=True)
    for text in completed(
        decoder, OutputFormat(kind=OutputKind.JSON, json_schema=SCHEMAS[name]), [], at_least=0 if name in MAY_NOT_END else 5
    ):
        validator.validate(parse_json(text))


def test_every_answer_to_the_sample_task_is_valid_and_formatted_as_in_train(decoder: Decoder) -> None:
    schema = {"properties": {"priority": {"enum": ["high", "low", "normal"]}, "category": {}, "order_id": {"pattern": "^[A-Z][0-9]{4}$"}}}
    for text in completed(decoder, OutputFormat(kind=OutputKind.JSON, json_schema=schema), OUTPUTS):
        value = parse_json(text)
        assert list(value) == sorted(value) and value.keys() <= {"category", "order_id", "priority"}
        assert text == json.dumps(value, ensure_ascii=False)


def test_without_a_schema_answers_match_the_one_inferred_from_train(decoder: Decoder) -> None:
    wanted = {frozenset(json.loads(output)) for output in OUTPUTS}
    for text in completed(decoder, OutputFormat(kind=OutputKind.JSON), OUTPUTS):
        assert frozenset(parse_json(text)) in wanted


LABELS = ["card", "card lost", 'he said "no"', "back\\slash", "naïve ☃", "a|b", "two\nlines", "/x/", "(?:"]


@pytest.mark.parametrize("labels", [["yes", "no"], LABELS])
def test_every_answer_to_a_choice_is_one_of_the_labels(decoder: Decoder, labels: list[str]) -> None:
    given, seen = OutputFormat(kind=OutputKind.CHOICE, choices=labels), OutputFormat(kind=OutputKind.CHOICE)
    assert set(completed(decoder, given, [])) <= set(labels)
    assert set(completed(decoder, seen, [f" {label} " for label in labels])) <= set(labels)


@pytest.mark.parametrize("label", LABELS)
def test_a_label_can_have_any_characters(decoder: Decoder, label: str) -> None:
    assert set(completed(decoder, OutputFormat(kind=OutputKind.CHOICE, choices=[label]), [])) == {label}


@pytest.mark.parametrize(
    ("pattern", "outputs"),
    [
        (r"#### (-?\d{1,6})", ["so\n#### 12", "#### -3"]),
        (r"^([A-Z]\d{4})$", ["K2448"]),
        (r"([A-Z]\d{4})", ["K2448", "P2281"]),
        (r"<answer>([^<]{1,20})</answer>", ["<answer>4</answer> it is"]),
        (r"(?i)(yes|no)", ["Yes", "NO"]),
    ],
)
def test_every_completed_answer_matches_the_pattern(decoder: Decoder, pattern: str, outputs: list[str]) -> None:
    grammar, _ = grammar_of(OutputFormat(kind=OutputKind.PATTERN, pattern=pattern), outputs)
    completions, _ = decoder.complete(PROMPTS, 60, grammar=grammar)
    ended = [c.text for c in completions if not c.truncated]
    assert all(re.search(pattern, text) for text in ended)
    # A text that may begin with anything ends only if the model writes a match.
    assert ended or "####" in pattern or "answer" in pattern


def test_an_answer_that_is_cut_off_counts_as_truncated(decoder: Decoder) -> None:
    grammar, _ = grammar_of(OutputFormat(kind=OutputKind.JSON, json_schema=SCHEMAS["flat"]), [])
    completions, _ = decoder.complete(PROMPTS, 3, grammar=grammar)
    assert all(c.truncated and c.completion_tokens == 3 for c in completions)


def test_constrained_answers_do_not_depend_on_the_batch(decoder: Decoder) -> None:
    grammar, _ = grammar_of(OutputFormat(kind=OutputKind.JSON), OUTPUTS)
    together, _ = decoder.complete(PROMPTS, 60, grammar=grammar)
    assert together == [decoder.complete([prompt], 60, grammar=grammar)[0][0] for prompt in PROMPTS]


def test_an_answer_that_is_valid_without_constraints_does_not_change(decoder: Decoder) -> None:
    grader = make_grader(Task(output=OutputFormat(kind=OutputKind.JSON)), [])
    arm = UNTUNED_ARMS["zero_shot"](ArmContext("Triage the ticket.", grader, ROWS, lambda _: True, 0))
    prompts = [decoder.base.prompt(arm.messages(row)) for row in ROWS[:40]]
    free, _ = decoder.complete(prompts, 60)
    constrained, _ = decoder.complete(prompts, 60, grammar=grammar_of(OutputFormat(kind=OutputKind.JSON), OUTPUTS)[0])
    valid = [(a, b) for a, b in zip(free, constrained, strict=True) if a.text in OUTPUTS]
    assert valid and all(a == b for a, b in valid)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ({"kind": "text"}, "any text is valid"),
        ({"kind": "json", "schema": {"type": "array", "uniqueItems": True}}, "uniqueItems"),
        ({"kind": "pattern", "pattern": r"(?<=a)(b)"}, "look-around"),
        ({"kind": "pattern", "pattern": r"^(a)|(b)$"}, "lookarounds"),
    ],
)
def test_a_format_that_no_grammar_can_express_is_refused_with_the_reason(output: dict[str, Any], reason: str) -> None:
    with pytest.raises(CaseError, match=reason) as caught:
        check_grammar(OutputFormat.model_validate(output), "baselines: constrained")
    assert "baselines" in str(caught.value)
    decision = {"private_facts": False, "format_drift": True, "stable_task": True}
    with pytest.raises(CaseError, match=reason):
        UNTUNED_ARMS["constrained"].check_case(Case.model_validate({"name": "x", "decision": decision, "task": {"output": output}}))


def test_fields_keep_the_order_of_train_at_every_level() -> None:
    rows = [{"z": 1, "a": {"d": 1, "c": 2}, "l": [{"y": 1, "x": 2}]}, {"z": 1, "m": 0, "a": {"d": 1, "c": 2}}]
    integer = {"type": "integer"}
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": {"c": integer, "d": integer}},
            "l": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
            "z": integer,
            "unseen": integer,
        },
        "$defs": {"pair": {"type": "object", "properties": {"x": integer, "y": integer}}},
    }
    closed = closed_schema(schema, rows)
    assert list(closed["properties"]) == ["z", "m", "a", "l", "unseen"]
    assert list(closed["properties"]["a"]["properties"]) == ["d", "c"]
    assert list(closed["$defs"]["pair"]["properties"]) == ["y", "x"]
    assert closed["additionalProperties"] is False and closed["properties"]["m"] == {}
    assert list(schema["properties"]) == ["a", "l", "z", "unseen"], "the schema that was given stays as it was"
    validator = jsonschema_rs.validator_for(closed)
    assert all(validator.is_valid(row) for row in rows)


def test_objects_are_closed_only_if_that_excludes_no_valid_value() -> None:
    rows = [{"a": 1, "b": 2}]
    for open_ in (
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "object", "patternProperties": {"^a": {"type": "integer"}}},
        {"allOf": [{"type": "object", "properties": {"a": {}}}, {"$ref": "#/$defs/more"}], "$defs": {"more": {"required": ["b"]}}},
        {"type": "object", "minProperties": 3},
    ):
        assert "false" not in json.dumps(closed_schema(open_, rows))
    needed = closed_schema({"type": "object", "required": ["c"]}, rows)
    assert list(needed["properties"]) == ["a", "b", "c"] and needed["additionalProperties"] is False


def test_parts_of_all_of_that_only_name_fields_are_closed_together_so_that_no_key_is_repeated() -> None:
    parts = [{"type": "object", "properties": {"a": {}}}, {"required": ["b"]}]
    closed = closed_schema({"allOf": parts, "properties": {"c": {}}}, [])
    assert closed["additionalProperties"] is False and set(closed["properties"]) == {"a", "b", "c"} and closed["allOf"] == parts


@given(st.dates())
def test_every_date_is_allowed(day: date) -> None:
    assert re.match(PATTERNS["date"], day.isoformat())


@pytest.mark.parametrize(
    ("format_", "text"),
    [("date", "2023-02-29"), ("date", "1900-02-29"), ("date", "2023-04-31"), ("time", "23:55:60Z"), ("date-time", "2023-02-29T00:00:00Z")],
)
def test_dates_and_times_that_validators_reject_are_not_allowed(format_: str, text: str) -> None:
    assert not jsonschema_rs.validator_for({"format": format_}, validate_formats=True).is_valid(text)
    assert not re.match(PATTERNS[format_], text)


def test_a_format_that_train_outputs_do_not_match_is_not_enforced() -> None:
    schema = {"type": "string", "format": "time"}
    assert "pattern" in closed_schema(schema, ["10:20:30Z"]) and closed_schema(schema, ["10:20"]) == schema


def test_keys_have_the_order_of_most_rows_with_rare_keys_inserted_after_their_predecessors() -> None:
    assert key_order([{"a": 1, "c": 1}] * 3 + [{"a": 1, "b": 1, "c": 1}, {"d": 1, "a": 1}]) == ["d", "a", "b", "c"]
    assert key_order([]) == []


def test_the_constrained_arm_has_the_plain_prompt_and_a_grammar() -> None:
    output = OutputFormat(kind=OutputKind.CHOICE, choices=["yes", "no"])
    case = Case.model_validate(
        {
            "name": "x",
            "decision": {"private_facts": False, "format_drift": True, "stable_task": True},
            "task": {"output": output.model_dump()},
        }
    )
    assert case.task is not None

    setting = ArmContext("Grader.", make_grader(case.task, []), ROWS, lambda _: True, 0, output)
    constrained, plain = UNTUNED_ARMS["constrained"](setting), UNTUNED_ARMS["zero_shot"](setting)
    assert constrained.messages(ROWS[0]) == plain.messages(ROWS[0])
    assert plain.grammar is None and constrained.grammar is not None
    assert constrained.labels == ["yes", "no"] and constrained.summary == "the most likely of 2 labels" and not plain.labels


def test_too_many_labels_are_decoded_and_not_scored() -> None:
    many = [str(number) for number in range(MAX_SCORED_LABELS + 1)]
    assert grammar_of(OutputFormat(kind=OutputKind.CHOICE), many)[1] == f"decoded as one of {len(many)} labels"
    assert scored_labels(OutputFormat(kind=OutputKind.CHOICE), many) == scored_labels(OutputFormat(kind=OutputKind.JSON), ["{}"]) == []
    assert scored_labels(OutputFormat(kind=OutputKind.CHOICE), many[1:]) == sorted(many[1:])
