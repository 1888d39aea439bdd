"""Each measure sees what it is for, and sees nothing where base and tuned model answer alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.behaviour.planted import JSON, Answer, in_prose, refusing, right_in, run_folder, write_axis
from tuneproof.engine.behaviour.axis_case import AskedModel, TunedNotAsked
from tuneproof.engine.behaviour.axis_result import AxisResult
from tuneproof.engine.behaviour.coherence import Coherence
from tuneproof.engine.behaviour.measures import MeasureName
from tuneproof.engine.behaviour.paired_rates import RiskOutcome
from tuneproof.engine.behaviour.trained_form import TrainedForm
from tuneproof.engine.card.behaviour_section import BehaviourSection, NotMeasured, behaviour_section
from tuneproof.engine.card.behaviour_text import behaviour_lines, behaviour_risks, behaviour_table
from tuneproof.engine.card.build import make_card
from tuneproof.engine.card.markdown import card_text, optional_sections
from tuneproof.engine.card.verify_behaviour import check_behaviour
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.graders import make_grader


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """A run to which answers are added."""
    return run_folder(tmp_path)


def section_of(store: RunStore) -> BehaviourSection:
    """The section that the card would have."""
    task = store.case.task
    assert task is not None
    found = behaviour_section(store, TrainedForm.of(task, make_grader(task, [])))
    assert found is not None
    return found


def compared(store: RunStore, axis: Axis, base: Answer, tuned: Answer) -> dict[MeasureName, RiskOutcome]:
    """What each measure shows of two planted models."""
    write_axis(store, axis, {AskedModel.BASE: base, AskedModel.TUNED: tuned})
    return outcomes(section_of(store).axes[0])


def outcomes(result: AxisResult) -> dict[MeasureName, RiskOutcome]:
    """What each measure of an axis shows."""
    return {each.measure: each.rates.outcome for each in result.measures}


def test_a_model_that_has_forgotten_is_worse_and_one_that_has_not_is_not(store: RunStore) -> None:
    assert compared(store, Axis.FORGETTING, right_in(0.8), right_in(0.8))[MeasureName.CORRECT] is RiskOutcome.NO_WORSE
    assert compared(store, Axis.FORGETTING, right_in(0.8), right_in(0.6))[MeasureName.CORRECT] is RiskOutcome.WORSE


def test_json_to_everything_has_a_name_and_a_number(store: RunStore) -> None:
    same = compared(store, Axis.INSTRUCTIONS, in_prose, in_prose)
    assert same[MeasureName.TRAINED_FORM] is RiskOutcome.NO_WORSE and same[MeasureName.KEPT] is RiskOutcome.NO_WORSE
    found = compared(store, Axis.INSTRUCTIONS, in_prose, lambda at, case: JSON if at % 4 else in_prose(at, case))
    assert found[MeasureName.TRAINED_FORM] is RiskOutcome.WORSE and found[MeasureName.KEPT] is RiskOutcome.WORSE
    lines = [line for line in behaviour_risks(section_of(store)) if "unrelated requests answered as JSON" in line]
    assert len(lines) == 1 and "0.0 % → 75.0 %" in lines[0] and "+75 points" in lines[0] and "worse" in lines[0]


def test_a_model_that_stopped_refusing_is_worse_and_one_that_refuses_everything_is_too(store: RunStore) -> None:
    same = compared(store, Axis.SAFETY, refusing(0.9, 0.05), refusing(0.9, 0.05))
    assert {same[MeasureName.REFUSED], same[MeasureName.OVER_REFUSED]} == {RiskOutcome.NO_WORSE}
    stopped = compared(store, Axis.SAFETY, refusing(0.9, 0.05), refusing(0.5, 0.0))
    assert stopped[MeasureName.REFUSED] is RiskOutcome.WORSE and stopped[MeasureName.OVER_REFUSED] is RiskOutcome.NO_WORSE
    anxious = compared(store, Axis.SAFETY, refusing(0.9, 0.05), refusing(1.0, 0.5))
    assert anxious[MeasureName.REFUSED] is RiskOutcome.NO_WORSE and anxious[MeasureName.OVER_REFUSED] is RiskOutcome.WORSE


def test_the_card_has_a_table_of_it_and_what_got_worse_before_the_other_risks(store: RunStore) -> None:
    write_axis(store, Axis.FORGETTING, {AskedModel.BASE: right_in(0.8), AskedModel.TUNED: right_in(0.2)})
    card = make_card(RunSnapshot(store))
    # The first is that the base is the sample model.
    assert card.risk.items[1].startswith("Forgetting: 80.0 % → 20.0 % general tasks right, −60 points")
    text = card_text(card)
    assert "## Outside the Task" in text and "| Forgetting: general tasks right | 200 |" in text
    assert "Instruction-following: not measured (switched off)" in text
    section = next(each for each in optional_sections(card) if each.title == "Outside the Task")
    assert {len(row) for row in section.table} == {7}


def test_answers_that_are_none_are_a_class_of_their_own(store: RunStore) -> None:
    def broken(at: int, case: object) -> str:
        return ("", "again and again " * 30, "?!")[at % 3]

    found = compared(store, Axis.INSTRUCTIONS, in_prose, broken)
    assert found[MeasureName.INCOHERENT] is RiskOutcome.WORSE and found[MeasureName.TRAINED_FORM] is RiskOutcome.NO_WORSE
    odd = section_of(store).axes[0].tuned_odd
    assert odd is not None and odd.incoherent == {Coherence.EMPTY: 67, Coherence.LOOP: 67, Coherence.NO_WORDS: 66}


def test_a_base_at_its_floor_gives_no_signal_and_the_card_says_what_the_floor_is(store: RunStore) -> None:
    write_axis(store, Axis.FORGETTING, {AskedModel.BASE: right_in(0.0)}, not_asked=TunedNotAsked.FLOOR)
    section = section_of(store)
    assert outcomes(section.axes[0])[MeasureName.CORRECT] is RiskOutcome.NO_SIGNAL
    assert "Forgetting: no signal, base 0.0 % general tasks right (always answering" in behaviour_risks(section)[0]


def test_what_the_time_did_not_reach_is_not_measured_and_what_is_switched_off_is_neither(store: RunStore) -> None:
    write_axis(store, Axis.FORGETTING, {AskedModel.BASE: right_in(0.8), AskedModel.TUNED: right_in(0.2)}, n=49, not_asked=None)
    write_axis(store, Axis.SAFETY, {AskedModel.BASE: refusing(0.9, 0.0)}, not_asked=TunedNotAsked.TIME)
    section = section_of(store)
    assert section.axes == [] and section.not_measured == {
        Axis.FORGETTING: NotMeasured.TIME,
        Axis.INSTRUCTIONS: NotMeasured.OFF,
        Axis.SAFETY: NotMeasured.TIME,
    }
    assert "Forgetting: not measured (time: the budget of risk.minutes was spent)." in behaviour_risks(section)
    assert "Instruction-following: not measured (switched off)." in behaviour_risks(section)


def test_fewer_prompts_than_asked_for_say_so_and_what_they_can_show(store: RunStore) -> None:
    write_axis(store, Axis.FORGETTING, {AskedModel.BASE: right_in(0.8), AskedModel.TUNED: right_in(0.8)}, n=100)
    section = section_of(store)
    assert "Forgetting (only 100 of 200 prompts, for time): " in behaviour_risks(section)[0]
    assert "Forgetting: 100 of 200 prompts, for time (" in "".join(behaviour_lines(section))
    assert behaviour_table(section)[0][1] == "100" and behaviour_table(section)[0][-1].endswith(" points")


def test_a_stored_answer_that_was_moved_to_another_prompt_is_noticed(store: RunStore) -> None:
    write_axis(store, Axis.FORGETTING, {AskedModel.BASE: right_in(0.8), AskedModel.TUNED: right_in(0.8)})
    assert check_behaviour(RunSnapshot(store)) == 400
    name = "behaviour/forgetting/tuned.jsonl"
    first, second, *rest = store.read(name).splitlines(keepends=True)
    store.write(name, "".join([second, first, *rest]))
    with pytest.raises(VerifyFailed, match="the answers are not those to the first prompts"):
        check_behaviour(RunSnapshot(store))


def test_other_prompts_than_those_of_tuneproof_are_noticed(store: RunStore) -> None:
    write_axis(store, Axis.SAFETY, {AskedModel.BASE: refusing(1.0, 0.0)}, not_asked=TunedNotAsked.TIME)
    name = "behaviour/safety/cases.jsonl"
    store.write(name, store.read(name).replace("tricks", "invites", 1))
    with pytest.raises(VerifyFailed, match="the prompts are not those of tuneproof"):
        check_behaviour(RunSnapshot(store))
