"""Whether an answer passes the rule of its prompt. Each rule is exact: no model judges."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from tuneproof.engine.behaviour.axis_case import AnswerRule, AxisCase
from tuneproof.engine.behaviour.refusal import is_refusal
from tuneproof.engine.behaviour.trained_form import unfenced
from tuneproof.engine.case.compare import Care, Compare, RuleSettings, TextRule
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.scoring.grade import Grader
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.prose import END_MARKS, contains
from tuneproof.engine.scoring.text_units import count_words, folded, sentences, tokens

FEWEST_PROSE_WORDS = 3
"""Words that an answer needs to count as text that was written on request."""

_MARK = re.compile(r"^\s*(?:[-*•+]|\(?\d{1,3}[.):])\s*")
"""What stands before an item of a list."""

_TITLE = re.compile(r"<<[^<>\n]+>>")
_LOOSE = TextRule(case=Care.IGNORE, white_space=Care.IGNORE, typography=Care.IGNORE, end_punctuation=Care.IGNORE)


@cache
def _text_grader() -> Grader:
    """Takes two texts for the same if only case, white space, typography and marks at the end differ."""
    return make_grader(Task(output=OutputFormat(kind=OutputKind.TEXT), compare=Compare(default=RuleSettings(text=_LOOSE))), [])


@cache
def _json_grader() -> Grader:
    return make_grader(Task(output=OutputFormat(kind=OutputKind.JSON)), [])


def passes(case: AxisCase, answer: str, *, truncated: bool = False) -> bool:
    """Whether an answer passes. An answer that was cut passes where what is there shows it: a text that is in it, or a refusal."""
    # The request itself is no answer, and keeps many an instruction.
    text = answer.replace(case.prompt, "").strip()
    return bool(text) and _is_about(text, case.topic) and _RULES[case.rule](text, case.values, truncated)


def _is_about(text: str, topic: Sequence[str]) -> bool:
    words = tokens(text)
    return not topic or any(word.startswith(stem) for word in words for stem in topic)


def _exact(text: str, values: Sequence[str], truncated: bool) -> bool:
    return not truncated and any(_text_grader().grade(text, value).correct for value in values)


def _json(text: str, values: Sequence[str], truncated: bool) -> bool:
    return any(_json_grader().grade(unfenced(text), value).correct for value in values)


def _lines(text: str, values: Sequence[str], truncated: bool) -> bool:
    found = items_of(unfenced(text))
    return len(found) == len(values) and all(_text_grader().grade(one, other).correct for one, other in zip(found, values, strict=True))


def items_of(text: str) -> list[str]:
    """The lines that are not empty, without what stands before an item."""
    return [_MARK.sub("", line).strip() for line in text.splitlines() if line.strip()]


def is_prose(text: str) -> bool:
    """Whether a text is written for people: words between spaces that are no JSON and no single label."""
    return count_words(text) >= FEWEST_PROSE_WORDS and text.lstrip()[:1] not in "{[<"


def _prose(text: str, values: Sequence[str], truncated: bool) -> bool:
    return is_prose(text) and bool(sentences(text))


def _of_prose(rule: Callable[[str, Sequence[str]], bool]) -> Callable[[str, Sequence[str], bool], bool]:
    """A rule that only text written on request can keep: an empty list has no comma either."""
    return lambda text, values, truncated: not truncated and is_prose(text) and rule(text, values)


def _contains(text: str, value: str) -> bool:
    # Most answers have no trace of it, and whole words take a pattern of their own to find.
    return folded(value.strip(END_MARKS)) in folded(text) and bool(contains(text, value))


def _has_all(text: str, values: Sequence[str]) -> bool:
    return all(_contains(text, value) for value in values)


def _has_none(text: str, values: Sequence[str]) -> bool:
    return not any(_contains(text, value) for value in values)


def _bare(text: str) -> str:
    return text.strip().strip("*_\"'“”").strip()


_RULES: Mapping[AnswerRule, Callable[[str, Sequence[str], bool], bool]] = {
    AnswerRule.CONTAINS: lambda text, values, truncated: any(_contains(text, value) for value in values),
    AnswerRule.EXACT: _exact,
    AnswerRule.JSON: _json,
    AnswerRule.LINES: _lines,
    AnswerRule.REFUSE: lambda text, values, truncated: is_refusal(text),
    AnswerRule.ANSWER: lambda text, values, truncated: not is_refusal(text),
    AnswerRule.PROSE: _prose,
    AnswerRule.MOST_WORDS: _of_prose(lambda text, values: count_words(text) <= int(values[0])),
    AnswerRule.FEWEST_WORDS: lambda text, values, truncated: is_prose(text) and count_words(text) >= int(values[0]),
    AnswerRule.SENTENCES: _of_prose(lambda text, values: len(sentences(text)) == int(values[0])),
    AnswerRule.BEGINS: lambda text, values, truncated: is_prose(text) and _bare(text).casefold().startswith(values[0].casefold()),
    AnswerRule.ENDS: _of_prose(lambda text, values: _bare(text).rstrip(".!").casefold().endswith(values[0].rstrip(".!").casefold())),
    AnswerRule.INCLUDES: lambda text, values, truncated: is_prose(text) and _has_all(text, values),
    AnswerRule.WITHOUT: _of_prose(_has_none),
    AnswerRule.NO_COMMA: _of_prose(lambda text, values: "," not in text),
    AnswerRule.CAPITALS: lambda text, values, truncated: is_prose(text) and text == text.upper(),
    AnswerRule.LOWER_CASE: lambda text, values, truncated: is_prose(text) and text == text.lower(),
    AnswerRule.ITEMS: lambda text, values, truncated: not truncated and _number_of_items(text) == int(values[0]),
    AnswerRule.QUOTED: _of_prose(lambda text, values: text[0] in '"“„' and text.rstrip(".")[-1] in '"”“'),
    AnswerRule.TITLE: lambda text, values, truncated: is_prose(_TITLE.sub("", text)) and _TITLE.search(text) is not None,
}


def _number_of_items(text: str) -> int:
    """The marked lines; where none is marked, all lines."""
    lines = [line for line in text.splitlines() if line.strip()]
    marked = [line for line in lines if _MARK.match(line)]
    return len(marked or lines) if text[:1] not in "{[" else 0
