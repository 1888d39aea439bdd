"""Without `baselines`, a case measures what a good engineer would try first for its kind of output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import WriteCase
from tuneproof.engine.case.draft import Draft
from tuneproof.engine.case.load import load_case
from tuneproof.engine.stages.pipeline import with_possible_baselines

DECISION = {"private_facts": False, "format_drift": True, "stable_task": True, "labeled_examples": 80}
PLAIN, FORMAT = ["zero_shot", "few_shot"], ["zero_shot", "few_shot", "constrained"]


def case(output: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "x", "decision": DECISION, "task": {"instruction": "Answer.", "output": output}, **more}


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"kind": "json"}, FORMAT),
        ({"kind": "choice", "choices": ["a", "b"]}, FORMAT),
        ({"kind": "pattern", "pattern": r"(\d+)"}, FORMAT),
        ({"kind": "text"}, PLAIN),
        # No grammar can express these, which only a case that names the arm should hear about.
        ({"kind": "pattern", "pattern": r"(?=\d)(\d+)"}, PLAIN),
        ({"kind": "json", "schema": {"type": "array", "uniqueItems": True}}, PLAIN),
    ],
)
def test_constrained_is_on_where_the_output_has_a_format(write_case: WriteCase, output: dict[str, Any], expected: list[str]) -> None:
    assert with_possible_baselines(load_case(write_case(case(output)))).baselines == expected


def test_baselines_that_a_case_names_stay_as_they_are(write_case: WriteCase) -> None:
    path = write_case(case({"kind": "json"}, baselines=["zero_shot"]))
    assert with_possible_baselines(load_case(path)).baselines == ["zero_shot"]
    assert load_case(path, ["baselines=[zero_shot, few_shot]"]).baselines == PLAIN


def test_a_draft_follows_its_task_until_arms_are_chosen(tmp_path: Path) -> None:
    draft = Draft.new(tmp_path, "x")
    assert draft.content.baselines == PLAIN
    draft.choose(task={"output": {"kind": "json"}})
    assert draft.content.baselines == FORMAT and Draft.open(tmp_path / "x.yaml").content.baselines == FORMAT
    draft.choose(task={"output": {"kind": "text"}})
    assert draft.content.baselines == PLAIN and "baselines" not in (tmp_path / "x.yaml").read_text()
    draft.choose(baselines=["zero_shot"])
    draft.choose(task={"output": {"kind": "json"}})
    assert draft.content.baselines == ["zero_shot"] and Draft.open(tmp_path / "x.yaml").content.baselines == ["zero_shot"]
