"""Eval sets of promptfoo and of OpenAI's evals are read as cases: what is asked, and the answer that is expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneproof.engine.case.data import Columns
from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.data.notes import NotRead, UnusedKey
from tuneproof.engine.data.problems import NothingToLearn
from tuneproof.engine.data.readers import LoadedExamples, read_examples

CONFIGURATION = """\
prompts: ['Classify: {{message}}']
defaultTest:
  vars: {tone: kind}
  assert: [{type: latency, threshold: 500}]
tests:
  - vars: {message: I was charged twice}
    assert: [{type: equals, value: billing}]
  - vars: {message: I cannot log in, want: account}
    assert: [{type: icontains, value: '{{want}}'}, {type: llm-rubric, value: is polite}]
  - vars: {message: [Hello, Hi], want: no}
    assert: [{type: equals, value: '{{ want }}'}]
  - vars: {message: Well}
    assert: [{type: javascript, value: 'output.length < 10'}]
  - file://more.csv
"""


def read(folder: Path, name: str, text: str, columns: Columns | None = None) -> LoadedExamples:
    path = folder / name
    path.write_text(text, "utf-8")
    return read_examples(str(path), columns)


def pairs(loaded: LoadedExamples) -> list[tuple[str, str]]:
    return [(example.input, example.output) for example in loaded.examples]


def promptfoo(folder: Path, *assertions: dict[str, Any], **variables: Any) -> LoadedExamples:
    return read(folder, "tests.jsonl", json.dumps({"vars": variables, "assert": assertions}))


def test_the_tests_of_a_promptfoo_configuration_are_cases_with_their_lines(tmp_path: Path) -> None:
    loaded = read(tmp_path, "promptfooconfig.yaml", CONFIGURATION)
    assert pairs(loaded) == [("I was charged twice", "billing"), ("I cannot log in", "account"), ("Hello", "no"), ("Hi", "no")]
    assert [example.source.line for example in loaded.examples] == [6, 8, 10, 10]


def test_what_a_configuration_says_and_is_not_compared_is_reported(tmp_path: Path) -> None:
    loaded = read(tmp_path, "promptfooconfig.yaml", CONFIGURATION)
    assert {note.key: len(rows) for note, rows in loaded.notes.of(UnusedKey)} == {"latency": 3, "llm-rubric": 1, "icontains": 1}
    assert [type(problem) for source, problem in loaded.problems if source.line == 12] == [NothingToLearn]
    assert "more.csv" in str(next(problem for source, problem in loaded.problems if source.line == 14))
    assert [note.rows for note, _ in loaded.notes.of(NotRead)] == [None]


@pytest.mark.parametrize(
    ("kind", "value", "output"),
    [
        ("equals", {"a": 1}, '{"a": 1}'),
        ("equals", 12, "12"),
        ("contains", "x", "x"),
        ("starts-with", "x", "x"),
        ("contains-all", ["x", "y"], '["x", "y"]'),
        ("rouge-n", "a text", "a text"),
        ("equals", "on {{day}}", "on Monday"),
        ("equals", "{{day}}", "Monday"),
    ],
)
def test_the_value_of_an_assertion_is_the_expected_answer(tmp_path: Path, kind: str, value: Any, output: str) -> None:
    assert pairs(promptfoo(tmp_path, {"type": kind, "value": value}, message="When?", day="Monday")) == [("When?", output)]


@pytest.mark.parametrize(
    ("assertion", "variables", "said"),
    [
        ({"type": "contains-any", "value": ["x", "y"]}, {"message": "Hi"}, "names no expected answer"),
        ({"type": "equals", "value": "{{other}}"}, {"message": "Hi"}, "none of the variables"),
        ({"type": "equals", "value": "{{message | upper}}"}, {"message": "Hi"}, "a template that is more than names"),
        ({"type": "equals", "value": "file://answer.txt"}, {"message": "Hi"}, "in a file of its own"),
        ({"type": "equals", "value": "x"}, {"message": "file://mail.txt"}, "in a file of its own"),
        ({"type": "equals", "value": "x"}, {"first": "a", "second": "b"}, "name it under data.columns"),
    ],
)
def test_a_test_without_a_known_answer_or_input_is_left_out_with_the_reason(
    tmp_path: Path, assertion: dict[str, Any], variables: dict[str, Any], said: str
) -> None:
    good = {"vars": {"message": "Good"}, "assert": [{"type": "equals", "value": "y"}]}
    rows = [good, {"vars": variables, "assert": [assertion]}]
    loaded = read(tmp_path, "tests.jsonl", "\n".join(map(json.dumps, rows)))
    assert pairs(loaded) == [("Good", "y")]
    assert said in str(loaded.problems[0][1])


def test_a_table_of_tests_has_its_assertion_in_the_column_expected(tmp_path: Path) -> None:
    rows = "message,__expected,__description\nI was charged twice,equals: billing,one\nHello,note: later,two\nHi,icontains: other,three\n"
    loaded = read(tmp_path, "tests.csv", rows)
    assert pairs(loaded) == [("I was charged twice", "billing"), ("Hello", "note: later"), ("Hi", "other")]


def test_columns_of_the_training_file_name_values_of_the_eval_set(tmp_path: Path) -> None:
    columns = Columns(input="second", output="label")
    row = {"vars": {"first": "a", "second": "b"}, "assert": [{"type": "equals", "value": "x"}]}
    assert pairs(read(tmp_path, "tests.jsonl", json.dumps(row), columns)) == [("b", "x")]
    item = {"item": {"first": "a", "second": "b", "label": "y"}}
    assert pairs(read(tmp_path, "items.jsonl", json.dumps(item), columns)) == [("b", "y")]


def test_samples_of_openai_evals_are_read_with_their_system_turn(tmp_path: Path) -> None:
    turns = [{"role": "system", "content": "Answer in a word."}, {"role": "user", "content": "The capital of Norway?"}]
    rows = [{"input": turns, "ideal": "Oslo"}, {"input": "1 + 1?", "ideal": ["2", "two"]}]
    loaded = read(tmp_path, "samples.jsonl", "\n".join(map(json.dumps, rows)))
    assert pairs(loaded) == [("The capital of Norway?", "Oslo"), ("1 + 1?", "2")]
    assert loaded.examples[0].system == "Answer in a word."
    assert [note.key for note, _ in loaded.notes.of(UnusedKey)] == ["ideal"]


def test_items_of_the_hosted_evaluation_are_found_in_the_body_of_a_run(tmp_path: Path) -> None:
    items = [{"item": {"ticket_text": "The monitor is dark", "correct_label": "Hardware"}}]
    template = {"type": "template", "template": [{"role": "user", "content": "{{item.ticket_text}}"}]}
    source = {"type": "file_content", "content": items}
    run = {"testing_criteria": [{"type": "string_check"}], "data_source": {"input_messages": template, "source": source}}
    assert pairs(read(tmp_path, "run.json", json.dumps(run))) == [("The monitor is dark", "Hardware")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: case\ndecision: {}\n", "has no list `tests`"),
        ("tests: file://tests.csv\n", "in another file: file://tests.csv"),
        ("tests: [\n", "line 2"),
        ("", "has no list `tests`"),
    ],
)
def test_yaml_that_is_no_eval_set_is_refused_and_says_what_is_read(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataRefused, match=said):
        read(tmp_path, "some.yaml", text)


def test_yaml_in_a_folder_of_data_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text("name: x\n", "utf-8")
    (tmp_path / "rows.jsonl").write_text('{"input": "a", "output": "b"}\n', "utf-8")
    assert pairs(read_examples(str(tmp_path))) == [("a", "b")]
