"""The inferred output format is that of the outputs, and every output matches the schema inferred from it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import REAL_DATA, sample_case
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.output_inference import infer_output


def as_case(output: OutputFormat) -> dict[str, Any]:
    """The format as a case file has it."""
    return output.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"bounds"})


def schema_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    inferred = as_case(infer_output([json.dumps(row) for row in rows]).output)
    assert inferred["kind"] == "json"
    schema: dict[str, Any] = inferred["schema"]
    return schema


def problems(output: OutputFormat, outputs: list[str]) -> int:
    grader = make_grader(Task(output=output), [])
    return sum(grader.problem(text) is not None for text in outputs)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(["a", "b", "", "a\nb"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y", "$ref", "z z"]) | st.text(max_size=2), inner),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


# Enums and closed objects are inferred from repetition, so rows are repeated too.
@given(st.lists(OBJECTS, min_size=1, max_size=8), st.integers(1, 8))
def test_every_output_matches_the_schema_inferred_from_it(rows: list[dict[str, Any]], times: int) -> None:
    outputs = [json.dumps(row) for row in rows] * times
    inferred = infer_output(outputs)
    schema = as_case(inferred.output)["schema"]
    validator = jsonschema_rs.validator_for(schema)
    assert all(validator.is_valid(json.loads(output)) for output in outputs), schema
    assert problems(inferred.output, outputs) == 0
    assert OutputFormat.model_validate(as_case(inferred.output)) == inferred.output


@given(st.lists(st.text(max_size=12)))
def test_any_outputs_have_an_inferred_format(outputs: list[str]) -> None:
    inferred = infer_output(outputs)
    assert inferred.why and OutputFormat.model_validate(as_case(inferred.output)) == inferred.output


def test_few_repeated_values_are_an_enum_and_distinct_ones_are_not() -> None:
    rows = [{"category": "ab"[i % 2], "id": f"A{i}", "n": i, "weight": i / 2, "urgent": i > 3} for i in range(40)]
    assert schema_of(rows) == {
        "type": "object",
        "properties": {
            "category": {"enum": ["a", "b"]},
            "id": {"type": "string"},
            "n": {"type": "integer"},
            "weight": {"type": "number"},
            "urgent": {"type": "boolean"},
        },
        "required": ["category", "id", "n", "weight", "urgent"],
        "additionalProperties": False,
    }


def test_five_rows_are_too_few_for_an_enum() -> None:
    assert schema_of([{"category": "billing"}] * 5)["properties"] == {"category": {"type": "string"}}


def test_a_field_that_is_sometimes_missing_is_not_required_and_one_that_is_sometimes_null_may_be_null() -> None:
    rows: list[dict[str, Any]] = [{"to": f"person {i}", "cc": None if i % 3 else "all"} for i in range(30)]
    del rows[4]["to"]
    schema = schema_of(rows)
    assert schema["properties"] == {"to": {"type": "string"}, "cc": {"enum": ["all", None]}}
    assert schema["required"] == ["cc"] and schema["additionalProperties"] is False


def test_lists_and_objects_are_described_and_objects_with_varying_keys_stay_open() -> None:
    rows = [{"slots": [{"name": "n" * i, "value": i if i % 2 else None}] * (i % 3), f"extra {i}": {}} for i in range(1, 10)]
    schema = schema_of(rows)
    slot = {"name": {"type": "string"}, "value": {"type": ["integer", "null"]}}
    items = {"type": "object", "properties": slot, "required": ["name", "value"], "additionalProperties": False}
    assert schema["properties"]["slots"] == {"type": "array", "items": items}
    assert schema["required"] == ["slots"] and "additionalProperties" not in schema


def test_the_keys_of_a_map_are_not_listed() -> None:
    schema = schema_of([{"id": i, "scores": {f"{i}-{j}": j for j in range(9)}} for i in range(50)])
    assert schema["properties"]["scores"] == {"type": "object"}


def test_nearly_all_outputs_are_enough_to_infer_a_kind() -> None:
    outputs = [json.dumps({"n": i}) for i in range(19)] + ["n is 19", "  "]
    inferred = infer_output(outputs)
    assert inferred.output.kind is OutputKind.JSON and inferred.why == "19 of 20 outputs are JSON objects with the same 1 key"
    assert problems(inferred.output, outputs[:-1]) == 1
    assert infer_output([*outputs, "prose", "more prose"]).output.kind is OutputKind.TEXT


@pytest.mark.parametrize("written", ['{"a": 1e400}', '{"a": "\\ud800"}', '{"a": 1, "a": 2}', "[1]", '{"a": NaN}', '{"a": ' + "[" * 9999])
def test_json_that_cannot_be_validated_is_text(written: str) -> None:
    assert infer_output([written] * 3).output.kind is OutputKind.TEXT


def test_deep_nesting_is_not_described_to_its_end() -> None:
    deep = '{"a": ' * 200 + "1" + "}" * 200
    inferred = infer_output([deep])
    assert len(json.dumps(as_case(inferred.output))) < 1000 and problems(inferred.output, [deep]) == 0


def test_few_short_outputs_are_choices() -> None:
    inferred = infer_output(["yes", "no ", "no", "maybe"] * 5)
    assert as_case(inferred.output) == {"kind": "choice", "choices": ["maybe", "no", "yes"]}
    assert inferred.why == "all 20 outputs are one of 3 short labels"


@pytest.mark.parametrize("outputs", [["yes", "no"] * 4, [f"name {i}" for i in range(30)], ["a long story " * 9] * 30, ["two\nlines"] * 30])
def test_few_rows_many_labels_and_long_outputs_are_not_choices(outputs: list[str]) -> None:
    assert infer_output(outputs).output.kind is OutputKind.TEXT


@pytest.mark.parametrize(("mark", "answer"), [("#### {}", "1,234"), (r"so \boxed{{{}}}.", "3/4"), ("<answer>{}</answer>", "blue")])
def test_a_marked_answer_gives_a_pattern_that_finds_it(mark: str, answer: str) -> None:
    outputs = [f"Reason {i}.\n{mark.format(answer)}" for i in range(12)]
    inferred = infer_output(outputs)
    assert inferred.output.kind is OutputKind.PATTERN and inferred.why.startswith("all 12 outputs mark their answer")
    assert make_grader(Task(output=inferred.output), []).grade(outputs[0], outputs[1]).answer == answer


def test_without_outputs_the_format_is_text() -> None:
    assert infer_output([]).output == infer_output([" "]).output == OutputFormat(kind=OutputKind.TEXT)


def test_the_format_inferred_for_the_sample_case_has_the_fields_of_its_schema() -> None:
    outputs = [e.output for e in read_examples(str(sample_case().with_suffix(".jsonl"))).examples]
    schema = as_case(infer_output(outputs).output)["schema"]
    assert schema["properties"]["category"] == {"enum": ["account", "billing", "returns", "shipping", "technical"]}
    assert schema["required"] == ["category", "order_id", "priority"] and schema["additionalProperties"] is False


REAL = {
    "snips": ("train.jsonl", OutputKind.JSON, "all 13784 outputs are JSON objects with the same 2 keys"),
    "clinc150": ("train.jsonl", OutputKind.CHOICE, "all 15100 outputs are one of 151 short labels"),
    "gsm8k": ("train.jsonl", OutputKind.PATTERN, "all 7473 outputs mark their answer, as in `#### 72`"),
    "goemotions": ("train.jsonl.gz", OutputKind.LABELS, "list some of 28 short labels, 7102 of them several"),
    "wikisql": ("train.jsonl.gz", OutputKind.TEXT, "neither JSON objects nor a few labels"),
}


@pytest.mark.parametrize("name", REAL)
def test_the_format_of_real_data_is_inferred(name: str) -> None:
    file, kind, reason = REAL[name]
    folder = REAL_DATA / name
    if not folder.is_dir():
        pytest.skip(f"REAL DATA MISSING: {folder}; set TUNEPROOF_REAL_DATA to the folder that has {name}")
    outputs = [e.output for e in read_examples(str(folder / file)).examples]
    inferred = infer_output(outputs)
    assert inferred.output.kind is kind and reason in inferred.why
    assert problems(inferred.output, outputs) == 0
