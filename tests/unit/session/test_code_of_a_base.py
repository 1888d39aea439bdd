"""A base that brings code of its own is chosen only with an answer to whether it may run."""

from __future__ import annotations

from pathlib import Path

from tests.unit.models.broken_folders import sample_copy
from tests.unit.models.test_custom_code import plant
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.session.task_form import TYPED_FIELDS, TaskField, question_about_code, with_answer_about_code

CHOOSE = TYPED_FIELDS[TaskField.BASE].sections


def test_the_question_names_the_code_and_the_answer_is_in_the_draft(tmp_path: Path) -> None:
    draft = DraftCase(name="x")
    chosen = CHOOSE(draft, str(plant(tmp_path / "model", tmp_path / "mark")))
    assert "planted.PlantedModel" in (question_about_code(chosen) or "")
    for answer, trusts in (("yes", True), ("no", False), (None, False)):
        assert DraftCase.model_validate({"name": "x", **with_answer_about_code(chosen, answer)}).model.trust_remote_code is trusts  # type: ignore[union-attr]


def test_a_base_without_code_is_chosen_without_a_question(tmp_path: Path) -> None:
    draft = DraftCase(name="x")
    assert question_about_code(CHOOSE(draft, str(sample_copy(tmp_path / "model")))) is None
    assert question_about_code(CHOOSE(draft, "sample")) is None
    assert question_about_code(TYPED_FIELDS[TaskField.TARGET].sections(draft, "90")) is None
