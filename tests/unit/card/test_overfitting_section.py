"""The card says what overfitting and style came to, with figures, and calls nothing clean that was not measured."""

from __future__ import annotations

from tests.unit.behaviour.test_drift import answer, drift, plain
from tests.unit.behaviour.test_loss_gap import history
from tests.unit.behaviour.test_memorising import completed, facts
from tuneproof.engine.behaviour.loss_gap import loss_gap
from tuneproof.engine.behaviour.memorising import LeftOut
from tuneproof.engine.behaviour.overfitting import AnswerSet, OverfittingResult, memorised
from tuneproof.engine.card.drift_section import DriftSection, drift_lines, drift_risks, drift_table
from tuneproof.engine.card.overfitting_section import OverfittingSection, loss_text, memorised_text, overfitting_lines, overfitting_risks


def test_what_was_not_measured_is_said_with_its_reason() -> None:
    assert overfitting_risks(None, switched_off=True) == ["Overfitting and memorising: not measured (switched off)."]
    assert drift_risks(None, switched_off=False) == ["Style drift: not measured."]
    late = OverfittingResult(seconds=0, wants_scores=True, memorised=memorised(facts(), {AnswerSet.COMPLETED: []}, 0.05))
    lines = overfitting_risks(OverfittingSection(summary="", margin=0.05, result=late), switched_off=False)
    assert len(lines) == 2 and all("not measured (time" in line for line in lines)


def test_where_the_losses_part_is_said_with_both_losses() -> None:
    gap = loss_gap(history([2, 1, 0.5, 0.1], [2, 1.2, 1.4, 1.9]), kept_step=8)
    assert gap is not None
    text = loss_text(gap)
    assert (
        "opened after step 4: from there to step 8 the validation loss rose from 1.2 to 1.9, while the train loss fell from 1 to 0.1"
        in text
    )
    assert text.endswith("the step that was kept, 8, is behind it")


def test_memorising_is_said_with_eval_rows_and_the_base_beside_it_and_with_what_was_left_out() -> None:
    kinds = {
        AnswerSet.COMPLETED: completed(90, 100),
        AnswerSet.COMPLETED_EVAL: completed(5, 100),
        AnswerSet.COMPLETED_BASE: completed(0, 100),
    }
    found = memorised(facts(LeftOut(short=3)), kinds, 0.05)
    text = memorised_text(found, 0.05)
    assert "90.0 % of 100 train answers" in text and "5.0 % of 100 eval answers" in text and "base 0.0 % of 100" in text
    assert "more on rows that were seen" in text and "3 answers were left out" in text
    section = OverfittingSection(summary="", margin=0.05, result=OverfittingResult(memorised=found, seconds=60))
    assert any("3 are shorter" in line for line in overfitting_lines(section))


def test_style_names_what_changed_and_has_every_property_in_its_table() -> None:
    changed = drift(lambda at: answer(f"{plain(at)} {plain(at + 3)}", base_nats=90.0))
    section = DriftSection(summary="", margin=0.05, ratio_margin=0.25, result=changed)
    (line,) = drift_risks(section, switched_off=False)
    assert "words an answer" in line and "changed" in line and "distinct words" not in line
    table = drift_table(section)
    assert len(table) == 1 + len(changed.changes) and {len(row) for row in table} == {6}
    assert len(drift_lines(section)) == 2


def test_a_base_without_text_gives_no_signal_and_no_clean_bill() -> None:
    nothing = drift(lambda at: answer(plain(at)), lambda at: answer(""))
    section = DriftSection(summary="", margin=0.05, ratio_margin=0.25, result=nothing)
    assert drift_risks(section, switched_off=False) == ["Style drift: no signal: 200 of 200 answers of the base are no text."]
