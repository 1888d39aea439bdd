"""Which step of the wizard may be entered, and which one shows a run that is under way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.snapshots.record import FINISHED
from tests.unit.session.tickets import CASE
from tuneproof.engine.audit.report import Report
from tuneproof.engine.case.draft import Draft
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.session.case_session import CaseSession
from tuneproof.engine.session.progress import StepStatus, current_step, step_status, why_not_enter
from tuneproof.engine.session.steps import WizardStep


@pytest.fixture
def draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Draft:
    """The case as a draft in the current folder."""
    monkeypatch.chdir(tmp_path)
    made = Draft.new(tmp_path, CASE.name)
    made.choose(**{name: getattr(CASE, name) for name in ("decision", "data", "task", "model")})
    return made


def open_steps(session: CaseSession, state: RunState) -> list[WizardStep]:
    return [step for step in WizardStep if why_not_enter(session, step, state, RunState()) is None]


def test_each_step_opens_when_the_one_before_is_done(draft: Draft) -> None:
    new, state = CaseSession(Draft.new(Path.cwd(), "new")), RunState()
    assert open_steps(new, state) == [WizardStep.DECIDE]
    for key in ("private_facts", "format_drift", "stable_task"):
        new.draft.answer(key, False)
    assert open_steps(new, state) == [WizardStep.DECIDE, WizardStep.DATA]
    session = CaseSession(draft)
    assert open_steps(session, state) == [WizardStep.DECIDE, WizardStep.DATA, WizardStep.AUDIT]
    assert current_step(session, state) is WizardStep.AUDIT
    for stage, opened in ((Stage.AUDIT, WizardStep.TASK), (Stage.SPLIT, WizardStep.BASELINES)):
        state.done.add(stage)
        assert why_not_enter(session, opened, state, RunState()) is None and current_step(session, state) is opened
    assert why_not_enter(session, WizardStep.TRAIN, state, RunState()) == "run the baselines first: no training without one"
    state.done.add(Stage.BASELINES)
    assert open_steps(session, state) == list(WizardStep)


def test_a_running_worker_is_shown_at_the_step_of_its_stage(draft: Draft) -> None:
    session, state = CaseSession(draft), RunState(status=RunStatus.RUNNING, stage=Stage.TRAIN)
    state.done = {Stage.ROUTE, Stage.AUDIT, Stage.SPLIT, Stage.BASELINES, Stage.METHOD}
    assert current_step(session, state) is WizardStep.TRAIN


def test_an_audit_that_passed_keeps_its_mark_while_the_same_rows_are_read_again(draft: Draft) -> None:
    session, reading = CaseSession(draft), RunState(status=RunStatus.RUNNING)
    report = Report.model_validate_json((FINISHED / "audit.json").read_text())

    def status() -> StepStatus:
        return step_status(session, WizardStep.AUDIT, RunState(), reading)

    assert status() is StepStatus.OPEN
    session.last_known(reading).see(draft.content, report, None)
    draft.choose(task=CASE.task and CASE.task.model_copy(update={"instruction": "Answer yes or no."}))
    assert status() is StepStatus.CHECKED_AGAIN
    assert why_not_enter(session, WizardStep.TASK, RunState(), reading) is None
    assert step_status(session, WizardStep.AUDIT, RunState(), RunState(status=RunStatus.FAILED)) is StepStatus.OPEN
    draft.choose(data=CASE.data and CASE.data.model_copy(update={"examples": "other.jsonl"}))
    assert status() is StepStatus.OPEN, "of other rows nothing is known"
