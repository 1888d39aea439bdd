"""The answers to a row: those that a run has stored, or those that base and tuned model give now. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tuneproof.engine.arms import Arm
from tuneproof.engine.arms.token_lengths import LEAST_UNTUNED_ROOM, UNTUNED_ROOM
from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.example import Example
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.step_id import StepKind
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.failure_text import reason_of
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.predictions import Prediction, grade_output, read_predictions
from tuneproof.engine.trace.report import TracedAnswer

TUNED = (ArmName.TUNED, ArmName.TUNED_CONSTRAINED)


def stored_answers(store: RunStore, case_id: str, task: Task, grader: Grader) -> Iterator[TracedAnswer]:
    """The answers of all arms of a run to one of its frozen cases, as they were stored and graded."""
    for arm in store.manifest.names(StepKind.ARM):
        predictions = read_predictions(store.read(artifacts.predictions_file(arm)))
        found = next((each for each in predictions if each.id == case_id), None)
        if found is not None:
            facts = artifacts.ArmFacts.model_validate_json(store.read(artifacts.arm_file(arm)))
            yield _answer(arm, found, _stored_decoding(store, facts, found), task, grader, stored=True)


def decoded_now(
    base: BaseCheckpoint, model: Any, arm: Arm, example: Example, task: Task, grader: Grader, most_tokens: int
) -> TracedAnswer | None:
    """The answer of a loaded model to the prompt of an arm; None if its prompt leaves no room for one."""
    prompt = base.prompt(arm.messages(example))
    if len(base.token_ids(prompt)) >= base.context_length:
        return None
    completions, _ = Decoder(base, model).complete([prompt], most_tokens, ends_with_document=arm.ends_with_document)
    (given,) = completions
    graded = grade_output(
        "",
        prompt,
        given.text,
        example.output,
        grader,
        truncated=given.truncated,
        prompt_tokens=given.prompt_tokens,
        output_tokens=given.completion_tokens,
    )
    return _answer(arm.name, graded, _greedy(most_tokens, ends_with_document=arm.ends_with_document), task, grader, stored=False)


def answer_room(wanted: int | None, answer_tokens: int) -> int:
    """Tokens that an answer may take where no run says so: as the case has it, or as much as an untuned arm gets for such a row."""
    return wanted or max(UNTUNED_ROOM * answer_tokens, LEAST_UNTUNED_ROOM)


def _stored_decoding(store: RunStore, facts: artifacts.ArmFacts, found: Prediction) -> list[str]:
    if facts.arm == ArmName.ENDPOINT:
        return ["answered by a server"]
    if store.has(artifacts.grammar_file(facts.arm)):
        return [*_greedy(facts.max_new_tokens, ends_with_document=False), "a grammar left only tokens that can lead to the format"]
    return _greedy(facts.max_new_tokens, ends_with_document=facts.ends_with_document)


def _greedy(most_tokens: int, *, ends_with_document: bool) -> list[str]:
    ends = ["the end is where the JSON document closes, or at an end token"] if ends_with_document else ["the end is at an end token"]
    return ["greedy: always the likeliest token", f"at most {most_tokens} tokens", *ends]


def _answer(arm: str, found: Prediction, decoded: list[str], task: Task, grader: Grader, *, stored: bool) -> TracedAnswer:
    unscored = task.is_scored_outside and found.outside is None and not found.unanswered
    reason = f"not scored here: {task.primary_metric} is for a run to measure" if unscored else reason_of(task, found, grader)
    return TracedAnswer(
        arm=arm,
        tuned=arm in TUNED,
        stored=stored,
        output=found.output,
        prompt_tokens=found.prompt_tokens,
        output_tokens=found.output_tokens,
        decoded=decoded,
        format_valid=found.format_valid,
        correct=found.correct,
        failure_class=found.failure_class,
        fields=found.fields,
        reason=reason,
    )
