"""The list of all keys: nothing is missing, each says what it means, and what is entered for one is saved as its value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tuneproof.engine.case.draft import Draft
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.session.case_keys import CaseKey, KeyKind, case_keys, needed_before, why_fixed, with_values
from tuneproof.engine.session.form_input import InputError
from tuneproof.engine.session.key_input import read_value, says, text_to_edit


def content(**sections: Any) -> DraftCase:
    return DraftCase.model_validate({"name": "a", **sections})


def key_of(name: str, case: DraftCase) -> CaseKey:
    return next(key for key in case_keys(case) if key.name == name)


def entered(name: str, text: str, case: DraftCase | None = None) -> DraftCase:
    """The case after a text was entered for a key."""
    case = case or content()
    key = key_of(name, case)
    return Draft(case, None).changed(**with_values(case, {key.path: read_value(key, text, case)}))


def test_every_key_is_listed_with_what_it_means() -> None:
    keys = case_keys(content())
    assert not [key.name for key in keys if not key.meaning]
    assert {key.path[0] for key in keys} == set(DraftCase.model_fields)


def test_every_documented_key_can_be_entered() -> None:
    listed = {key.name for key in case_keys(content())}
    tables = (ROOT / "docs" / "case-file.md").read_text(encoding="utf-8")
    documented = {row.split("`")[1] for row in tables.splitlines() if row.startswith("| `")}
    structures = ("task.output.bounds.", "evaluate.compare[]", "prompts.", "data.accept.", "training.slurm.extra.")
    known = {name for name in documented if "." in name and not name.startswith(structures) and " " not in name}
    assert known and known <= listed, known - listed


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("training.learning_rate", "2e-4", 2e-4),
        ("training.learning_rate", "0,5", 0.5),
        ("training.batch_size", "1,024", 1024),
        ("training.max_steps", "1e3", 1000),
        ("training.packing", "yes", True),
        ("training.packing", "default", False),
        ("training.sharding", "full", "full"),
        ("task.instruction", "One.\nTwo.\n", "One.\nTwo."),
        ("task.output.choices", " yes \n\nno", ["yes", "no"]),
        ("evaluate.compare", "- full\n- {name: dora, rank: 8}", ["full", "dora"]),
        ("baselines", "zero_shot", ["zero_shot"]),
        ("task.metric", "macro_f1", "macro_f1"),
        ("prompts", "polite: |\n  Please.\n  {input}", ["polite"]),
    ],
)
def test_what_is_entered_is_the_value(name: str, text: str, value: Any) -> None:
    start = content(task={"output": {"kind": "choice"}})
    found: Any = entered(name, text, start)
    for part in name.split("."):
        found = getattr(found, part)
    if name == "evaluate.compare":
        found = [each.name for each in found]
    assert (list(found) if isinstance(found, dict) else found) == value


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("training.epochs", "many", "write a number"),
        ("training.rank", "1.5", "write a whole number"),
        ("evaluate.compare", "- [", "line 1"),
        ("baselines", "zero_shott", "did you mean zero_shot"),
        ("data.examples", "./none.jsonl", "there is no file"),
        ("task.metric", "{script: none.py}", "there is no file"),
    ],
)
def test_what_is_no_value_is_refused(name: str, text: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        read_value(key_of(name, content()), text, content())


def test_what_was_entered_is_what_is_edited_next() -> None:
    case = content(prompts={"polite": "Please.\n\nBe brief: {input}"}, training={"learning_rate": 1e-4})
    assert text_to_edit(key_of("prompts", case)) == "polite:\n  user: |-\n    Please.\n\n    Be brief: {input}\n"
    assert entered("prompts", text_to_edit(key_of("prompts", case)), case) == case
    assert text_to_edit(key_of("training.learning_rate", case)) == "0.0001"
    assert text_to_edit(key_of("training.rank", case)) == ""


def test_a_section_begins_with_the_keys_that_it_cannot_be_without_and_ends_with_them() -> None:
    case = content()
    keys = case_keys(case)
    assert [key.name for key in needed_before(key_of("endpoint.url", case), keys)] == ["endpoint.model"]
    assert [key.name for key in needed_before(key_of("data.columns.input", case), keys)] == ["data.columns.output"]
    with_endpoint = content(endpoint={"model": "m"})
    assert not needed_before(key_of("endpoint.url", with_endpoint), case_keys(with_endpoint))
    assert says(key_of("endpoint.model", with_endpoint), "") == "takes the whole section `endpoint` out"
    assert with_values(with_endpoint, {("endpoint",): None}) == {"endpoint": None}


def test_a_section_with_nothing_but_defaults_is_taken_out() -> None:
    case = content(training={"launcher": "slurm", "slurm": {"hours": 2.0}})
    assert entered("training.slurm.hours", "", case).training.slurm is None


def test_a_key_that_cannot_change_says_why() -> None:
    case = content(data={"examples": "a"})
    documents, epochs = key_of("data.documents", case), key_of("training.epochs", case)
    assert "the eval set was frozen with it" in str(why_fixed(documents, is_frozen=True, has_begun_training=False))
    assert why_fixed(epochs, is_frozen=True, has_begun_training=False) is None
    assert "training has begun" in str(why_fixed(epochs, is_frozen=True, has_begun_training=True))
    assert key_of("version", case).kind is KeyKind.FIXED


def test_documents_are_counted_where_they_are_named(tmp_path: Path) -> None:
    key = key_of("data.documents", content())
    with pytest.raises(InputError, match="there is no folder"):
        says(key, str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"no \.txt or \.md file"):
        says(key, str(tmp_path))
    (tmp_path / "a.md").write_text("a")
    assert says(key, str(tmp_path)) == "1 document"
