"""Which stages a case can reach, and what is refused before anything is run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.session.tickets import CASE, changed
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.stages.pipeline import check_case, is_light, planned_stages


def test_a_whole_case_goes_through_every_stage() -> None:
    assert planned_stages(CASE, Stage.CARD) == list(Stage)


@pytest.mark.parametrize(
    ("missing", "stages"),
    [
        ("data", [Stage.ROUTE, Stage.CARD]),
        ("task", [Stage.ROUTE, Stage.AUDIT, Stage.SPLIT, Stage.CARD]),
        ("model", [Stage.ROUTE, Stage.AUDIT, Stage.SPLIT, Stage.CARD]),
    ],
)
def test_a_case_that_lacks_a_section_ends_early_with_a_card(missing: str, stages: list[Stage]) -> None:
    assert planned_stages(changed(**{missing: None}), Stage.CARD) == stages


def test_a_stage_that_the_case_cannot_reach_is_refused_with_what_is_missing() -> None:
    with pytest.raises(CaseError, match="`task` is missing") as caught:
        planned_stages(changed(task=None), Stage.BASELINES)
    assert caught.value.where == "--until baselines"


def test_only_the_route_of_a_case_that_says_its_number_of_examples_needs_no_worker() -> None:
    counted = changed(data=None, decision=CASE.decision.model_copy(update={"labeled_examples": 100}))
    assert is_light(counted, Stage.CARD) and is_light(counted, Stage.ROUTE)
    assert not is_light(changed(data=None), Stage.CARD) and not is_light(CASE, Stage.CARD)


@pytest.mark.parametrize(
    ("section", "value", "message"),
    [
        ("baselines", ["no_shot"], "no_shot"),
        ("method", CASE.method.model_copy(update={"name": "no_method"}), "no_method"),
    ],
)
def test_an_arm_or_a_method_that_does_not_exist_is_refused_before_a_run(section: str, value: Any, message: str) -> None:
    with pytest.raises(CaseError, match=message):
        check_case(changed(**{section: value}), planned_stages(CASE, Stage.BASELINES))
