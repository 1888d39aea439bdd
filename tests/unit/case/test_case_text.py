"""A case file holds texts, numbers, lists and keys; whatever else YAML can say is a mistake with its line, found at once."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.case.case_text import CaseTextError, read_case_text
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.yaml import yaml_text
from tuneproof.engine.core.errors import CaseError

CASE = "name: tickets\ndecision: {private_facts: false, format_drift: true, stable_task: true, labeled_examples: 120}\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + level)}: &{chr(98 + level)} [{', '.join([f'*{chr(97 + level)}'] * 9)}]\n" for level in range(9)
)


@pytest.mark.parametrize(
    ("written", "rate"), [("2e-4", 2e-4), ("2E-4", 2e-4), ("2.0e-4", 2e-4), (".5", 0.5), ("1.e-3", 1e-3), ("+1e-3", 1e-3), ("1", 1.0)]
)
def test_a_learning_rate_is_read_as_people_write_it(write_case: Any, written: str, rate: float) -> None:
    assert load_case(write_case(f"{CASE}training: {{learning_rate: {written}}}\n")).training.learning_rate == rate
    assert load_case(write_case(CASE), [f"training.learning_rate={written}"]).training.learning_rate == rate


def test_a_number_of_steps_may_have_an_exponent(write_case: Any) -> None:
    assert load_case(write_case(CASE), ["training.max_steps=1e3"]).training.max_steps == 1000


def test_words_that_other_yaml_versions_read_as_booleans_or_dates_are_texts() -> None:
    assert read_case_text("[yes, no, on, 2024-01-01, 1:30, 1_000, 0o17, 0x1F, 010, ~]").value == [
        *("yes", "no", "on", "2024-01-01", "1:30", "1_000", 15, 31, 10, None)
    ]


@pytest.mark.parametrize(
    ("wrong", "line", "message"),
    [
        (CASE + "budget: {hours: yes}\n", 3, "valid number"),
        (CASE.replace("false", "no"), 2, "write false"),
        (CASE + "training: {max_steps: 1_000}\n", 3, "write 1000"),
        (CASE + "training: {learning_rate: '2e-4'}\n", 3, "write 0.0002, without quotes"),
        (CASE + "training: [1]\n", 3, "`training` needs keys below it"),
        (CASE + "baselines: [1]\n", 3, "put it in quotes"),
        (CASE.replace("tickets", "!!python/object/apply:os.system [ls]"), 1, "!!python/object/apply:os.system"),
        (CASE.replace("tickets", "!!binary aGVsbG8="), 1, "!!binary"),
        (CASE.replace("tickets", "!!int many"), 1, "not of the type"),
        (CASE + "target: !!set {at_least}\n", 3, "!!set"),
        (CASE + BOMB, 7, "50,000 values"),
        (CASE + "data: &data [*data]\n", 3, "does not end before it"),
        (CASE + "data: *none\n", 3, "`*none` is an alias"),
        (CASE + "1: a\n", 3, 'write "1"'),
        (CASE + "? [a]\n: b\n", 3, "a key is not a text"),
        (CASE + "training: {<<: {epochs: 1}}\n", 3, "`<<`"),
        (CASE + "training: {seed: " + "9" * 5000 + "}\n", 3, "too large"),
        (CASE + "training: {epochs: 1e999}\n", 3, "too large"),
        (CASE + "training: {epochs: .inf}\n", 3, "not a number that a case can hold"),
        (CASE + "task: {output: {kind: json, schema: {maximum: .nan}}}\n", 3, "not a number that a case can hold"),
        (CASE + 'task: {instruction: "\\ud800"}\n', 3, "half a surrogate pair"),
        (CASE + "data: " + "[" * 100_000, 3, "64 levels"),
        (CASE + "---\nname: other\n", 3, "a second document"),
        (CASE + "task: {output: {kind: pattern, pattern: '" + "(" * 5000 + "'}}\n", 3, "not a regular expression"),
        (CASE + "task: {output: {kind: pattern, pattern: '(a{99999999999})'}}\n", 3, "not a regular expression"),
        (CASE + "a\x07b: 1\n", 3, "U+0007"),
        (CASE + "training: {seed: -1}\n", 3, "greater than or equal to 0"),
    ],
)
def test_what_a_case_cannot_hold_is_a_mistake_with_its_line(write_case: Any, wrong: str, line: int, message: str) -> None:
    path, begun = write_case(wrong), time.monotonic()
    with pytest.raises(CaseError) as caught:
        load_case(path)
    assert message in str(caught.value) and caught.value.where == f"{path}:{line}"
    assert time.monotonic() - begun < 5 and len(str(caught.value)) < 1500


@pytest.mark.parametrize(
    "override",
    [
        *("training.epochs=&a [*a]", "training.epochs=!!python/name:os.system x", "training.seed=" + "9" * 5000, "decision=3"),
        *("task.output.schema" + ".a" * 5000 + "=1", "training.epochs=" + "x" * 10_000, "name=\udcff", "training.epochs=" + BOMB),
    ],
)
def test_set_takes_what_a_case_file_takes_and_nothing_more(write_case: Any, override: str) -> None:
    with pytest.raises(CaseError) as caught:
        load_case(write_case(CASE), [override])
    assert caught.value.where.startswith(f"--set {override[:10]}") and len(str(caught.value)) < 1500


def test_an_alias_is_a_copy(write_case: Any) -> None:
    text = CASE + "evaluate: {compare: [&one {name: dora, rank: 4}]}\ntraining: {rank: 4}\nmethod: {name: lora}\n"
    assert load_case(write_case(text.replace("[&one", "[&one ")), ["evaluate.compare=[{name: full}]"]).evaluate.compare[0].name == "full"
    read = read_case_text("a: &a {b: [1]}\nc: *a\n").value
    read["a"]["b"].append(2)
    assert read["c"] == {"b": [1]}


@pytest.mark.parametrize("text", ["x" * 2_000_000, "\ufeff\ufeff", "\x00", "{"])
def test_a_file_that_is_no_case_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CaseError, match=r"case\.yaml"):
        load_case(path)


def test_pipes_devices_and_folders_are_no_case_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    (tmp_path / "folder.yaml").mkdir()
    for name, kind in {"pipe.yaml": "a pipe", "zero.yaml": "a device", "folder.yaml": "a folder"}.items():
        with pytest.raises(CaseError, match=kind):
            load_case(tmp_path / name)


@pytest.mark.parametrize("section", ["task: {output: {kind: json, schema: pipe}}", "prompts: {a: pipe.txt}"])
def test_files_that_a_case_names_are_ordinary_files(write_case: Any, tmp_path: Path, section: str) -> None:
    for name in ("pipe", "pipe.txt"):
        os.mkfifo(tmp_path / name)
    with pytest.raises(CaseError, match="a pipe"):
        load_case(write_case(f"{CASE}{section}\n"))


@pytest.mark.parametrize("schema", ["[" * 100_000, '{"a": NaN}', '{"a": "\\ud800"}', '{"a":' * 100 + "1" + "}" * 100, "9" * 5000, "", "[]"])
def test_a_schema_that_no_run_can_store_is_refused(write_case: Any, tmp_path: Path, schema: str) -> None:
    (tmp_path / "schema.json").write_text(schema)
    with pytest.raises(CaseError, match=r"task\.output\.schema"):
        load_case(write_case(f"{CASE}task: {{output: {{kind: json, schema: schema.json}}}}\n"))


def test_a_name_that_no_file_can_have_is_not_a_file(write_case: Any) -> None:
    case = load_case(write_case(f"{CASE}data: {{examples: {'x' * 5000}}}\nmodel: {{base: {'y' * 5000}}}\n"))
    assert case.data is not None and case.data.examples == "x" * 5000


AMBIGUOUS = ["2e-4", "1e3", ".5", "0o7", "yes", "~", "<<", "1:30", ""]
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(AMBIGUOUS)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none()


@given(st.recursive(WORDS | NUMBERS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=8))
def test_what_is_written_is_read_back_the_same(value: Any) -> None:
    assert read_case_text(yaml_text(value)).value == value


def test_an_error_counts_lines_from_one() -> None:
    with pytest.raises(CaseTextError) as caught:
        read_case_text("a: 1\nb: 2\nb: 3\n")
    assert (caught.value.line, caught.value.what) == (3, "the key `b` occurs twice")
