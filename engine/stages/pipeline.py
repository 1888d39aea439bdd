"""The stages of a case in order; what is done already, from the same inputs, is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tuneproof.engine.card.schema import CARD_JSON, CARD_MD
from tuneproof.engine.case.route import MINIMUM_BEFORE_TRAINING, REASONS, RouteAnswers, choose_route, what_if
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import CaseError, Interrupted
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import CardWritten, RouteDecided, StageFinished, StageStarted, WhatIfRow
from tuneproof.engine.run.imports import large_imports, settle
from tuneproof.engine.run.slurm import check_slurm
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import CASE, RunStore

NEEDS: dict[Stage, tuple[str, ...]] = {
    Stage.AUDIT: ("data",),
    Stage.SPLIT: ("data",),
    Stage.BASELINES: ("data", "task", "model"),
    Stage.METHOD: ("data", "task", "model"),
    Stage.TRAIN: ("data", "task", "model"),
    Stage.EVALUATE: ("data", "task", "model"),
}
"""The parts of the case that a stage cannot do without."""


def planned_stages(case: Case, until: Stage) -> list[Stage]:
    """The stages that the case has enough for, up to the one asked for; the card closes a case that ends early.

    Raises CaseError where a stage was asked for by name and the case lacks what it needs.
    """
    stages = []
    for stage in list(Stage)[: until.place + 1]:
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


def check_names(case: Case, stages: list[Stage]) -> None:
    """Raises CaseError for a check, arm or method that does not exist, and for a schema that is none, before anything is begun.

    GateClosed, too: for a method that this machine cannot train, where the case is to be trained, and for a cluster that does not take it.
    """
    if Stage.AUDIT in stages and case.training.job is not None:
        check_slurm(case.training.job)
    if Stage.AUDIT in stages and case.data is not None:
        from tuneproof.engine.audit.report import check_names as check_names_of_checks

        check_names_of_checks(case.data.leave_out, case.data.accept)
    if Stage.BASELINES in stages and case.task is not None:
        from tuneproof.engine.arms import UNTUNED_ARMS
        from tuneproof.engine.methods.plan import check_compared, make_plan
        from tuneproof.engine.scoring.judges import make_judge

        for arm in case.baselines:
            if arm not in UNTUNED_ARMS:
                raise CaseError(f"`{arm}` is no arm this version runs", where="baselines", fix=f"use {', '.join(UNTUNED_ARMS)}")
            UNTUNED_ARMS[arm].check_case(case)
        make_plan(case.method, case.training)
        for each in case.evaluate.compare:
            check_compared(each)
        make_judge(case.task, [])
    if Stage.TRAIN in stages and not _only_a_job_can_train(case):
        from tuneproof.engine.methods.plan import check_trainable

        check_trainable(case.method, case.training)


def _only_a_job_can_train(case: Case) -> bool:
    """Whether this machine cannot train what the case is to train on another one, which looks at it again."""
    if case.training.job is None:
        return False
    from tuneproof.engine.methods.plan import make_plan
    from tuneproof.engine.methods.refusals import unavailable_reason
    from tuneproof.engine.methods.registry import METHODS

    return unavailable_reason(METHODS[make_plan(case.method, case.training).method]) is not None


def is_light(case: Case, until: Stage) -> bool:
    """Whether everything planned can be done at once, without a worker: the route of a case that counts its own examples."""
    light = {Stage.ROUTE, Stage.CARD}
    return set(planned_stages(case, until)) <= light and case.decision.labeled_examples is not None


def run_stages(store: RunStore, log: EventLog, until: Stage, stop: StopRequest) -> None:
    """Does the planned stages of a run that this process has locked, telling each in the log."""
    case = store.case
    stages = planned_stages(case, until)
    if case.training.job is not None:
        # Whoever submitted this job could not tell what its machine can train.
        check_names(case.on_this_machine(), stages)
    with large_imports():
        do = _actions(store, case, log, stop, stages)
    settle()
    for stage in stages:
        if stop.asked:
            raise Interrupted("stopped as asked", fix="add --resume to go on")
        log.emit(StageStarted(stage=stage))
        started = time.monotonic()
        reused = do[stage]()
        log.emit(StageFinished(stage=stage, seconds=round(time.monotonic() - started, 3), reused=reused), sync=True)


def _actions(store: RunStore, case: Case, log: EventLog, stop: StopRequest, stages: list[Stage]) -> dict[Stage, Callable[[], bool]]:
    """What each stage does; each answers whether it had been done before."""
    actions: dict[Stage, Callable[[], bool]] = {
        Stage.ROUTE: lambda: decide_route(store, case, log),
        Stage.CARD: lambda: write_card(store, log),
    }
    if case.data is None:
        return actions
    # Everything past the route reads data; with a model it also loads transformers and torch.
    from tuneproof.engine.stages.data_stages import DataStages

    data = DataStages(store, case, case.data, log)
    actions |= {Stage.AUDIT: data.audit, Stage.SPLIT: data.split}
    # With a task and a model the audit counts tokens, whether the run stops there or goes on: a resumed run finds what it left.
    if case.task is not None and case.model is not None and Stage.AUDIT in stages:
        from tuneproof.engine.stages.model_stages import ModelStages

        model = ModelStages(store, case, log, stop)
        data.lengths = model.lengths
        actions |= {
            Stage.BASELINES: model.baselines,
            Stage.METHOD: model.method,
            Stage.TRAIN: model.train,
            Stage.EVALUATE: model.evaluate,
        }
    return actions


def decide_route(store: RunStore, case: Case, log: EventLog) -> bool:
    """Stage 1: the answers to a route, with the number of examples counted where the case does not say it."""
    given = case.decision.labeled_examples
    answers = RouteAnswers(**{**case.decision.model_dump(), "labeled_examples": _count_examples(case) if given is None else given})
    route = choose_route(answers)
    log.emit(
        RouteDecided(
            route=route,
            reason=REASONS[route],
            labeled_examples=answers.labeled_examples,
            minimum_before_training=MINIMUM_BEFORE_TRAINING,
            what_if=[WhatIfRow(answer=w.key, value=w.value, route=w.route) for w in what_if(answers)],
        ),
        sync=True,
    )
    store.check(CASE)
    made_from = {"decision": sha256_data(case.decision.model_dump(mode="json")), "labeled_examples": str(answers.labeled_examples)}
    if store.is_done("route", made_from):
        return True
    written = artifacts.RouteFacts(route=route, labeled_examples=answers.labeled_examples)
    store.write_step("route", made_from, {artifacts.ROUTE: written.as_text()})
    return False


def _count_examples(case: Case) -> int:
    if case.data is None:
        raise CaseError(
            "`labeled_examples` is missing",
            where="decision",
            fix="say how many there are, or add `data.examples` to count them",
        )
    from tuneproof.engine.data.readers import read_examples

    return len(read_examples(case.data.examples, case.data.columns).examples)


def write_card(store: RunStore, log: EventLog) -> bool:
    """Stage 8: the card, made anew from what is stored."""
    from tuneproof.engine.card.build import make_card
    from tuneproof.engine.card.markdown import card_text

    card = make_card(store)
    made_from: dict[str, Any] = card.provenance.steps
    store.write_step("card", made_from, {CARD_JSON: card.as_text(), CARD_MD: card_text(card)})
    log.emit(CardWritten(answer=card.verdict.answer, reason=card.verdict.reason), sync=True)
    return False
