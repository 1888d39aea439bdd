"""The stages of a case in order. A stage that was done before, from the same inputs, is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.data import Data
from tuneproof.engine.case.judge import Judge
from tuneproof.engine.case.schema import Case
from tuneproof.engine.case.task import Metric, Task
from tuneproof.engine.core.errors import CaseError, Interrupted, TuneproofError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import StageFinished, StageStarted
from tuneproof.engine.run.imports import freeze_heap, large_imports
from tuneproof.engine.run.killed import Killed
from tuneproof.engine.run.slurm import check_slurm
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.stages.card import write_card
from tuneproof.engine.stages.plan_page import write_plan_page
from tuneproof.engine.stages.route import decide_route
from tuneproof.engine.stages.run_context import RunContext

if TYPE_CHECKING:
    from tuneproof.engine.stages.kept_readings import KeptReadings

NEEDS: dict[Stage, tuple[str, ...]] = {
    Stage.AUDIT: ("data",),
    Stage.SPLIT: ("data",),
    Stage.BASELINES: ("data", "task", "model"),
    Stage.METHOD: ("data", "task", "model"),
    Stage.TRAIN: ("data", "task", "model"),
    Stage.EVALUATE: ("data", "task", "model"),
}
"""The sections of the case that a stage needs."""


def planned_stages(case: Case, until: Stage) -> list[Stage]:
    """The stages up to `until` for which the case has what they need; a case that ends early still gets its card.

    Raises CaseError if `until` names a stage that the case cannot reach.
    """
    stages = []
    for stage in list(Stage)[: until.position + 1]:
        missing = [part for part in NEEDS.get(stage, ()) if getattr(case, part) is None]
        if not missing:
            stages.append(stage)
        elif until is not Stage.CARD:
            raise CaseError(
                f"`{missing[0]}` is missing",
                where=f"--until {until}",
                fix=f"the stage {stage} needs it: add `{missing[0]}:`",
            )
    return stages


def with_possible_baselines(case: Case) -> Case:
    """The case without constrained decoding if that is only a default, and no grammar can express the output format."""
    if case.names_baselines or ArmName.CONSTRAINED not in case.baselines:
        return case
    from tuneproof.engine.arms import UNTUNED_ARMS

    try:
        UNTUNED_ARMS[ArmName.CONSTRAINED].check_case(case)
    except CaseError:
        return case.model_copy(update={"baselines": [name for name in case.baselines if name != ArmName.CONSTRAINED]})
    return case


def check_case(case: Case, stages: list[Stage]) -> None:
    """Finds before a run what would stop it later.

    Raises CaseError for a base model whose folder is not whole, for a check, arm or method that does not exist and for an invalid schema,
    and GateClosed for a method that this machine
    cannot train, if the case is to be trained here, and for a cluster that does not accept the job.
    """
    if Stage.AUDIT in stages and case.training.job is not None:
        check_slurm(case.training.job)
    if Stage.AUDIT in stages and case.data is not None:
        from tuneproof.engine.audit.run_checks import require_known_checks

        require_known_checks(case.data.leave_out, case.data.accept)
    if Stage.AUDIT in stages and case.task is not None:
        from tuneproof.engine.scoring.graders import make_grader

        make_grader(case.task, [])
    if Stage.AUDIT in stages and case.task is not None and case.model is not None:
        from tuneproof.engine.models.folder_check import check_named_folder

        check_named_folder(case.model.base)
    if Stage.BASELINES in stages and case.task is not None and case.task.primary_metric is Metric.PREFERENCE:
        _check_judge(case.judge)
    if Stage.BASELINES in stages and case.task is not None:
        from tuneproof.engine.arms import UNTUNED_ARMS
        from tuneproof.engine.methods.plan import check_compared, make_plan

        for arm in case.baselines:
            if arm not in UNTUNED_ARMS:
                raise CaseError(f"this version has no arm `{arm}`", where="baselines", fix=f"use {', '.join(UNTUNED_ARMS)}")
            UNTUNED_ARMS[arm].check_case(case)
        make_plan(case.method, case.training)
        for each in case.evaluate.compare:
            check_compared(each)
    if Stage.TRAIN in stages and not _only_a_job_can_train(case):
        from tuneproof.engine.methods.plan import check_trainable

        check_trainable(case.method, case.training)
    if Stage.METHOD in stages and case.method.trained is not None:
        from tuneproof.engine.methods.trained_elsewhere import trained_elsewhere

        trained_elsewhere(case.method.trained)
        for key, trains_again in (("seeds", case.evaluate.seeds > 1), ("learning_curve", case.evaluate.learning_curve)):
            if trains_again:
                what = "the model was trained elsewhere, so it cannot be trained again"
                raise CaseError(what, where=f"evaluate.{key}", fix=f"take evaluate.{key} out, or method.trained")


def _check_judge(judge: Judge | None) -> None:
    """Raises CaseError if there is no judge, or if its server or its model is not there."""
    if judge is None:
        fix = "add to the case `judge: {endpoint: {url: http://localhost:8000/v1, model: NAME}}`, or `judge: {model: FOLDER}`"
        raise CaseError("the metric preference needs a judge", where="judge", fix=fix)
    if judge.endpoint is not None:
        from tuneproof.engine.endpoint.server import resolve_server

        resolve_server(judge.endpoint)
    if judge.model is not None:
        from tuneproof.engine.models.folder_check import check_named_folder

        check_named_folder(judge.model)


def _only_a_job_can_train(case: Case) -> bool:
    """Whether the case is trained on another machine, which checks it again, and this machine cannot train it."""
    if case.training.job is None:
        return False
    from tuneproof.engine.methods.plan import make_plan
    from tuneproof.engine.methods.refusals import unavailable_reason
    from tuneproof.engine.methods.registry import METHODS

    return unavailable_reason(METHODS[make_plan(case.method, case.training).method]) is not None


def is_light(case: Case, until: Stage) -> bool:
    """Whether the planned stages need no worker: only the route and the card, of a case that says how many examples it has."""
    light = {Stage.ROUTE, Stage.CARD}
    return set(planned_stages(case, until)) <= light and case.decision.labeled_examples is not None


def run_stages(
    store: RunStore, log: EventLog, until: Stage, stop: StopRequest, killed: Killed | None = None, kept: KeptReadings | None = None
) -> None:
    """Does the planned stages of a run that this process has locked, with an event at the start and the end of each.

    `kept` is what this process knows from the run before; only dry runs have it. Every other run has its plan written as `plan.md` once the
    training is planned, and at the end, whatever the end is.
    """
    run = RunContext(store, store.case, log, stop, killed)
    stages = planned_stages(run.case, until)
    if run.case.training.job is not None:
        # The machine that submitted this job could not see what this one can train.
        check_case(run.case.on_this_machine(), stages)
    with large_imports():
        actions = _actions(run, stages, kept)
    freeze_heap()
    has_page = kept is None
    try:
        for stage in stages:
            stop.check()
            log.emit(StageStarted(stage=stage))
            started = time.monotonic()
            reused = actions[stage]()
            log.emit(StageFinished(stage=stage, seconds=round(time.monotonic() - started, 3), reused=reused), sync=True)
            if stage is Stage.METHOD and has_page:
                write_plan_page(run)
    except TuneproofError as error:
        # What ended the stages is said in any case; a plan that cannot be written then is not.
        with suppress(TuneproofError, OSError):
            if has_page:
                write_plan_page(run, None if isinstance(error, Interrupted) else error)
        raise
    if has_page:
        write_plan_page(run)


def _actions(run: RunContext, stages: list[Stage], kept: KeptReadings | None) -> dict[Stage, Callable[[], bool]]:
    """What each stage does; each returns whether it had been done before."""
    actions: dict[Stage, Callable[[], bool]] = {Stage.ROUTE: partial(decide_route, run), Stage.CARD: partial(write_card, run)}
    if Stage.AUDIT in stages and run.case.data is not None:
        # Everything after the route reads data; with a model it also loads transformers and torch.
        actions |= _data_actions(run, run.case.data, kept)
    return actions


def _data_actions(run: RunContext, data: Data, kept: KeptReadings | None) -> dict[Stage, Callable[[], bool]]:
    from tuneproof.engine.stages.audit import audit_data
    from tuneproof.engine.stages.data_readings import DataReadings
    from tuneproof.engine.stages.split import freeze_split

    readings, model = DataReadings(data, run.log), None
    actions: dict[Stage, Callable[[], bool]] = {}
    # With a model the audit counts tokens, even if the run ends there: a run that is resumed later then finds the same audit.
    if run.case.model is not None:
        from tuneproof.engine.stages.baselines import score_baselines
        from tuneproof.engine.stages.evaluate import evaluate_tuned
        from tuneproof.engine.stages.method import plan_method
        from tuneproof.engine.stages.model_context import ModelContext
        from tuneproof.engine.stages.train import train_adapter

        # Before there is a task, a row is what the model sees: its chat template around the request, and no instruction of the case.
        model = ModelContext(run, run.case.task or Task(), run.case.model, readings)
    if run.case.task is not None and model is not None:
        actions = {
            Stage.BASELINES: partial(score_baselines, run, model),
            Stage.METHOD: partial(plan_method, run, model),
            Stage.TRAIN: partial(train_adapter, run, model),
            Stage.EVALUATE: partial(evaluate_tuned, run, model),
        }
    if kept is not None:
        kept.begin(run.case, readings, model)
    return actions | {Stage.AUDIT: partial(audit_data, run, readings, model, kept), Stage.SPLIT: partial(freeze_split, run, readings)}
