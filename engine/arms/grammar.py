"""The grammar that answers are held to while they are decoded, made from `task.output` and the outputs of the train part."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tuneproof.engine.arms.closed_schema import closed_schema
from tuneproof.engine.case.task import OutputFormat, OutputKind
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.scoring.judges import parse_json
from tuneproof.engine.scoring.output_inference import MIN_MATCHING_SHARE, infer_output

SEPARATORS = ((", ", ": "), (",", ":"), (", ", ":"), (",", ": "))
"""Between items, and between key and value: how outputs that stand on one line are written."""

MAX_WHITESPACE = 64
"""Characters of white space in a row where outputs are written in no one style; without a bound a model may write nothing else."""

MAX_SCORED_LABELS = 32
"""Labels that are scored at most: the work grows with their tokens. The 151 of CLINC150 take 14 times as long as decoding on a CPU."""

ANY_TEXT = "(?s:.*)"


def grammar_of(output: OutputFormat, outputs: Sequence[str]) -> tuple[str, str]:
    """The grammar as llguidance reads it, and in a sentence what it holds answers to.

    JSON: the schema with its fields in the order of the train outputs and closed to the fields that the schema or the outputs name;
    without a schema the one that `infer_output` drafts from them. White space is as in the outputs. Choice: one of the choices, or of
    the train labels. Pattern: a text in which the pattern is found, and where the outputs are or end in what it finds, so are answers.
    Raises CaseError where there is no such grammar.
    """
    match output.kind:
        case OutputKind.JSON:
            return _json(output, outputs)
        case OutputKind.CHOICE:
            labels = labels_of(output, outputs)
            way = "the likeliest of" if scored_labels(output, outputs) else "decoded as one of"
            return _from_choices(labels), f"{way} {len(labels)} labels"
        case OutputKind.PATTERN:
            regex, told = _pattern(output.pattern or "", [text.strip() for text in outputs])
            return _from_regex(regex), told
        case OutputKind.TEXT:
            raise CaseError(NO_GRAMMAR_OF_TEXT, where="task.output.kind: text", fix="take the arm out of `baselines`")


def labels_of(output: OutputFormat, outputs: Sequence[str]) -> list[str]:
    """The answers to a choice: those that the case names, or the labels of train."""
    return output.choices or sorted({text.strip() for text in outputs})


def scored_labels(output: OutputFormat, outputs: Sequence[str]) -> list[str]:
    """The labels of which the likeliest is the answer; none where there is no choice, or where they are too many for one pass."""
    labels = labels_of(output, outputs) if output.kind is OutputKind.CHOICE else []
    return labels if len(labels) <= MAX_SCORED_LABELS else []


NO_GRAMMAR_OF_TEXT = "any text is a valid one, so there is nothing that decoding could be held to"


def check_grammar(output: OutputFormat, where: str) -> None:
    """Raises CaseError where the format as it stands in the case can have no grammar: known before any train output is seen."""
    try:
        grammar, _ = grammar_of(output, ["label"])
    except CaseError as error:
        raise CaseError(error.what, where=where, fix=error.fix) from None
    if problem := _problem(grammar):
        raise CaseError(f"decoding cannot be held to this {output.kind}: {problem}", where=where, fix="take the arm out of `baselines`")


def _problem(grammar: str) -> str:
    from llguidance import LLMatcher

    failed, messages = LLMatcher.validate_grammar_with_warnings(grammar)
    return " ".join(messages[0].split())[:200] if failed else ""


def _json(output: OutputFormat, outputs: Sequence[str]) -> tuple[str, str]:
    from llguidance import LLMatcher

    values = _parsed(outputs)
    schema, source = output.json_schema, "the schema"
    if not isinstance(schema, dict):
        drafted = infer_output(outputs).output.json_schema
        schema, source = (drafted, "a schema drafted from train") if isinstance(drafted, dict) else (_any_of_the_kind(values), "any JSON")
    # An escape may be half a surrogate pair, which no reader takes; every character can be written as itself.
    style = _style(outputs) | {"json_allow_general_unicode_escapes": False}
    grammar = LLMatcher.grammar_from_json_schema({**closed_schema(schema, values), "x-guidance": style})
    return grammar, f"decoded under {source}, its fields in the order of train"


def _any_of_the_kind(values: Sequence[Any]) -> dict[str, Any]:
    """Objects or arrays, as the outputs are."""
    return {"type": "array" if values and all(isinstance(value, list) for value in values) else "object"}


def _parsed(outputs: Sequence[str]) -> list[Any]:
    values = []
    for text in outputs:
        try:
            values.append(parse_json(text))
        except ValueError:
            # A row off its format is named by the audit; here it just says nothing about the order of fields.
            continue
    return values


def _style(outputs: Sequence[str]) -> dict[str, Any]:
    """How white space stands in the outputs: the separators that nearly all are written with, else any, in bounds.

    A small model that may write white space often does little else, so it may only where the outputs show that it must.
    """
    given = [text.strip() for text in outputs if _parsed([text])]
    for item, key in SEPARATORS:
        written = sum(_is_written(text, item, key) for text in given)
        if written >= MIN_MATCHING_SHARE * len(given):
            return {"whitespace_flexible": False, "item_separator": item, "key_separator": key}
    return {"whitespace_pattern": rf"[\x20\x0A\x0D\x09]{{1,{MAX_WHITESPACE}}}"}


def _is_written(text: str, item: str, key: str) -> bool:
    value = parse_json(text)
    return any(text == json.dumps(value, ensure_ascii=ascii_, separators=(item, key)) for ascii_ in (False, True))


def _from_choices(labels: Sequence[str]) -> str:
    from llguidance import LLMatcher

    return LLMatcher.grammar_from_lark("start: " + " | ".join(json.dumps(label, ensure_ascii=False) for label in labels))


def _from_regex(regex: str) -> str:
    from llguidance import LLMatcher

    return LLMatcher.grammar_from_regex(regex)


def _pattern(pattern: str, outputs: Sequence[str]) -> tuple[str, str]:
    """The regular expression that whole answers match, no longer than the outputs show to be needed, and what it means in words."""
    body, at_start, at_end = _without_anchors(pattern)
    found = re.compile(pattern)
    if at_start or (outputs and all(found.fullmatch(text) for text in outputs)):
        before, told = "", "decoded as what the pattern matches"
    else:
        before, told = ANY_TEXT, "decoded as a text that ends in what the pattern matches"
    ends = outputs and all(any(m.end() == len(text) for m in found.finditer(text)) for text in outputs)
    if at_end or ends:
        return f"{before}(?:{body})", told
    return f"{before}(?:{body}){ANY_TEXT}", "decoded as a text in which the pattern is found"


def _without_anchors(pattern: str) -> tuple[str, bool, bool]:
    """The pattern without what ties it to the beginning and the end, and whether it was tied to each.

    In a pattern of alternatives an anchor belongs to one of them and stays, and the grammar is refused.
    """
    if _has_alternatives(pattern):
        return pattern, False, False
    start = next((anchor for anchor in ("^", r"\A") if pattern.startswith(anchor)), "")
    end = next((anchor for anchor in ("$", r"\Z") if re.search(rf"(?<!\\)(?:\\\\)*{re.escape(anchor)}\Z", pattern)), "")
    return pattern[len(start) : len(pattern) - len(end)], bool(start), bool(end)


def _has_alternatives(pattern: str) -> bool:
    """Whether a bar stands outside all groups and classes."""
    outside = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern, flags=re.DOTALL)
    while (inner := re.sub(r"\([^()]*\)", "x", outside)) != outside:
        outside = inner
    return "|" in outside
