"""The card's Data Shape says what the data is like as a whole, and whether the eval set can show that the target is met."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conftest import tuneproof
from tuneproof.engine.audit.profile import profile
from tuneproof.engine.audit.profile_text import profile_lines
from tuneproof.engine.data.example import Example, Source


def example(line: int, text: str, label: str, **metadata: Any) -> Example:
    return Example("Which colour?", text, label, Source("rows.jsonl", line), metadata=metadata)


TRAIN = [example(at, f"the {'sky' if at % 3 else 'grass'} number {at}", "blue" if at % 3 else "green", user=at // 2) for at in range(30)]
EVAL = [example(100, "the sky and the sea", "blue", user="x"), example(101, "an ember", "red")]


def test_fields_metadata_labels_and_vocabulary_are_counted() -> None:
    found = profile(TRAIN, TRAIN[:3], EVAL, None, None)
    assert found.fields == {"instruction": 35, "input": 35, "output": 35}
    assert (found.metadata["user"].rows, found.metadata["user"].different) == (34, 16)
    assert found.labels is not None
    assert [(row.label, row.train, row.validation, row.eval) for row in found.labels] == [
        ("blue", 20, 2, 1),
        ("green", 10, 1, 0),
        ("red", 0, 0, 1),
    ]
    assert found.inputs is not None
    # "the" comes twice; "and", "sea", "an" and "ember" are in no training row.
    assert (found.inputs.different, found.inputs.different_known, found.inputs.running, found.inputs.running_known) == (6, 2, 7, 3)
    lines = profile_lines(found)
    assert "3 labels, 30 times in train: blue 20, green 10, red 0; 1 only in eval, 1 not in eval" in lines
    assert "vocabulary of the eval inputs: 33% of their 6 distinct words occur in train, 43% of all 7 words" in lines


def test_without_eval_rows_and_labels_there_is_nothing_to_say_of_them() -> None:
    found = profile([example(at, f"question {at}", f"answer {at}") for at in range(20)], (), (), None, None)
    assert (found.labels, found.inputs, found.outputs, found.metadata) == (None, None, None, {})
    assert profile_lines(found) == ["fields: instruction in 20 rows, input in 20 rows, output in 20 rows"]


def test_the_card_says_what_the_data_is_like_and_that_the_eval_set_is_too_small(write_case: Any, write_jsonl: Any, tmp_path: Path) -> None:
    write_jsonl([{"input": f"is {at} even?", "output": "no" if at % 2 else "yes", "source": "made"} for at in range(60)])
    case = write_case(
        {
            "decision": {"private_facts": False, "format_drift": True, "stable_task": True},
            "task": {"instruction": "Answer.", "output": {"kind": "choice", "choices": ["yes", "no"]}},
            "data": {"examples": "rows.jsonl", "accept": {"near-leakage": "numbers differ", "near-conflict": "numbers differ"}},
            "target": {"at_least": 0.9},
        }
    )
    assert tuneproof("--replay", case, "--run-dir", tmp_path / "run").code == 0
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    shape, scored = card["data_shape"]["profile"], card["eval_set"]
    assert shape["metadata"] == {"source": {"rows": 60, "different": 1}}
    assert {row["label"]: row["train"] + row["validation"] + row["eval"] for row in shape["labels"]} == {"yes": 30, "no": 30}
    assert scored["n"] < 36 == scored["fewest_cases_for_target"] and scored["fewest_right_for_target"] is None
    assert any("too few to show that the target of 0.9 is met" in item for item in card["risk"]["items"])
    text = (tmp_path / "run" / "card.md").read_text()
    assert "- metadata: source (60 rows, 1 different)" in text and "it takes 36 cases" in text
