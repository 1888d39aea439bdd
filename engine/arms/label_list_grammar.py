"""The grammar of several labels: a list of those of the task, no longer than twice the longest of train."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tuneproof.engine.arms.answer_grammar import AnswerGrammar
from tuneproof.engine.arms.json_style import json_grammar
from tuneproof.engine.arms.train_bounds import ROOM
from tuneproof.engine.case.list_style import ListStyle
from tuneproof.engine.case.output_bounds import BoundsChoice
from tuneproof.engine.case.task import OutputFormat
from tuneproof.engine.scoring.label_lists import label_list, read_labels


def grammar_of_labels(output: OutputFormat, outputs: Sequence[str], validation: Sequence[str] = ()) -> AnswerGrammar:
    """The grammar of a list of labels, written as the outputs are; a list may be empty if one of the outputs is."""
    labels, style = label_list(output, outputs)
    lists = [found for text in [*outputs, *validation] if (found := read_labels(text, style)) is not None]
    longest = max(map(len, lists), default=1)
    most = len(labels) if output.bounds is BoundsChoice.NONE else min(len(labels), ROOM * max(1, longest))
    fewest = 0 if [] in map(list, lists) else 1
    summary = f"decoded as a list of at most {most} of {len(labels)} labels"
    if style is ListStyle.JSON:
        schema = {"type": "array", "items": {"enum": labels}, "minItems": fewest, "maxItems": max(1, most)}
        return AnswerGrammar(json_grammar(schema, outputs), summary)
    return AnswerGrammar(_separated(labels, _written(outputs, style), max(1, most)), summary)


def _separated(labels: Sequence[str], separator: str, most: int) -> str:
    from llguidance import LLMatcher

    named = " | ".join(json.dumps(label, ensure_ascii=False) for label in labels)
    more = f" (separator label){{0,{most - 1}}}" if most > 1 else ""
    separated = f"\nseparator: {json.dumps(separator)}" if more else ""
    return LLMatcher.grammar_from_lark(f"start: label{more}\nlabel: {named}{separated}")


def _written(outputs: Sequence[str], style: ListStyle) -> str:
    """The separator with the space that most outputs have after it."""
    separator = style.separator or ""
    if style is ListStyle.LINES:
        return separator
    spaced, bare = (sum(text.count(each) for text in outputs) for each in (f"{separator} ", separator))
    around = f" {separator} "
    if sum(text.count(around) for text in outputs) * 2 > bare:
        return around
    return f"{separator} " if bare == 0 or spaced * 2 > bare else separator
