"""The search for a prompt: it finds what validation cases reward, keeps to its limits, and sees train and validation alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from tuneproof.engine.arms import ArmContext
from tuneproof.engine.arms.optimised_prompt import OptimisedPrompt
from tuneproof.engine.case.evaluate import PromptSearch as Limits
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.core.errors import CaseError, Interrupted, RunFailed
from tuneproof.engine.data.example import Example, Message, Source
from tuneproof.engine.decoding.completion import Completion
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.measure import Measure
from tuneproof.engine.scoring.predictions import Prediction, grade_output
from tuneproof.engine.stages.prompt_search import Found, PromptSearch
from tuneproof.engine.stages.search_summary import search_summary

TASK = Task(instruction="Sort it.", output=OutputFormat(kind=OutputKind.CHOICE, choices=["odd", "even"]))
GRADER = make_grader(TASK, [])
RULE = "A number is even if two divides it."


def rows(first: int, count: int) -> list[tuple[str, Example]]:
    return [
        (str(number), Example("", f"number {number}", "odd" if number % 2 else "even", Source("rows.jsonl", number)))
        for number in range(first, first + count)
    ]


@dataclass
class Model:
    """A model for both parts: it sorts numbers once it has read the rule, and is asked for instructions."""

    proposals: Callable[[int], Completion]
    always_right: bool = False
    asked: list[str] = field(default_factory=list)
    answered: list[tuple[str, str]] = field(default_factory=list)
    """The id of each row, and the text of the prompt."""

    def prompt(self, messages: Sequence[Message]) -> str:
        return "\n".join(f"{turn.role}: {turn.content}" for turn in messages)

    def complete(self, prompts: Sequence[str], on_progress: Callable[[int, int], None]) -> tuple[list[Completion], float]:
        self.asked += prompts
        on_progress(len(prompts), len(prompts))
        return [self.proposals(len(self.asked))], 1.0

    def answer(self, arm: OptimisedPrompt, cases: Sequence[tuple[str, Example]], before: int) -> tuple[list[Prediction], float]:
        predictions = []
        for (name, case), request in zip(cases, arm.requests([case for _, case in cases]), strict=True):
            prompt = self.prompt(request.messages)
            self.answered.append((name, prompt))
            right = RULE in prompt or self.always_right
            predictions.append(
                grade_output(
                    name, prompt, case.output if right else "?", case.output, GRADER, truncated=False, prompt_tokens=10, output_tokens=1,
                    shown=request.shown,
                )
            )  # fmt: skip
        return predictions, 0.5


def says(text: str, *, truncated: bool = False) -> Callable[[int], Completion]:
    return lambda _: Completion(text, 100, 20, truncated)


def search(model: Model, train: int = 20, validation: int = 8, stop: StopRequest | None = None, **limits: int) -> Found:
    context = ArmContext(
        "Sort it.",
        GRADER,
        [case for _, case in rows(0, train)],
        lambda _: True,
        0,
        TASK.output,
        prompt_search=Limits(**limits),
    )
    parts = rows(0, train), rows(1000, validation)
    return PromptSearch(
        OptimisedPrompt(context), Measure(TASK, None, GRADER), *parts, model.answer, model, "theirs", stop or StopRequest()
    ).run()


def summary_of(found: Found) -> str:
    from tuneproof.engine.scoring.variant_selection import score_variants

    scores = {each.variant: each for each in score_variants(found.tried)}
    return search_summary(found.arm.summary, scores[found.variant], scores[found.facts.start], found.facts)


def test_an_instruction_that_answers_more_validation_cases_is_found() -> None:
    found = search(Model(says(f"Here it is:\n```\n{RULE}\n```")))
    assert found.arm.candidate.instruction == RULE
    assert "with 8 of 8 validation cases correct, 0 of 8 before" in summary_of(found)
    chosen = next(each for each in found.facts.prompts if each.variant == found.variant)
    assert chosen.parent == "start 1" and chosen.instruction == RULE
    assert [turn.content for turn in found.arm.template()][-1].endswith("{input}")


def test_a_proposer_that_cannot_write_ends_with_the_first_prompt_and_says_what_it_took() -> None:
    for proposals in (says(""), says("never ends", truncated=True), says("Sort it.\n" + GRADER.description())):
        model = Model(proposals)
        found = search(model)
        assert found.variant == found.facts.start == "start 1" and found.arm.candidate.instruction.startswith("Sort it.")
        assert len(model.asked) == found.facts.unusable_proposals == 3, "it is not asked again and again"
        text = summary_of(found)
        assert text.startswith("no better prompt was found than the one the search began with (no examples; 0 of 8")
        assert f"took {len(model.answered)} of 300 metric calls, {11 * len(model.answered) + 360:,} tokens, and " in text
        assert "theirs was asked for 3 instructions, of which 3 were unusable" in text


def test_the_search_ends_within_its_metric_calls() -> None:
    for allowed in (10, 37, 200):
        for always_right in (False, True):
            for train, validation in ((20, 8), (20, 32), (1, 1), (0, 4)):
                texts = iter(range(1000))
                model = Model(lambda _, texts=texts: Completion(f"Try {next(texts)}.", 1, 1, False), always_right)  # type: ignore[misc]
                found = search(model, train, validation, metric_calls=allowed)
                assert found.facts.metric_calls == len(model.answered) <= allowed, (allowed, train, validation)


def test_only_train_and_validation_rows_are_read() -> None:
    model = Model(says(f"```\n{RULE}\n```"))
    found = search(model)
    train, validation = ({name for name, _ in part} for part in (rows(0, 20), rows(1000, 8)))
    assert {name for name, _ in model.answered} <= train | validation
    assert {each.id for each in found.tried} == validation, "what is chosen is chosen on validation alone"
    assert not any(f"number {name}" in prompt for name in validation for prompt in model.asked), "the proposer sees train rows alone"


def test_a_row_is_never_its_own_example() -> None:
    model = Model(says("Another."))
    search(model)
    with_examples = [(name, prompt) for name, prompt in model.answered if "assistant:" in prompt]
    assert with_examples and all(prompt.count(f"number {name}\n") == 0 for name, prompt in with_examples)


def test_the_same_seed_finds_the_same_and_another_draws_other_examples() -> None:
    def tried(seed: int) -> list[tuple[str, str]]:
        model = Model(says("Another."))
        search(model, seed=seed)
        return model.answered

    assert tried(1) == tried(1) != tried(2)


def test_a_server_that_fails_or_a_stop_ends_the_search_as_it_would_end_the_run() -> None:
    def fails(error: Exception) -> Callable[[int], Completion]:
        def proposals(_: int) -> Completion:
            raise error

        return proposals

    with pytest.raises(RunFailed, match="gone"):
        search(Model(fails(RunFailed("gone"))))
    with pytest.raises(CaseError, match="no such model"):
        search(Model(fails(CaseError("no such model"))))
    stop = StopRequest()
    stop.request()
    with pytest.raises(Interrupted):
        search(Model(says("Another.")), stop=stop)


def test_a_later_request_that_the_server_rejects_is_one_unusable_proposal() -> None:
    def proposals(number: int) -> Completion:
        if number == 2:
            raise CaseError("too long")
        return Completion(f"Try {number}.", 1, 1, False)

    found = search(Model(proposals))
    assert found.facts.unusable_proposals == 1 and found.facts.proposals > 3
