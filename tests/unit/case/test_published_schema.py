"""The JSON Schema of the case file takes every case that is valid, and refuses keys and values that are not."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tests.conftest import ROOT
from tests.markdown import Page
from tuneproof.engine.case.published_schema import case_schema
from tuneproof.engine.case.schema import Case, DraftCase

PUBLISHED = ROOT / "docs" / "case.schema.json"
SAMPLES = sorted((ROOT / "sample_cases").glob("*.yaml"))
PAGES = [Page(path) for path in sorted((ROOT / "docs").glob("*.md"))]
SHOWN = [(page.path.name, block.text) for page in PAGES for block in page.blocks if block.language == "yaml"]


@pytest.fixture(scope="module")
def validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(case_schema())


def test_the_published_schema_is_what_the_program_prints() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == case_schema(), "write it again: tuneproof schema > docs/case.schema.json"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_sample_cases_fit(path: Any, validator: jsonschema_rs.Validator) -> None:
    validator.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(("page", "text"), SHOWN, ids=lambda text: text[:20])
def test_what_the_documentation_shows_fits(page: str, text: str, validator: jsonschema_rs.Validator) -> None:
    validator.validate(yaml.safe_load(text))


def test_a_case_with_every_default_fits(validator: jsonschema_rs.Validator) -> None:
    decision = {"private_facts": False, "format_drift": True, "stable_task": True}
    whole = Case.model_validate({"name": "x", "decision": decision, "data": {"examples": "x"}, "model": {"base": "sample"}})
    validator.validate(whole.model_dump(mode="json", by_alias=True))


@pytest.mark.parametrize(
    "value",
    [
        {"task": {"output": {"kind": "json"}, "compare": "number"}},
        {"task": {"output": {"kind": "json"}, "compare": {"case": "ignore"}}},
        {"task": {"output": {"kind": "json"}, "compare": {"fields": {"a": {"number": {"tolerance": 0.1}}, "b": {"case": "ignore"}}}}},
        {"evaluate": {"compare": ["full", {"name": "dora", "rank": 8}]}},
        {"prompts": {"short": "Answer {input}", "long": {"system": "You are terse."}}},
        {"prompts": ["first.txt", "Answer {input}"]},
        {"training": {"learning_rate": 1, "launcher": "slurm", "slurm": {"extra": {"exclusive": True}}}},
    ],
)
def test_short_forms_fit_as_the_program_takes_them(value: dict[str, Any], validator: jsonschema_rs.Validator) -> None:
    DraftCase.model_validate({"name": "x", **value})
    validator.validate(value)


@pytest.mark.parametrize(
    "value",
    [
        {"traning": {}},
        {"training": {"epoch": 3}},
        {"training": {"epochs": "three"}},
        {"task": {"output": {"kind": "jsno"}}},
        {"task": {"compare": {"cases": "ignore"}}},
        {"decision": {"private_facts": "no"}},
    ],
)
def test_what_the_program_refuses_does_not_fit(value: dict[str, Any], validator: jsonschema_rs.Validator) -> None:
    assert not validator.is_valid(value)


def test_keys_have_their_meaning() -> None:
    training = case_schema()["$defs"]["Training"]["properties"]
    assert all(training[key].get("description") for key in ("epochs", "learning_rate", "batch_size"))
