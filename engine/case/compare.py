"""`task.compare`: by what rule an answer, or a field of it, equals the expected one. It never changes what format an answer must have."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from tuneproof.engine.case.metric import PASS_SCORE, PROSE, Metric
from tuneproof.engine.case.section import BY_VALUE, CaseSection


class RuleName(StrEnum):
    """A rule without settings of its own, as one word."""

    AUTO = "auto"
    """What a pattern finds as a number where the expected answer is one; all else as `text`."""
    EXACT = "exact"
    """Character by character, white space around a whole answer aside. JSON numbers are equal by value: 1 is 1.0."""
    TEXT = "text"
    """In one Unicode form (NFC), without white space around it, with one kind of line end."""
    NORMALISED = "normalised"
    """Like `text`, any run of white space as one space, and quotes, dashes and full-width characters in any style."""
    NUMBER = "number"
    DATE = "date"
    SET = "set"
    """A list in any order; how often an item occurs does not count."""
    UNORDERED = "unordered"
    """A list in any order; how often an item occurs counts."""
    PROSE = "prose"
    """Right where chrF reaches 0.5."""
    IGNORE = "ignore"
    """Not compared."""


class Care(StrEnum):
    """Whether a difference of one kind counts."""

    EXACT = "exact"
    IGNORE = "ignore"


class DecimalMark(StrEnum):
    """How a single comma or point in a number is read."""

    AUTO = "auto"
    """A point begins the decimals; a comma does too, unless three digits follow: then it groups thousands."""
    POINT = "point"
    COMMA = "comma"


class Percent(StrEnum):
    """What a percent sign is."""

    UNIT = "unit"
    """A unit: 45 % is 45."""
    SHARE = "share"
    """A hundredth: 45 % is 0.45."""


class Units(StrEnum):
    """When a unit or currency counts."""

    OPTIONAL = "optional"
    """Where both answers state one."""
    REQUIRED = "required"
    """Where the expected answer states one."""
    IGNORE = "ignore"


class DateOrder(StrEnum):
    """What stands first in a date such as 03/04/2026."""

    DAY = "day"
    MONTH = "month"


class TextRule(CaseSection):
    """Texts in one Unicode form (NFC), without outer white space, and without the differences that are to be ignored."""

    case: Annotated[Care, BY_VALUE] = Care.EXACT
    """Whether capital and small letters differ."""
    white_space: Annotated[Care, BY_VALUE] = Care.EXACT
    """Whether runs of white space differ, such as two spaces, a line end or a no-break space from one space."""
    typography: Annotated[Care, BY_VALUE] = Care.EXACT
    """Whether styles of quotes, dashes, dots and full-width characters differ."""
    end_punctuation: Annotated[Care, BY_VALUE] = Care.EXACT
    """Whether full stops, exclamation and question marks at the end count."""


class NumberRule(CaseSection):
    """Numbers by their value, with separators, currency, percent or a unit as people write them."""

    tolerance: float = Field(default=0.0, ge=0)
    """How far the answer may be from the expected number."""
    relative: float = Field(default=0.0, ge=0, lt=1)
    """How far it may be as a share of the expected number; the larger of both limits holds."""
    decimal: Annotated[DecimalMark, BY_VALUE] = DecimalMark.AUTO
    """What begins the decimals where a number has only one comma or point."""
    percent: Annotated[Percent, BY_VALUE] = Percent.UNIT
    """Whether 45 % is 45 or 0.45."""
    units: Annotated[Units, BY_VALUE] = Units.OPTIONAL
    """Whether currency and unit have to be the same: `optional` where both state one, `required` where the expected answer does."""


class DateRule(CaseSection):
    """Dates and times by what they say, in ISO and other common forms."""

    first: Annotated[DateOrder, BY_VALUE] | None = None
    """What stands first in dates such as 03/04/2026. None: such a date equals only the same text."""
    time: Annotated[Care, BY_VALUE] = Care.EXACT
    """Whether a time of day that the expected answer states counts."""


class ProseRule(CaseSection):
    """A field of prose, which is right where a metric of free texts gives it enough."""

    metric: Annotated[Metric, BY_VALUE] = Metric.CHRF
    """What the field shares with the expected one: `chrf`, `rouge_l`, `token_f1` or `contains`."""
    pass_score: float = Field(default=PASS_SCORE, ge=0, le=1)
    """The score from which the field is right."""

    @field_validator("metric")
    @classmethod
    def metric_is_of_prose(cls, metric: Metric) -> Metric:
        if metric not in PROSE:
            raise ValueError(f"a field of prose is scored by one of {', '.join(PROSE)}")
        return metric


class ItemsRule(CaseSection):
    """Lists in any order, item by item."""

    items: ComparisonRule = RuleName.AUTO
    """How two items are compared."""
    separator: str | None = Field(default=None, min_length=1)
    """What stands between the items of a list that is a text. None: commas, semicolons and line ends."""


def _is_none(value: object) -> bool:
    return value is None


class RuleSettings(CaseSection):
    """A rule with settings: one key, named after the rule."""

    text: TextRule | None = Field(default=None, exclude_if=_is_none)
    """Texts, with the differences that are to be ignored."""
    number: NumberRule | None = Field(default=None, exclude_if=_is_none)
    """Numbers, with a tolerance or how they are written."""
    date: DateRule | None = Field(default=None, exclude_if=_is_none)
    """Dates, with the order of day and month."""
    set: ItemsRule | None = Field(default=None, exclude_if=_is_none)
    """A list in any order, how often an item occurs aside."""
    prose: ProseRule | None = Field(default=None, exclude_if=_is_none)
    """Prose, with the metric and the score from which it is right."""
    unordered: ItemsRule | None = Field(default=None, exclude_if=_is_none)
    """A list in any order, each item as often as expected."""

    @model_validator(mode="before")
    @classmethod
    def of_a_text(cls, given: Any) -> Any:
        """Settings of a text stand for that rule: `{case: ignore}` is `{text: {case: ignore}}`."""
        return {"text": given} if isinstance(given, dict) and given and given.keys() <= TextRule.model_fields.keys() else given

    @model_validator(mode="after")
    def has_one_rule(self) -> RuleSettings:
        if len([name for name in type(self).model_fields if getattr(self, name) is not None]) != 1:
            raise ValueError(f"a rule is one of {', '.join(RuleName)}, or one of {', '.join(type(self).model_fields)} with its settings")
        return self

    @property
    def rule(self) -> TextRule | NumberRule | DateRule | ProseRule | ItemsRule:
        """The settings of the one rule."""
        found = next(rule for rule in (self.text, self.number, self.date, self.prose, self.set, self.unordered) if rule is not None)
        return found


WORD, SETTINGS = "str", "dict[str, settings]"
"""The two forms, named as pydantic names the parts of a union, which errors leave out of a key."""


def _form(given: Any) -> str:
    return SETTINGS if isinstance(given, dict | RuleSettings) else WORD


ComparisonRule = Annotated[Annotated[RuleName, BY_VALUE, Tag(WORD)] | Annotated[RuleSettings, Tag(SETTINGS)], Discriminator(_form)]
"""A rule as a word, or with its settings."""

ItemsRule.model_rebuild()
RuleSettings.model_rebuild()

NORMALISED = TextRule(white_space=Care.IGNORE, typography=Care.IGNORE)


ANY = "*"
"""Any key of an object or any item of a list, in a path."""


class Compare(CaseSection):
    """How answers are compared with the expected ones."""

    default: ComparisonRule = RuleName.AUTO
    """The rule for a whole answer; for JSON and tool calls, for each value that has none of its own."""
    fields: dict[str, ComparisonRule] = Field(default={})
    """For JSON and tool calls: rules by path, as `order.price`, `items.0.date`, `tags[]` for each item, `*` for any key."""

    @model_validator(mode="before")
    @classmethod
    def of_a_rule(cls, given: Any) -> Any:
        """A rule in place of the section is its default: `compare: number`, `compare: {case: ignore}`."""
        if isinstance(given, str | RuleName | RuleSettings):
            return {"default": given}
        if not isinstance(given, dict) or "default" in given:
            return given
        settings = {key: value for key, value in given.items() if key in {*RuleSettings.model_fields, *TextRule.model_fields}}
        rest = {key: value for key, value in given.items() if key not in settings}
        return {"default": settings, **rest} if settings else given

    @field_validator("fields")
    @classmethod
    def paths_are_paths(cls, fields: dict[str, ComparisonRule], info: ValidationInfo) -> dict[str, ComparisonRule]:
        for path in fields:
            if not all(path_names(path)):
                raise ValueError(f"`{path}` is no path: write names with points between them, as order.price")
        return fields


def path_names(path: str) -> tuple[str, ...]:
    """The names in a path of `fields`; `*` for any key or item, which `[]` behind a list stands for as well."""
    return tuple(path.replace("[]", f".{ANY}").removeprefix(".").split("."))
