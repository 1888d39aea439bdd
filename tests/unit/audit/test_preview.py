"""`data.json` shows the data as the model reads it, and is there also where the audit closes the gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import sample_case, tuneproof
from tuneproof.engine.audit.preview import length_summary
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import OutputKind
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.models.base_model import load_base
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.artifacts import DataFacts, LengthSummary
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore

DECISION = {"private_facts": False, "format_drift": True, "stable_task": True}
TASK = {"instruction": "Count.", "output": {"kind": "json", "schema": {"type": "object", "required": ["n"]}}}


def audited(case: Path, run: Path, code: int = 0) -> DataFacts:
    """The facts that the audit of a case writes, by the real command."""
    result = tuneproof("--replay", case, "--until", "audit", "--run-dir", run)
    assert result.code == code, result.err
    store = RunStore(run)
    store.check(artifacts.DATA)
    assert set(store.manifest.steps[StepId(StepKind.AUDIT)].files) == {artifacts.AUDIT, artifacts.DATA}
    return DataFacts.model_validate_json(store.read(artifacts.DATA))


@pytest.mark.long
def test_with_a_model_rows_are_shown_as_it_reads_them_and_counted_in_tokens(tmp_path: Path) -> None:
    found = audited(sample_case(), tmp_path / "run")
    base = load_base(ModelChoice(base="sample"))
    examples = read_examples(str(sample_case().with_suffix(".jsonl"))).examples
    assert (found.unit, found.base, found.context) == ("tokens", "sample", base.context_length)
    assert [(row.file, row.line) for row in found.rows] == [("support_tickets.jsonl", line) for line in range(1, 6)]
    for row, example in zip(found.rows, examples, strict=False):
        assert row.prompt == f"<|user|>Triage the ticket.\n\n{example.input}<|end|><|assistant|>"
        assert row.answer == example.output
        assert row.prompt_length == len(base.token_ids(row.prompt))
        # The end token is a target too.
        assert row.answer_length == len(base.token_ids(row.answer)) + 1
    assert found.prompt.longest >= found.prompt.p99 >= found.prompt.median >= 20
    assert found.drafted_output.kind is OutputKind.JSON
    assert found.drafted_why == "all 120 outputs are JSON objects with the same 3 keys"
    # The file has the schema under the name that a case has it under.
    assert json.loads((tmp_path / "run" / artifacts.DATA).read_text())["drafted_output"]["schema"]["type"] == "object"


def test_without_a_model_lengths_are_characters_and_the_instruction_comes_first(write_case: Any, write_jsonl: Any, tmp_path: Path) -> None:
    rows = [{"input": "x" * i, "output": "yes" if i % 2 else "no"} for i in range(1, 101)]
    rows[1]["instruction"] = "Its own."
    write_jsonl(rows)
    case = {"decision": DECISION, "task": {"instruction": "Answer."}, "data": {"examples": "rows.jsonl"}}
    found = audited(write_case(case), tmp_path / "run")
    assert (found.unit, found.base, found.context) == ("characters", None, None)
    assert [row.prompt for row in found.rows[:3]] == ["Answer.\nx", "Its own.\nxx", "Answer.\nxxx"]
    assert (found.rows[0].prompt_length, found.rows[0].answer_length) == (9, 3)
    assert found.prompt == LengthSummary(median=58, p99=107, longest=108)
    assert found.answer == LengthSummary(median=2, p99=3, longest=3)
    assert found.drafted_output.choices == ["no", "yes"]


@pytest.mark.long
def test_findings_that_close_the_gate_do_not_hide_the_data(write_case: Any, write_jsonl: Any, tmp_path: Path) -> None:
    write_jsonl([{"input": f"text {i}", "output": "no JSON" if i == 3 else json.dumps({"n": i})} for i in range(30)])
    case = {"decision": DECISION, "task": TASK, "data": {"examples": "rows.jsonl"}, "model": {"base": "sample"}}
    found = audited(write_case(case), tmp_path / "run", code=3)
    assert found.unit == "tokens" and found.rows[3].answer == "no JSON"
    assert found.drafted_why == "29 of 30 outputs are JSON objects with the same 1 key"


def test_each_part_of_the_case_that_the_preview_shows_is_on_record(write_case: Any, write_jsonl: Any, tmp_path: Path) -> None:
    write_jsonl([{"input": f"text {i}", "output": json.dumps({"n": i})} for i in range(30)])
    case = {"decision": DECISION, "task": TASK, "data": {"examples": "rows.jsonl"}, "model": {"base": "sample"}}
    audited(write_case(case), tmp_path / "run")
    settings = RunStore(tmp_path / "run").manifest.steps[StepId(StepKind.AUDIT)].inputs.settings
    base = load_base(ModelChoice(base="sample"))
    assert (settings["base"], settings["base name"], settings["context"]) == (base.sha256, "sample", str(base.context_length))
    assert {"data rows.jsonl", "settings"} <= settings.keys()


@pytest.mark.parametrize(
    ("lengths", "median", "p99", "longest"),
    [([], 0, 0, 0), ([7], 7, 7, 7), ([3, 1], 1, 3, 3), ([3, 1, 2], 2, 3, 3), (range(1, 201), 100, 198, 200)],
)
def test_a_summary_names_lengths_that_are_there(lengths: list[int], median: int, p99: int, longest: int) -> None:
    assert length_summary(lengths) == LengthSummary(median=median, p99=p99, longest=longest)


def test_first_rows_are_shown_with_private_data_masked(write_case: Any, write_jsonl: Any, tmp_path: Path) -> None:
    address = "ann.smith" + "@" + "elsewhere.net"
    write_jsonl([{"input": f"Write to {address} about {at}", "output": f"Dear {address}"} for at in range(12)])
    found = audited(write_case({"decision": DECISION, "task": {}, "data": {"examples": "rows.jsonl"}}), tmp_path / "run")
    assert found.rows[0].prompt == "Write to a…@e….net about 0" and found.rows[0].answer == "Dear a…@e….net"
    assert found.rows[0].prompt_length == len(f"Write to {address} about 0")
