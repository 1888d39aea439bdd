"""The grader of answers that call tools, and how calls are compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.case.task import Metric
from tuneproof.engine.data.call_text import CalledTool, UnreadableCall, read_calls
from tuneproof.engine.data.json_document import bracketed_spans
from tuneproof.engine.scoring.comparison.comparison import MISSING, Comparison
from tuneproof.engine.scoring.grade import REFUSAL_PATTERN, FailureClass, Grade, unparsed_grade
from tuneproof.engine.scoring.json_values import parse_json


class ToolCallGrader:
    """The calls of tools that an answer makes: correct if each is the expected one by name and arguments, in any order of both.

    Arguments are equal by the comparison of the task. What is said beside a call is not compared. Where no call is expected, an answer
    is correct if it calls nothing and says something.
    """

    def __init__(self, comparison: Comparison | None = None) -> None:
        self._comparison = comparison or Comparison()

    def grade(self, output: str, expected: str, *, truncated: bool = False) -> Grade:
        output = self._comparison.answer_of(output)
        if truncated or not output.strip():
            return unparsed_grade(output, truncated, FailureClass.EMPTY)
        try:
            called = read_calls(output).calls
        except UnreadableCall:
            return Grade(False, False, FailureClass.NOT_PARSEABLE)
        try:
            wanted = read_calls(self._comparison.answer_of(expected)).calls
        except UnreadableCall:
            # The audit blocks such a row; if it is accepted all the same, no answer is right.
            return Grade(True, False, FailureClass.WRONG_VALUE)
        if called and not wanted:
            return Grade(True, False, FailureClass.UNWANTED_CALL, tuple(call.name for call in called), answer=_names(called))
        if not called and wanted:
            return _without_call(output)
        return _compared(called, wanted, self._comparison)

    def problem(self, expected: str) -> str | None:
        text = self._comparison.answer_of(expected)
        try:
            read = read_calls(text)
        except UnreadableCall as error:
            return f"it calls a tool, but {error}"
        return None if read.calls or text.strip() else "it neither calls a tool nor says anything"

    def description(self) -> str:
        return "Answer with a call of the tool that is needed, or in words where none is."


@dataclass(frozen=True)
class _Pair:
    """An expected call and the one of the answer that stands for it; either may be missing."""

    wanted: CalledTool | None
    called: CalledTool | None
    arguments: Sequence[tuple[str, bool]] = ()
    """The arguments of both, and whether they are the same."""

    @property
    def name(self) -> str:
        return (self.wanted or self.called or CalledTool("", {})).name

    def differences(self) -> list[str]:
        """What is wrong: the name of a call that is missing or not wanted, or the names of the arguments that differ."""
        if self.wanted is None or self.called is None:
            return [self.name]
        return [f"{self.name}.{key}" for key, same in self.arguments if not same]

    def parts(self) -> list[bool]:
        """Whether each part is right: the tool, and each argument of either call."""
        if self.wanted is None or self.called is None:
            return [False] * (1 + len((self.wanted or self.called or CalledTool("", {})).arguments))
        return [True, *(same for _, same in self.arguments)]


def _compared(called: Sequence[CalledTool], wanted: Sequence[CalledTool], comparison: Comparison) -> Grade:
    pairs = _pairs(called, wanted, comparison)
    wrong = [name for pair in pairs for name in pair.differences()]
    same_tools = Counter(call.name for call in called) == Counter(call.name for call in wanted)
    scores = {Metric.TOOL_ACCURACY: float(same_tools)}
    if not wrong:
        return Grade(True, True, scores={**scores, Metric.EXACT_MATCH: 1.0, Metric.FIELD_ACCURACY: 1.0}, answer=_names(called))
    parts = [right for pair in pairs for right in pair.parts()]
    failure = FailureClass.WRONG_VALUE if same_tools else FailureClass.WRONG_TOOL
    return Grade(True, False, failure, tuple(wrong), {**scores, Metric.FIELD_ACCURACY: sum(parts) / len(parts)}, answer=_names(called))


def _pairs(called: Sequence[CalledTool], wanted: Sequence[CalledTool], comparison: Comparison) -> list[_Pair]:
    """Each expected call with the most similar one of the same tool, equal ones first; then what is left over on both sides."""
    left, pairs = list(called), []
    for call in sorted(wanted, key=lambda call: not any(_agreement(other, call, comparison) == 1 for other in called)):
        same_tool = [at for at, other in enumerate(left) if other.name == call.name]
        best = max(same_tool, key=lambda at: _agreement(left[at], call, comparison), default=None)
        other = None if best is None else left.pop(best)
        pairs.append(_Pair(call, other, [] if other is None else list(_arguments(other, call, comparison))))
    return [*pairs, *(_Pair(None, call) for call in left)]


def _agreement(called: CalledTool, wanted: CalledTool, comparison: Comparison) -> float:
    """The share of the arguments of both calls that are the same; 1 for the same call."""
    if called.name != wanted.name:
        return 0.0
    same = [same for _, same in _arguments(called, wanted, comparison)]
    return sum(same) / len(same) if same else 1.0


def _arguments(called: CalledTool, wanted: CalledTool, comparison: Comparison) -> Iterator[tuple[str, bool]]:
    """Each argument of either call that is compared, and whether both have it alike."""
    typed = called.typed and wanted.typed
    for key in {**wanted.arguments, **called.arguments}:
        path = (wanted.name, key)
        if comparison.ignores(path):
            continue
        got, given = called.arguments.get(key, MISSING), wanted.arguments.get(key, MISSING)
        same = comparison.same_value(got, given, path)
        # At least one may be a text that stands for a number or any other JSON.
        yield key, same or (not typed and MISSING not in (got, given) and comparison.same_value(_value(got), _value(given), path))


def _value(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except ValueError:
        return {"true": True, "false": False, "none": None}.get(value.strip().casefold(), value)


def _without_call(output: str) -> Grade:
    """The grade of an answer in words where a call is expected."""
    if any(_is_call(span) for span in bracketed_spans(output)):
        return Grade(False, False, FailureClass.EXTRA_TEXT)
    return Grade(False, False, FailureClass.REFUSED if REFUSAL_PATTERN.search(output) else FailureClass.NO_CALL)


def _is_call(text: str) -> bool:
    try:
        return bool(read_calls(text).calls)
    except UnreadableCall:
        return False


def calls_inside(output: str) -> str | None:
    """The calls that stand inside a text, such as in a code fence, in the text form; None if there are none."""
    found = [span for span in bracketed_spans(output) if _is_call(span)]
    calls = [call for span in found for call in read_calls(span).calls]
    return "\n".join(call_as_text(call.name, call.arguments) for call in calls) or None


def call_as_text(name: str, arguments: Mapping[str, Any]) -> str:
    """A call in the text form."""
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': dict(arguments)}, ensure_ascii=False)}\n</tool_call>"


def _names(calls: Sequence[CalledTool]) -> str:
    return ", ".join(call.name for call in calls)
