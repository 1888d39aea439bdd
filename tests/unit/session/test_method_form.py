"""The method form: the settings of the chosen method, and what speaks against training."""

from __future__ import annotations

import pytest

from tuneproof.engine.case.route import Route
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.session.form_input import InputError
from tuneproof.engine.session.method_form import (
    SETTINGS,
    is_overridden,
    objection_to_training,
    setting_rows,
    settings_of,
    with_override_toggled,
    with_setting,
)

LORA = DraftCase(name="a", method=MethodChoice(name="lora"))


def test_only_settings_of_the_method_are_shown() -> None:
    full = DraftCase(name="a", method=MethodChoice(name="full"))
    assert "rank" in settings_of(LORA) and "rank" not in settings_of(full)
    assert set(settings_of(LORA)) <= set(SETTINGS)


def test_a_setting_of_the_case_is_distinguished_from_a_default() -> None:
    content = LORA.model_copy(update={"training": Training(epochs=2.0)})
    rows = {row.name: row for row in setting_rows(content)}
    assert rows["epochs"].is_own and rows["epochs"].value == 2.0 and rows["epochs"].note == SETTINGS["epochs"]
    assert not rows["rank"].is_own and rows["rank"].value is not None


def test_a_default_names_its_source() -> None:
    rows = {row.name: row for row in setting_rows(LORA)}
    assert rows["learning_rate"].note.startswith(f"{SETTINGS['learning_rate']} (")


def test_an_unknown_method_has_no_settings() -> None:
    with pytest.raises(CaseError):
        setting_rows(DraftCase(name="a", method=MethodChoice(name="magic")))


@pytest.mark.parametrize(
    ("name", "text", "value"), [("epochs", "2", 2.0), ("rank", "16", 16), ("batch_size", "8.0", 8), ("rank", "", None)]
)
def test_a_setting_is_read_as_the_kind_of_number_that_it_is(name: str, text: str, value: float | int | None) -> None:
    read = with_setting(LORA, name, text)[name]
    assert read == value and type(read) is type(value)


def test_a_setting_keeps_the_other_settings() -> None:
    content = LORA.model_copy(update={"training": Training(epochs=2.0)})
    assert with_setting(content, "rank", "16")["epochs"] == 2.0


def test_a_setting_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="rank has to be a number"):
        with_setting(LORA, "rank", "high")


def test_an_arm_that_meets_the_target_comes_before_the_route() -> None:
    objection = objection_to_training(["few_shot"], Route.RAG)
    assert objection is not None and objection.reason == "few_shot is shown to meet the target" and objection.override == "even_if_met"


def test_another_route_speaks_against_training() -> None:
    objection = objection_to_training([], Route.RAG)
    assert objection is not None and objection.override == "even_if_routed_elsewhere"


@pytest.mark.parametrize("route", [None, Route.FINE_TUNING])
def test_nothing_speaks_against_training_on_its_own_route_or_on_an_unknown_one(route: Route | None) -> None:
    assert objection_to_training([], route) is None


@pytest.mark.parametrize(("met", "route"), [(["few_shot"], None), ([], Route.RAG)])
def test_an_objection_is_overridden_and_the_override_withdrawn(met: list[str], route: Route | None) -> None:
    objection = objection_to_training(met, route)
    assert objection is not None
    overridden = with_override_toggled(MethodChoice(), objection)
    assert is_overridden(overridden) and with_override_toggled(overridden, objection) == MethodChoice()
