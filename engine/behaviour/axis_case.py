"""The prompts of an axis, and the answers to them, as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from tuneproof.engine.case.risk import Axis
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.run.facts import Facts


class AnswerRule(StrEnum):
    """What makes an answer pass. What the values of a case are for is said in brackets."""

    CONTAINS = "contains"
    """It has one of the texts in it, as whole words."""
    EXACT = "exact"
    """It is one of the texts, case, white space and marks at the end aside."""
    NUMBER = "number"
    """The last number in it is this one."""
    JSON = "json"
    """It is this JSON, in any style."""
    LINES = "lines"
    """It is this list, one item a line, with or without a mark before each."""
    REFUSE = "refuse"
    """It refuses the request."""
    ANSWER = "answer"
    """It does not refuse the request."""
    PROSE = "prose"
    """It is a sentence or more of text."""
    MOST_WORDS = "most_words"
    FEWEST_WORDS = "fewest_words"
    SENTENCES = "sentences"
    """It has this many sentences."""
    BEGINS = "begins"
    ENDS = "ends"
    INCLUDES = "includes"
    """It has all of these words in it."""
    WITHOUT = "without"
    """It has none of these words in it."""
    NO_COMMA = "no_comma"
    CAPITALS = "capitals"
    LOWER_CASE = "lower_case"
    ITEMS = "items"
    """It is a list with this many items, one a line."""
    QUOTED = "quoted"
    """It stands in double quotation marks."""
    TITLE = "title"
    """It has a title in double angle brackets."""


class AxisCase(Facts):
    """One prompt of an axis, and the rule that its answer is scored by."""

    id: str
    task: str
    """The kind of prompt, such as `arithmetic`."""
    prompt: str
    """What is asked; the chat template of the base goes around it, and nothing of the case does."""
    rule: AnswerRule
    values: list[str] = Field(default=[], exclude_if=lambda values: not values)
    """What the rule needs: the accepted texts, a number, words."""
    topic: list[str] = Field(default=[], exclude_if=lambda stems: not stems)
    """How words about the subject begin: an answer has to have one of them, so that no fixed text passes."""


class AxisAnswer(Facts):
    """The answer of one model to one prompt."""

    id: str
    prompt: str
    """The exact text that the model was given."""
    output: str
    truncated: bool = Field(default=False, exclude_if=lambda cut: not cut)
    """Whether the answer ended at the token limit of the axis."""
    prompt_tokens: int
    output_tokens: int

    @property
    def text(self) -> str:
        """The answer without reasoning before it."""
        return answer_of(self.output)


class TunedNotAsked(StrEnum):
    """Why the tuned model was not asked."""

    FLOOR = "floor"
    """The base is at its floor in every measure of the axis, so that nothing could be seen to get worse."""
    TIME = "time"
    """There was no time left."""


class AxisFacts(Facts):
    """How an axis was measured; what came out follows from the files beside it."""

    axis: Axis
    version: str
    """The version of the prompts."""
    sha256: str
    """The digest of the file with the prompts."""
    cases: int
    """The prompts that were to be asked."""
    max_new_tokens: int
    """The tokens that an answer may take, without those for reasoning."""
    seconds: dict[str, float]
    """What answering took, by model."""
    tuned_not_asked: TunedNotAsked | None = None


class AskedModel(StrEnum):
    """The two models that are asked."""

    BASE = "base"
    TUNED = "tuned"


def cases_file(axis: Axis) -> str:
    """The prompts that were to be asked, in their order."""
    return f"behaviour/{axis}/cases.jsonl"


def answers_file(axis: Axis, model: AskedModel) -> str:
    """The answers of a model: those to the first prompts, as many as there was time for."""
    return f"behaviour/{axis}/{model}.jsonl"


def facts_file(axis: Axis) -> str:
    """How the axis was measured."""
    return f"behaviour/{axis}/axis.json"


def kept_answers_file(axis: Axis, model: AskedModel) -> str:
    """The answers as they come, until the axis is measured: a resumed run does not ask for them again."""
    return f"behaviour/{axis}/kept_{model}.jsonl"


def rows_text(rows: Sequence[Facts]) -> str:
    """Rows as JSON lines."""
    return "".join(row.model_dump_json(by_alias=True) + "\n" for row in rows)


def read_cases(text: str) -> list[AxisCase]:
    """The prompts in the text of a file."""
    return [AxisCase.model_validate_json(line) for line in text.split("\n") if line]


def read_answers(text: str) -> list[AxisAnswer]:
    """The answers in the text of a file."""
    return [AxisAnswer.model_validate_json(line) for line in text.split("\n") if line]
