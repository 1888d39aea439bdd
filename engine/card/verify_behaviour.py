"""What was measured outside the task: the stored answers are those to the stored prompts, in their order, by both models alike."""

from __future__ import annotations

from tuneproof.engine.behaviour.axis_case import AskedModel, AxisFacts, answers_file, cases_file, facts_file, read_answers, read_cases
from tuneproof.engine.behaviour.prompt_sets import prompt_set, prompts_sha256
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.step_id import StepId, StepKind


def check_behaviour(run: RunSnapshot) -> int:
    """Returns the number of answers. Raises VerifyFailed for answers that belong to no prompt, or whose prompts the models do not share.

    What they come to is computed again with the card.
    """
    return sum(_check_axis(run, Axis(name)) for name in run.manifest.names(StepKind.BEHAVIOUR))


def _check_axis(run: RunSnapshot, axis: Axis) -> int:
    facts, cases = AxisFacts.model_validate_json(run.read(facts_file(axis))), read_cases(run.read(cases_file(axis)))
    if facts.axis is not axis or facts.cases != len(cases):
        raise VerifyFailed("it is not about the prompts beside it", where=facts_file(axis))
    # Another version may have other prompts; those of the run are beside its answers.
    if facts.sha256 == prompts_sha256(axis) and tuple(cases) != prompt_set(axis)[: len(cases)]:
        raise VerifyFailed("the prompts are not those of tuneproof", where=cases_file(axis))
    files = run.manifest.steps[StepId(StepKind.BEHAVIOUR, axis)].files
    asked: list[str] = []
    found = 0
    for name in (answers_file(axis, model) for model in AskedModel):
        if name not in files:
            continue
        answers = read_answers(run.read(name))
        if [each.id for each in answers] != [case.id for case in cases[: len(answers)]]:
            raise VerifyFailed("the answers are not those to the first prompts", where=name)
        prompts = [each.prompt for each in answers]
        if asked and prompts != asked[: len(prompts)]:
            raise VerifyFailed("the prompts are not those that the base was given", where=name)
        asked, found = asked or prompts, found + len(answers)
    return found
