"""`task`: the instruction, the format of an answer, and the metric that scores it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from tuneproof.engine.case.compare import Compare, RuleName
from tuneproof.engine.case.list_style import ListStyle
from tuneproof.engine.case.metric import PASS_SCORE, PROSE
from tuneproof.engine.case.metric import Metric as Metric
from tuneproof.engine.case.output_bounds import Bounds, BoundsChoice
from tuneproof.engine.case.rules import Rule, rules_have_own_titles
from tuneproof.engine.case.script_metric import ScriptMetric
from tuneproof.engine.case.section import BY_VALUE, CaseSection
from tuneproof.engine.core.hashing import sha256_data


class OutputKind(StrEnum):
    """What an answer has to look like."""

    JSON = "json"
    CHOICE = "choice"
    LABELS = "labels"
    PATTERN = "pattern"
    TOOL_CALLS = "tool_calls"
    TEXT = "text"


METRICS: dict[OutputKind, list[Metric]] = {
    OutputKind.JSON: [Metric.EXACT_MATCH, Metric.FIELD_ACCURACY],
    OutputKind.CHOICE: [Metric.CHOICE_ACCURACY, Metric.MACRO_F1, Metric.EXACT_MATCH],
    OutputKind.LABELS: [Metric.MICRO_F1, Metric.MACRO_F1, Metric.EXACT_MATCH],
    OutputKind.PATTERN: [Metric.PATTERN_MATCH, Metric.EXACT_MATCH],
    OutputKind.TOOL_CALLS: [Metric.EXACT_MATCH, Metric.TOOL_ACCURACY, Metric.FIELD_ACCURACY],
    OutputKind.TEXT: [Metric.EXACT_MATCH, Metric.CHRF, Metric.ROUGE_L, Metric.TOKEN_F1, Metric.CONTAINS, Metric.PREFERENCE],
}
"""The metrics that each output kind can be scored with; the first is the default. A script can score any kind."""

OUTSIDE_METRICS = (Metric.SCRIPT, Metric.PREFERENCE)
"""The metrics whose scores no grader can compute: they are stored with each answer."""


def _kind_of_metric(given: object) -> str:
    return "ScriptMetric" if isinstance(given, dict | ScriptMetric) else "str"


MetricChoice = Annotated[
    Annotated[Metric, BY_VALUE, Tag("str")] | Annotated[ScriptMetric, Tag("ScriptMetric")],
    Discriminator(_kind_of_metric),
]
"""A metric by its name, or a script; an error is about the one that was meant."""

WITH_PASS_SCORE = (*PROSE, *OUTSIDE_METRICS)
"""The metrics that give each answer a score between 0 and 1, from which it counts as correct or not."""


WITH_FIELDS = (OutputKind.JSON, OutputKind.TOOL_CALLS)
"""The output kinds whose answers have fields, which can be compared by rules of their own."""


class OutputFormat(CaseSection):
    """The output format: a kind, and the one key that belongs to it."""

    model_config = ConfigDict(populate_by_name=True)

    kind: Annotated[OutputKind, BY_VALUE]
    """What an answer has to look like."""
    json_schema: dict[str, Any] | str | None = Field(default=None, alias="schema")
    """For kind json: a JSON Schema, or the file that has it. The key in the case file is `schema`; a loaded case has the schema itself."""
    choices: list[str] | None = Field(default=None, min_length=1)
    """For kind choice and labels: the labels. None: those that occur in train."""
    list_style: Annotated[ListStyle, BY_VALUE] | None = Field(default=None, exclude_if=lambda style: style is None)
    """For kind labels: how an answer lists them: as JSON, or separated by commas, semicolons, bars or lines. None: as train does."""
    pattern: str | None = None
    """For kind pattern: a regular expression; its group 1 is the answer."""
    bounds: Annotated[BoundsChoice, BY_VALUE] | Bounds = BoundsChoice.AUTO
    """What constrained decoding may write where the format is open: `auto` proposes it from train, `none` leaves it open."""

    @model_validator(mode="after")
    def key_belongs_to_kind(self) -> OutputFormat:
        for key, value, kind in (
            ("schema", self.json_schema, OutputKind.JSON),
            ("pattern", self.pattern, OutputKind.PATTERN),
            ("list_style", self.list_style, OutputKind.LABELS),
        ):
            if value is not None and self.kind is not kind:
                raise ValueError(f"`{key}` belongs to kind {kind.value}, not to kind {self.kind.value}")
        if self.choices is not None and self.kind not in (OutputKind.CHOICE, OutputKind.LABELS):
            raise ValueError(f"`choices` belongs to kind choice or labels, not to kind {self.kind.value}")
        if isinstance(self.bounds, dict) and self.kind not in (OutputKind.JSON, OutputKind.PATTERN):
            raise ValueError(f"`bounds` with paths belong to kind json or pattern, not to kind {self.kind.value}")
        if self.kind is OutputKind.PATTERN and self.pattern is None:
            raise ValueError("kind pattern needs `pattern`")
        return self

    @field_validator("pattern")
    @classmethod
    def pattern_compiles(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groups
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if groups < 1:
            raise ValueError("the pattern needs a group: group 1 is the answer")
        return pattern


class Task(CaseSection):
    """The task of the model, and how an answer is scored."""

    instruction: str | None = None
    """The instruction for all rows that have none of their own."""
    output: OutputFormat = OutputFormat(kind=OutputKind.TEXT)
    metric: MetricChoice | None = None
    """The metric that scores an answer, or `{script: score.py}`. None: the default metric of the output kind."""
    pass_score: float = Field(default=PASS_SCORE, ge=0, le=1, exclude_if=lambda score: score == PASS_SCORE)
    """The score from which an answer counts as correct, for a metric that gives each answer a score between 0 and 1."""
    rules: list[Rule] = Field(default=[], exclude_if=lambda rules: not rules)
    """For kind text: what every answer has to keep to, such as `max_words: 60`. All rules together are the format."""
    compare: Compare = Compare()
    """By what rule an answer equals the expected one, as `number` or `{case: ignore}`; for single fields, as `{fields: {tags: set}}`."""

    @field_validator("rules")
    @classmethod
    def rules_can_be_told_apart(cls, rules: list[Rule]) -> list[Rule]:
        rules_have_own_titles(rules)
        return rules

    @model_validator(mode="after")
    def keys_of_scores_and_rules_fit(self) -> Task:
        if self.rules and self.output.kind is not OutputKind.TEXT:
            raise ValueError(f"`rules` belong to output kind text, not to kind {self.output.kind}, whose format is its own rule")
        if self.pass_score != PASS_SCORE and self.primary_metric not in WITH_PASS_SCORE:
            raise ValueError(f"`pass_score` belongs to metric {', '.join(WITH_PASS_SCORE)}; {self.primary_metric} gives no score to pass")
        return self

    @model_validator(mode="after")
    def metric_fits_output_kind(self) -> Task:
        if self.metric is Metric.SCRIPT:
            raise ValueError("a script is named with its file: write metric: {script: score.py}")
        if isinstance(self.metric, Metric) and self.metric not in METRICS[self.output.kind]:
            fitting = ", ".join(METRICS[self.output.kind])
            raise ValueError(f"metric {self.metric} does not fit output kind {self.output.kind}: use one of {fitting}")
        return self

    @model_validator(mode="after")
    def comparison_fits_output_kind(self) -> Task:
        if self.output.kind in WITH_FIELDS:
            return self
        if self.compare.fields:
            kinds = " and ".join(WITH_FIELDS)
            raise ValueError(f"`compare.fields` belongs to kinds {kinds}, not to kind {self.output.kind}: give `compare` the rule itself")
        if self.compare.default is RuleName.IGNORE:
            raise ValueError("`compare: ignore` would make every answer right")
        return self

    @property
    def primary_metric(self) -> Metric:
        """The metric of the case file, or the default of the output kind."""
        return Metric.SCRIPT if isinstance(self.metric, ScriptMetric) else self.metric or METRICS[self.output.kind][0]

    @property
    def is_scored_outside(self) -> bool:
        """Whether no grader can compute the score of an answer."""
        return self.primary_metric in OUTSIDE_METRICS

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that every answer is scored with.

        All of the output kind that a grader can compute, and that of the case. Of a free text the named one, and whether it is equal.
        """
        if self.output.kind is OutputKind.TEXT:
            return list(dict.fromkeys([self.primary_metric, Metric.EXACT_MATCH]))
        found = [metric for metric in METRICS[self.output.kind] if metric not in OUTSIDE_METRICS]
        return [*found, self.primary_metric] if self.is_scored_outside else found

    @property
    def as_recorded(self) -> dict[str, Any]:
        """What a step records of the task. Keys that nobody chose are left out, as in runs made before there were any."""
        left_out = {"output": {"bounds"}} if self.output.bounds is BoundsChoice.AUTO else None
        recorded = self.model_dump(mode="json", exclude=left_out)
        compare = self.compare.model_dump(mode="json", exclude_defaults=True)
        return {name: value for name, value in recorded.items() if name != "compare"} | ({"compare": compare} if compare else {})

    @property
    def sha256(self) -> str:
        """The digest of what a step records of the task."""
        return sha256_data(self.as_recorded)
