"""Stage 1: the answers of the case lead to a route.

Needs the decision section, and the data files if the case does not say how many labeled examples there are. Writes `route.json`.
"""

from __future__ import annotations

from tuneproof.engine.case.route import MINIMUM_BEFORE_TRAINING, RouteAnswers, choose_route, reason_for, route_steps, what_if
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.core.hashing import sha256_data
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.event import EventSink
from tuneproof.engine.run.events import RouteDecided, WhatIfRow
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import CASE
from tuneproof.engine.stages.run_context import RunContext

STEP = StepId(StepKind.ROUTE)


def decide_route(run: RunContext) -> bool:
    """Decides the route, and returns whether that was done before."""
    given = run.case.decision.labeled_examples
    labeled = _count_examples(run.case, run.log) if given is None else given
    answers = RouteAnswers(**{**run.case.decision.model_dump(), "labeled_examples": labeled})
    route = choose_route(answers)
    run.log.emit(
        RouteDecided(
            route=route,
            reason=reason_for(answers),
            labeled_examples=answers.labeled_examples,
            minimum_before_training=MINIMUM_BEFORE_TRAINING,
            what_if=[WhatIfRow(answer=w.key, value=w.value, route=w.route) for w in what_if(answers)],
            next_steps=route_steps(answers),
        ),
        sync=True,
    )
    run.store.check(CASE)
    decision = sha256_data(run.case.decision.model_dump(mode="json"))
    inputs = run.store.inputs(settings={"decision": decision, "labeled_examples": str(answers.labeled_examples)})
    if run.is_done(STEP, inputs):
        return True
    facts = artifacts.RouteFacts(route=route, labeled_examples=answers.labeled_examples)
    run.store.write_step(STEP, inputs, {artifacts.ROUTE: facts.as_text()})
    return False


def _count_examples(case: Case, log: EventSink) -> int:
    if case.data is None:
        raise CaseError(
            "`labeled_examples` is missing",
            where="decision",
            fix="say how many there are, or add `data.examples` to count them",
        )
    # The route of a case that says its number of examples needs no reader.
    from tuneproof.engine.data.readers import read_examples
    from tuneproof.engine.data.reading_limits import ReadingLimits
    from tuneproof.engine.stages.data_readings import reading

    limits = ReadingLimits.of_this_machine(allow_large=case.data.allow_large)
    with reading(log) as on_progress:
        read = read_examples(case.data.examples, case.data.columns, limits=limits, on_progress=on_progress, turns=case.data.turns)
        return len(read.examples)
