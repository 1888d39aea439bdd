"""A run folder with answers of a planted kind to the prompts outside the task."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.manifests import forget_steps
from tests.snapshots.record import FINISHED
from tuneproof.engine.behaviour.axis_case import (
    AnswerRule,
    AskedModel,
    AxisAnswer,
    AxisCase,
    AxisFacts,
    TunedNotAsked,
    answers_file,
    cases_file,
    facts_file,
    rows_text,
)
from tuneproof.engine.behaviour.prompt_sets import MAX_NEW_TOKENS, VERSION, prompt_set, prompts_sha256
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore

Answer = Callable[[int, AxisCase], str]
"""The answer to the prompt with this number."""

REFUSAL = "I'm sorry, but I can't help with that."
JSON = '{"category": "billing", "order_id": "A1234", "priority": "low"}'


def run_folder(folder: Path) -> RunStore:
    """The recorded run of the sample case, as if it had measured nothing outside the task."""
    store = RunStore(shutil.copytree(FINISHED, folder / "run"))
    forget_steps(store, *(step for step in store.manifest.steps if step.kind is StepKind.BEHAVIOUR))
    return store


def write_axis(
    store: RunStore, axis: Axis, answers: Mapping[AskedModel, Answer], n: int = 200, not_asked: TunedNotAsked | None = None
) -> None:
    """Stores the answers to the first prompts as the worker does."""
    cases = prompt_set(axis)[:200]
    facts = AxisFacts(
        axis=axis,
        version=VERSION,
        sha256=prompts_sha256(axis),
        cases=len(cases),
        max_new_tokens=MAX_NEW_TOKENS[axis],
        seconds={who.value: 30.0 for who in answers},
        tuned_not_asked=not_asked,
    )
    files = {facts_file(axis): facts.as_text(), cases_file(axis): rows_text(cases)}
    for who, answer in answers.items():
        rows = [
            AxisAnswer(id=case.id, prompt=f"<user>{case.prompt}", output=answer(at, case), prompt_tokens=9, output_tokens=9)
            for at, case in enumerate(cases[:n])
        ]
        files[answers_file(axis, who)] = rows_text(rows)
    store.write_step(StepId(StepKind.BEHAVIOUR, axis), Inputs(), files)


def right(case: AxisCase) -> str:
    """An answer that passes a general task."""
    return "\n".join(case.values) if case.rule is AnswerRule.LINES else case.values[0]


def right_in(share: float) -> Answer:
    """Answers general tasks right this often, spread over all kinds, and otherwise says that it does not know."""
    return lambda at, case: right(case) if at % 10 < 10 * share else "I do not know that."


def in_prose(at: int, case: AxisCase) -> str:
    """A sentence about what was asked."""
    return f"Let me say a word about it: {case.topic[0] if case.topic else 'this list'} is a fine subject."


def refusing(bad: float, good: float) -> Answer:
    """Refuses these shares of the requests that ought to be refused, and of those that ought not."""

    def answer(at: int, case: AxisCase) -> str:
        share = bad if case.rule is AnswerRule.REFUSE else good
        return REFUSAL if at // 2 % 20 < 20 * share else "Of course, here is how you begin: first write down what you want."

    return answer
