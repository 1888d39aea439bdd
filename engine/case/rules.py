"""`task.rules`: what every answer has to keep to, whatever it says; all rules together are the format of a free text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import Field, field_validator, model_validator

from tuneproof.engine.case.language_names import LANGUAGES
from tuneproof.engine.case.section import CaseSection

Texts = str | list[str]


class Rule(CaseSection):
    """One rule: one of these keys, and a name if you like. Upper and lower case are the same, but in a regular expression."""

    name: str | None = Field(default=None, min_length=1, max_length=80)
    """What the rule is called on the card. None: what it asks for, in a few words."""
    max_words: int | None = Field(default=None, ge=1)
    """The most words. In scripts without spaces, every character is a word."""
    min_words: int | None = Field(default=None, ge=1)
    """The fewest words."""
    max_sentences: int | None = Field(default=None, ge=1)
    """The most sentences; a line is at least one."""
    min_sentences: int | None = Field(default=None, ge=1)
    """The fewest sentences."""
    max_characters: int | None = Field(default=None, ge=1)
    """The most characters, outer white space aside."""
    min_characters: int | None = Field(default=None, ge=1)
    """The fewest characters."""
    contains: Texts | None = None
    """A text that has to be in the answer, or a list of texts that all have to."""
    not_contains: Texts | None = None
    """A text that may not be in the answer, or a list of texts none of which may."""
    matches: str | None = None
    """A regular expression that has to match somewhere in the answer."""
    not_matches: str | None = None
    """A regular expression that may not match anywhere in the answer."""
    begins_with: Texts | None = None
    """How the answer has to begin, or a list of beginnings one of which it has to have."""
    ends_with: Texts | None = None
    """How the answer has to end, or a list of endings one of which it has to have."""
    language: str | None = None
    """The language of the answer, as its ISO 639-1 code (`en`). An answer of fewer than 20 letters is too short to tell, and keeps it."""
    max_reading_level: float | None = Field(default=None, gt=0)
    """The highest Flesch-Kincaid grade, in years of school. The formula is for English."""
    json_inside: bool | dict[str, Any] | None = Field(default=None, alias="json")
    """Whether a JSON object or list has to be in the answer: `true`, or a JSON Schema that it has to match. The key is `json`."""

    @model_validator(mode="after")
    def asks_for_one_thing(self) -> Rule:
        given = [key for key in asked_keys() if getattr(self, key) is not None]
        if len(given) != 1:
            names = ", ".join(_written(key) for key in (given or asked_keys()))
            raise ValueError(f"a rule asks for one thing; write a rule for each of {names}" if given else f"a rule needs one of {names}")
        return self

    @field_validator("contains", "not_contains", "begins_with", "ends_with")
    @classmethod
    def has_texts(cls, given: Texts | None) -> Texts | None:
        if given is not None and (not given or not all(text.strip() for text in _several(given))):
            raise ValueError("an empty text is no rule")
        return given

    @field_validator("matches", "not_matches")
    @classmethod
    def expression_compiles(cls, expression: str | None) -> str | None:
        try:
            re.compile(expression or "")
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return expression

    @field_validator("language")
    @classmethod
    def language_is_known(cls, language: str | None) -> str | None:
        if language is not None and language not in LANGUAGES:
            raise ValueError(f"not one of the languages that can be told apart: {', '.join(LANGUAGES)}")
        return language

    @field_validator("json_inside")
    @classmethod
    def json_is_wanted(cls, wanted: bool | dict[str, Any] | None) -> bool | dict[str, Any] | None:
        if wanted is False:
            raise ValueError("write `true`, or a JSON Schema; an answer without JSON is what `not_matches` can ask for")
        return wanted

    @property
    def asked(self) -> tuple[str, Any]:
        """The key that is given, and its value; texts as a list."""
        key = next(key for key in asked_keys() if getattr(self, key) is not None)
        value = getattr(self, key)
        return key, _several(value) if key in ("contains", "not_contains", "begins_with", "ends_with") else value

    @property
    def title(self) -> str:
        """What the rule is called: its name, or what it asks for."""
        return self.name or self.request.removeprefix("be ").removeprefix("have ")

    @property
    def request(self) -> str:
        """What the rule asks for, as it goes on from "the answer must"."""
        key, value = self.asked
        match key:
            case "contains":
                return f"contain {_quoted(value, 'and')}"
            case "not_contains":
                return f"not contain {_quoted(value, 'or')}"
            case "matches":
                return f"have a match of the regular expression {value}"
            case "not_matches":
                return f"have no match of the regular expression {value}"
            case "begins_with":
                return f"begin with {_quoted(value, 'or')}"
            case "ends_with":
                return f"end with {_quoted(value, 'or')}"
            case "language":
                return f"be in {LANGUAGES[value]}"
            case "max_reading_level":
                return f"have a Flesch-Kincaid grade of at most {value:g}"
            case "json_inside":
                return "have JSON in it" if value is True else "have JSON in it that matches its schema"
        limit, _, unit = key.partition("_")
        return f"have at {'most' if limit == 'max' else 'least'} {value} {unit if value != 1 else unit.removesuffix('s')}"


def asked_keys() -> list[str]:
    """The keys of which a rule has one."""
    return [key for key in Rule.model_fields if key != "name"]


def rules_have_own_titles(rules: Sequence[Rule]) -> None:
    """Raises ValueError for two rules of one title: a rate could not say which of them it is about."""
    titles = [rule.title for rule in rules]
    if twice := next((title for title in titles if titles.count(title) > 1), None):
        raise ValueError(f"two rules are called `{twice}`: give one a `name`")


def _written(key: str) -> str:
    return Rule.model_fields[key].alias or key


def _several(given: Texts) -> list[str]:
    return [given] if isinstance(given, str) else given


def _quoted(texts: Sequence[str], joined_by: str) -> str:
    quoted = [f"“{text}”" for text in texts]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {joined_by} {quoted[-1]}"
