"""How far a case is: which steps of the wizard are done, which may be entered, and which one comes next."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.state import RunState, RunStatus
from tuneproof.engine.session.steps import WizardStep

if TYPE_CHECKING:
    from tuneproof.engine.session.case_session import CaseSession

STEP_OF_STAGE = {
    Stage.ROUTE: WizardStep.TASK,
    Stage.AUDIT: WizardStep.TASK,
    Stage.SPLIT: WizardStep.TASK,
    Stage.BASELINES: WizardStep.BASELINES,
    # Planning takes no time, and the user who started it wants to see the training.
    Stage.METHOD: WizardStep.TRAIN,
    Stage.TRAIN: WizardStep.TRAIN,
    Stage.EVALUATE: WizardStep.TRAIN,
    Stage.CARD: WizardStep.CARD,
}
"""The step of the wizard that shows a stage of a run."""

_REQUIRED = {
    WizardStep.DATA: (WizardStep.DECIDE, "answer the questions first"),
    WizardStep.AUDIT: (WizardStep.DATA, "choose the data first"),
    WizardStep.TASK: (WizardStep.AUDIT, "finish the audit first: settle every blocking finding"),
    WizardStep.BASELINES: (WizardStep.TASK, "freeze the eval set first"),
    WizardStep.METHOD: (WizardStep.BASELINES, "run the baselines first: no training without one"),
    WizardStep.TRAIN: (WizardStep.BASELINES, "run the baselines first: no training without one"),
    WizardStep.CARD: (WizardStep.BASELINES, "run the baselines first: the card reports their scores"),
}
"""The step that has to be done before another may be entered, and the message if it is not."""


class StepStatus(Enum):
    """How far a step is."""

    OPEN = auto()
    CHECKED_AGAIN = auto()
    """It was done, and what it rests on is read again at the moment."""
    DONE = auto()


def step_status(session: CaseSession, step: WizardStep, state: RunState, dry_run: RunState) -> StepStatus:
    """The status of a step; `dry_run` is the state of the dry run of the draft."""
    if is_done(session, step, state):
        return StepStatus.DONE
    is_again = step is WizardStep.AUDIT and _is_checked_again(session, state if session.is_frozen else dry_run)
    return StepStatus.CHECKED_AGAIN if is_again else StepStatus.OPEN


def is_done(session: CaseSession, step: WizardStep, state: RunState) -> bool:
    """Whether a step is done."""
    match step:
        case WizardStep.DECIDE:
            return not [key for key in session.draft.unanswered() if key != "labeled_examples"]
        case WizardStep.DATA:
            return session.draft.content.data is not None
        case WizardStep.AUDIT:
            return Stage.AUDIT in state.done or _audit_passes(session)
        case WizardStep.TASK:
            return Stage.SPLIT in state.done
        case WizardStep.BASELINES:
            return Stage.BASELINES in state.done
        case WizardStep.METHOD:
            is_planned = session.is_method_chosen or state.tuned.started is not None
            return is_planned or state.tuned.skipped is not None
        case WizardStep.TRAIN:
            return state.tuned.finished is not None or state.tuned.skipped is not None
        case WizardStep.CARD:
            return state.card is not None


def why_not_enter(session: CaseSession, step: WizardStep, state: RunState, dry_run: RunState) -> str | None:
    """Why a step may not be entered yet; None if it may. `dry_run` is the state of the dry run of the draft."""
    if step not in _REQUIRED:
        return None
    required, message = _REQUIRED[step]
    # A run's own audit may differ from that of the draft it was frozen from; the task step then says what to do.
    is_open = step_status(session, required, state, dry_run) is StepStatus.OPEN
    may_enter = not is_open or (step is WizardStep.TASK and session.is_frozen)
    return None if may_enter else message


def freeze_failed(session: CaseSession, state: RunState) -> bool:
    """Whether the worker that should have frozen the eval set ended before it had."""
    return session.is_frozen and Stage.SPLIT not in state.done and state.status not in (RunStatus.NEW, RunStatus.RUNNING)


def current_step(session: CaseSession, state: RunState) -> WizardStep:
    """The step to show: that of the stage a worker is at, or else the first that is not done."""
    if state.status is RunStatus.RUNNING:
        # A resumed worker passes quickly through what is done: what it works on is the first stage that is not.
        return STEP_OF_STAGE[next((stage for stage in Stage if stage not in state.done), Stage.CARD)]
    if freeze_failed(session, state):
        return WizardStep.TASK
    return next((step for step in WizardStep if not is_done(session, step, state)), WizardStep.CARD)


def _audit_passes(session: CaseSession) -> bool:
    report = session.report
    return report is not None and (session.is_frozen or session.dry_run_is_current) and not report.blocking()


def _is_checked_again(session: CaseSession, audited: RunState) -> bool:
    """Whether a run, or a dry run of the draft, is on its way, and the audit before it of the same files found nothing that blocks."""
    before = session.last_known(audited).report
    if before is None or before.blocking() or session.why_no_dry_run is not None:
        return False
    is_not_there = session.report is None or not (session.is_frozen or session.dry_run_is_current)
    return audited.status in (RunStatus.NEW, RunStatus.RUNNING) and is_not_there
