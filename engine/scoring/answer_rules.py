"""Whether an answer keeps the rules of the task."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from tuneproof.engine.case.rules import Rule
from tuneproof.engine.data.json_document import bracketed_spans
from tuneproof.engine.scoring.answer_pattern import AnswerPattern
from tuneproof.engine.scoring.json_schema import SchemaValidator
from tuneproof.engine.scoring.text_units import count_words, folded, language_of, reading_level, sentences

FEWEST_LETTERS = 20
"""With fewer letters than this the language of a text is a guess, and counts as the right one."""

Check = Callable[[str], bool]


class AnswerRules:
    """The rules of a task, ready to check answers. Raises CaseError for a rule that cannot be used."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._checks = {rule.title: _check(rule, number) for number, rule in enumerate(rules)}

    def __reduce__(self) -> tuple[type[AnswerRules], tuple[Sequence[Rule]]]:
        # Validators and expressions are made again where they are used.
        return AnswerRules, (self._rules,)

    @property
    def titles(self) -> tuple[str, ...]:
        """What the rules are called, in the order of the case."""
        return tuple(self._checks)

    def broken(self, text: str) -> tuple[str, ...]:
        """The titles of the rules that a text does not keep. An empty text keeps none."""
        if not text.strip():
            return self.titles
        return tuple(title for title, keeps in self._checks.items() if not keeps(text.strip()))

    def in_words(self) -> str:
        """The rules as a prompt states them; empty if there are none."""
        if not self._rules:
            return ""
        if len(self._rules) == 1:
            return f"The answer must {self._rules[0].request}."
        return "The answer must:\n" + "\n".join(f"- {rule.request}" for rule in self._rules)


def _check(rule: Rule, number: int) -> Check:
    key, value = rule.asked
    match key:
        case "contains" | "not_contains":
            texts, wants = [folded(text) for text in value], key == "contains"
            return lambda text: all((part in folded(text)) is wants for part in texts)
        case "begins_with":
            beginnings = tuple(folded(text) for text in value)
            return lambda text: folded(text).startswith(beginnings)
        case "ends_with":
            endings = tuple(folded(text) for text in value)
            return lambda text: folded(text).endswith(endings)
        case "matches" | "not_matches":
            return _matching(AnswerPattern(value, f"task.rules.{number}.{key}"), wants=key == "matches")
        case "language":
            return lambda text: sum(map(str.isalpha, text)) < FEWEST_LETTERS or language_of(text) == value
        case "max_reading_level":
            return lambda text: reading_level(text) <= value
        case "json_inside":
            return _with_json(SchemaValidator(value) if isinstance(value, dict) else None)
    limit, _, unit = key.partition("_")
    size = SIZES[unit]
    return (lambda text: size(text) <= value) if limit == "max" else (lambda text: size(text) >= value)


SIZES: dict[str, Callable[[str], int]] = {"words": count_words, "sentences": lambda text: len(sentences(text)), "characters": len}


def _matching(pattern: AnswerPattern, *, wants: bool) -> Check:
    def keeps(text: str) -> bool:
        found = pattern.last_in(text) is not None
        # What cannot be found out in time is not kept, whichever way it is asked.
        return found is wants and not pattern.was_too_slow(text)

    return keeps


def _with_json(validator: SchemaValidator | None) -> Check:
    def keeps(text: str) -> bool:
        return any(validator is None or validator.is_valid(value) for value in _documents(text))

    return keeps


def _documents(text: str) -> Iterator[Any]:
    """The JSON objects and lists in a text."""
    for span in bracketed_spans(text):
        with suppress(ValueError, RecursionError):
            yield json.loads(span)
