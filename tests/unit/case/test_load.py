"""A case file is read with paths that start at its folder; one that is wrong is refused with file, line and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.case.load import dump_case, load_case
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import CaseError

GOOD = """version: 1
name: tickets
decision:
  private_facts: false
  format_drift: true
  stable_task: true
  labeled_examples: 120
"""


def error_of(path: Path) -> str:
    with pytest.raises(CaseError) as caught:
        load_case(path)
    return str(caught.value)


def test_a_case_with_only_a_decision_loads(write_case: Any) -> None:
    case = load_case(write_case(GOOD))
    assert (case.name, case.decision.labeled_examples, case.data) == ("tickets", 120, None)


@pytest.mark.parametrize(
    ("wrong", "line", "message"),
    [
        (GOOD.replace("format_drift", "format_drif"), 5, "did you mean `format_drift`?"),
        (GOOD + "basleines: [zero_shot]\n", 8, "did you mean `baselines`?"),
        (GOOD.replace("stable_task: true", "stable_task: perhaps"), 6, "`decision.stable_task`"),
        (GOOD.replace("labeled_examples: 120", "labeled_examples: true"), 7, "`decision.labeled_examples`"),
        (GOOD.replace("labeled_examples: 120", "labeled_examples: -1"), 7, "`decision.labeled_examples`"),
        (GOOD.replace("  private_facts: false\n", ""), 3, "`decision.private_facts` is missing"),
        (GOOD + "task: {output: {kind: jsn}}\n", 8, "`task.output.kind`"),
        (GOOD + "task:\n  output: {kind: choice}\n  metric: pattern_match\n", 8, "does not fit output kind choice"),
        (GOOD + "task:\n  output:\n    kind: pattern\n    pattern: '(['\n", 11, "not a regular expression"),
        (GOOD + "data:\n  examples: a.jsonl\n  split: {train: 0.9, validation: 0.2, eval: 0.2}\n", 10, "add up to 1"),
        (GOOD + "target: {at_least: 1.5}\n", 8, "`target.at_least`"),
        (GOOD.replace("version: 1", "version: 2"), 1, "`version`"),
        (GOOD + "name: twice\n", 8, "occurs twice"),
        ("a: [1\n", 2, "not YAML"),
        ("- a\n- b\n", 1, "a mapping of keys"),
    ],
)
def test_an_error_names_its_line_and_key(write_case: Any, wrong: str, line: int, message: str) -> None:
    error = error_of(write_case(wrong))
    assert message in error
    assert f":{line}" in error or f"line {line}" in error


def test_a_missing_case_file_is_an_error(tmp_path: Path) -> None:
    assert "there is no such case file" in error_of(tmp_path / "none.yaml")


def test_paths_start_at_the_folder_of_the_case_file(write_case: Any, write_jsonl: Any, tmp_path: Path) -> None:
    write_jsonl([{"input": "a", "output": "b"}])
    (tmp_path / "schema.json").write_text('{"type": "object"}')
    text = GOOD + "task: {output: {kind: json, schema: schema.json}}\ndata: {examples: rows.jsonl}\n"
    case = load_case(write_case(text))
    assert case.data is not None and case.data.examples == str(tmp_path / "rows.jsonl")
    assert case.task is not None and case.task.output.json_schema == {"type": "object"}


@given(
    name=st.text(min_size=1, max_size=200).filter(str.isprintable),
    examples=st.integers(0, 10**6),
    flags=st.lists(st.booleans(), min_size=3, max_size=3),
    rate=st.floats(1e-6, 1.0),
)
def test_a_case_that_is_written_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, name: str, examples: int, flags: list[bool], rate: float
) -> None:
    decision = dict(zip(("private_facts", "format_drift", "stable_task"), flags, strict=True))
    case = Case.model_validate({"name": name, "decision": {**decision, "labeled_examples": examples}, "training": {"learning_rate": rate}})
    path = tmp_path_factory.mktemp("case") / "case.yaml"
    path.write_text(dump_case(case), encoding="utf-8")
    assert load_case(path) == case


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("script", "write metric: {script: score.py}"),
        ("{script: gone.py}", "there is no file"),
        ("{script: broken.py}", "not Python, line 1"),
        ("{script: empty.py}", "does not define `score(output, row)`"),
        ("{scrip: score.py}", "did you mean `script`?"),
        ("{script: score.py, seconds: 0}", "`task.metric.seconds`"),
        ("{script: 3}", "`task.metric.script`"),
        ("nothing", "should be 'exact_match'"),
    ],
)
def test_a_script_metric_that_cannot_be_used_is_named_with_its_fix(tmp_path: Path, metric: str, said: str) -> None:
    (tmp_path / "broken.py").write_text("def score(output, row:\n")
    (tmp_path / "empty.py").write_text("x = 1\n")
    (tmp_path / "score.py").write_text("def score(output, row):\n    return 1\n")
    answers = "{private_facts: false, format_drift: true, stable_task: true, labeled_examples: 3}"
    (tmp_path / "case.yaml").write_text(f"decision: {answers}\ntask:\n  metric: {metric}\n")
    with pytest.raises(CaseError) as found:
        load_case(tmp_path / "case.yaml")
    assert said in str(found.value)


def test_a_loaded_case_has_the_text_of_its_script_and_another_text_is_another_task(tmp_path: Path) -> None:
    answers = "{private_facts: false, format_drift: true, stable_task: true, labeled_examples: 3}"
    (tmp_path / "case.yaml").write_text(f"decision: {answers}\ntask:\n  metric: {{script: score.py}}\n")
    digests = set()
    for value in ("1", "0.5"):
        (tmp_path / "score.py").write_text(f"def score(output, row):\n    return {value}\n")
        case = load_case(tmp_path / "case.yaml")
        assert case.task is not None and f"return {value}" in dump_case(case)
        (tmp_path / "copy.yaml").write_text(dump_case(case))
        assert load_case(tmp_path / "copy.yaml").task == case.task
        digests.add(case.task.sha256)
    assert len(digests) == 2
