"""The plan of a case, gathered from what is known of it: its answers, its files, its base, this machine, and what was measured so far."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from tuneproof.engine.arms import requested_arms
from tuneproof.engine.audit.registry import Severity
from tuneproof.engine.card.measured_route import measured_route
from tuneproof.engine.case.approaches import advise
from tuneproof.engine.case.draft import REQUIRED_ANSWERS, Draft
from tuneproof.engine.case.route import ENOUGH_EXAMPLES, QUESTIONS, Route, RouteAnswers, choose_route, reason_for, route_steps, what_if
from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.planning.gather_data import data_part, eval_part
from tuneproof.engine.planning.gather_training import training_part
from tuneproof.engine.planning.page import (
    Change,
    CostPart,
    DataPart,
    EvalPart,
    MeasuredArm,
    MeasuredPart,
    Missing,
    PlanPage,
    RoutePart,
    RunPart,
    TrainingPart,
)
from tuneproof.engine.planning.route_steps import steps_here
from tuneproof.engine.planning.sources import PlanSources
from tuneproof.engine.run.store import CASE
from tuneproof.engine.scoring.scores import Scores
from tuneproof.engine.scoring.verdict import target_status

TRAINS = "trains if no untuned arm is shown to meet the target, keeps the best checkpoint on validation, and scores it on the eval cases"
TRAINS_NOTHING = "trains nothing on this route; if what is measured changes the route, it trains after all"
"""What the command does about a training."""

QUESTION = {question.key: question for question in QUESTIONS}


def gather_plan(sources: PlanSources) -> PlanPage:
    """The plan of a case. Raises CaseError for an unknown method."""
    decision, data, measured = _decision(sources), data_part(sources), _measured(sources)
    cases = eval_part(sources, data)
    training, cost = training_part(sources, decision.route)
    return PlanPage(
        name=sources.content.name,
        run=str(sources.run) if sources.run else None,
        decision=decision,
        data=data,
        eval=cases,
        training=training,
        cost=cost,
        measured=measured,
        to_run=_to_run(sources, decision.route, data, training, cost, is_finished=measured is not None and measured.is_finished),
        missing=list(_missing(sources, decision, data, cases, training, cost, measured)),
    )


def _decision(sources: PlanSources) -> RoutePart:
    """The route; drawn again where the untuned arms have answered whether the best prompt falls short."""
    unanswered = [QUESTION[key].text for key in Draft(sources.content, None).unanswered()] if sources.answers is None else []
    if sources.answers is None:
        return RoutePart(None, "The route depends on answers that are missing.", [], [], unanswered, None, [])
    measured = measured_route(sources.evidence) if sources.evidence else None
    answers = measured.answers if measured else sources.answers
    return RoutePart(
        route=choose_route(answers),
        reason=reason_for(answers),
        steps=[*(measured.steps if measured else route_steps(answers)), *steps_here(sources.content, answers)],
        advice=advise(answers),
        unanswered=unanswered,
        redrawn=measured.redrawn.change if measured and measured.redrawn else None,
        changes=list(_changes(answers)),
    )


def _changes(answers: RouteAnswers) -> Iterator[Change]:
    """The single answers that would change the route."""
    route = choose_route(answers)
    for row in what_if(answers):
        if row.route is not route:
            number = f"{row.value} or {'more' if row.value >= ENOUGH_EXAMPLES else 'fewer'}"
            value = ("yes" if row.value else "no") if isinstance(row.value, bool) else number
            yield Change(QUESTION[row.key].text, value, row.route)


def _measured(sources: PlanSources) -> MeasuredPart | None:
    """The arms that were scored, and the verdict if there is a card; None if nothing was measured."""
    evidence, card = sources.evidence, sources.card
    if evidence is None or not evidence.untuned:
        return None
    measure = evidence.measure
    statuses = target_status(measure, evidence.untuned) if measure and measure.at_least is not None else {}
    arms = [
        MeasuredArm(
            arm=arm.name,
            correct=arm.scores.correct.describe(),
            score=_score(measure.score_beside_correct(arm.scores) if measure else None, arm.scores),
            target=statuses[arm.name].value if arm.name in statuses else "",
        )
        for arm in evidence.untuned
    ]
    is_finished = card is not None and (
        card.verdict.difference is not None or (sources.method is not None and sources.method.skipped is not None)
    )
    return MeasuredPart(arms, is_finished, card.verdict.headline if card else "", card.verdict.reason if card else "")


def _score(beside: float | None, scores: Scores) -> str:
    return f"{scores.correct.rate:.2f}" if beside is None else f"{beside:.3f}"


def _to_run(
    sources: PlanSources, route: Route | None, data: DataPart | None, training: TrainingPart, cost: CostPart, *, is_finished: bool
) -> RunPart:
    """The command that runs the case, or that continues its run."""
    content, run = sources.content, sources.run
    is_whole = data is not None and not data.blocking and content.task is not None and content.model is not None
    is_whole = is_whole and (route is not Route.RAG or _has_documents(sources))
    if run is not None and is_finished:
        command = f"tuneproof verify {shlex.quote(str(run))}"
    elif run is not None and is_whole:
        folder = shlex.quote(str(run))
        command = f"tuneproof --replay {shlex.quote(str(run / CASE))} --resume --run-dir {folder}"
    else:
        # The case of a run that has ended is part of its evidence: what is missing is added to the person's own file.
        command = f"tuneproof --replay {_case_file(sources)}"
    if is_finished:
        return RunPart(command, is_whole, ["reads the run and computes its card again, which has the verdict and what to try next"], None)
    does = ["audits the rows, and freezes train, validation and eval"]
    does.append(f"scores the untuned arms on the eval cases: {', '.join(requested_arms(content))}")
    does.append(TRAINS if training.is_expected else TRAINS_NOTHING)
    does.append("writes the card, and this plan again with what was measured")
    is_known = cost.needs is not None and cost.needs.hours is not None
    asks_first = is_whole and training.is_expected and not is_known
    return RunPart(command, is_whole, does, f"{command} --until method" if asks_first else None)


def _has_documents(sources: PlanSources) -> bool:
    return sources.content.data is not None and sources.content.data.documents is not None


def _case_file(sources: PlanSources) -> str:
    return shlex.quote(str(sources.case_file)) if sources.case_file else "CASE.yaml"


def _missing(
    sources: PlanSources,
    decision: RoutePart,
    data: DataPart | None,
    cases: EvalPart,
    training: TrainingPart,
    cost: CostPart,
    measured: MeasuredPart | None,
) -> Iterator[Missing]:
    """What the plan cannot say, and how to find it out, the most important first."""
    content = sources.content
    if decision.route is None:
        keys = [key for key in Draft(content, None).unanswered() if key in REQUIRED_ANSWERS] or ["labeled_examples"]
        yield Missing("the route", f"answer {', '.join(f'decision.{key}' for key in keys)} in the case, or in the wizard on step 1")
    if sources.problem is not None and not (data and data.blocking):
        yield Missing(
            "what stopped the run" if sources.run else "what a look at the data and the base would show",
            sanitize(sources.problem, one_line=True),
        )
    if data is None:
        yield Missing("train and validation files, and what the audit finds", "name your examples: data.examples, a file or a folder")
    elif data.blocking:
        yield Missing("the split, and what follows from it", f"{data.to_settle}; then plan again")
    elif any(each.severity is Severity.WARN and each.accepted is None for each in data.findings):
        yield Missing("whether the warnings of the audit matter", f"look at their rows: {data.to_see}")
    if decision.route is Route.RAG and not _has_documents(sources):
        yield Missing("whether retrieval is enough", "add the documents and the arm retrieval, as section 1 says")
    if content.task is None:
        yield Missing("what a right answer is", "add task: the instruction, the output format and the metric")
    if content.target is None:
        yield Missing("when an answer is good enough", "add target: {at_least: 0.9}, or another share that you need")
    if training.base is None:
        yield Missing("parameters, memory and time of a training", "name a base: model.base, a folder or a name on the hub")
    elif sources.folder is None:
        yield Missing(
            "parameters and memory of a training", f"the base is not on this machine; get it with: hf download {shlex.quote(training.base)}"
        )
    is_finished = measured is not None and measured.is_finished
    if not is_finished and (cost.needs is None or cost.needs.hours is None):
        yield from _missing_hours(sources, data, training)
    if not is_finished and cost.usd_per_gpu_hour is None:
        yield Missing("money", "add budget: {usd_per_gpu_hour: 2.5}, or what an hour of your GPU costs; it is multiplied by the hours")
    if cases.not_worse_than is not None and content.endpoint is None:
        yield Missing("the model that runs today", "add endpoint: {url: …, model: …}, which target.not_worse_than names")


def _missing_hours(sources: PlanSources, data: DataPart | None, training: TrainingPart) -> Iterator[Missing]:
    if data is None or data.blocking or training.base is None or sources.folder is None or sources.content.task is None:
        return
    yield Missing(
        "hours", f"run where you would train: tuneproof plan {_case_file(sources)} --measure. It loads the base and measures a few steps"
    )
