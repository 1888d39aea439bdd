"""The grammar that constrains decoding, built from `task.output` and the outputs of the train part."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from tuneproof.engine.arms.closed_schema import closed_schema
from tuneproof.engine.case.task import OutputFormat, OutputKind
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.scoring.judges import parse_json
from tuneproof.engine.scoring.output_inference import MIN_MATCHING_SHARE, infer_output

SEPARATORS = ((", ", ": "), (",", ":"), (", ", ":"), (",", ": "))
"""The separators of items, and of key and value, that one-line JSON is written with."""

MAX_WHITESPACE = 64
"""Maximum run of white space if the outputs have no common style; without a limit a model may write nothing else."""

MAX_SCORED_LABELS = 32
"""Maximum number of labels to score, as the work grows with their tokens: the 151 of CLINC150 take 14 times as long as decoding on a
CPU."""

ANY_TEXT = "(?s:.*)"


class AnswerGrammar(NamedTuple):
    """A grammar for constrained decoding, in llguidance's format, and a phrase for the card that says what it allows."""

    source: str
    summary: str


def grammar_of(output: OutputFormat, outputs: Sequence[str]) -> AnswerGrammar:
    """The grammar for an output format; `outputs` are those of the train part.

    JSON: the schema, with its fields in the order of the outputs, and no other fields than the schema or the outputs name. Without a schema
    it is the one that `infer_output` infers. White space is as in the outputs. Choice: one of the choices, or of the train labels. Pattern:
    a text that contains a match, or that is or ends in a match if all outputs do. Raises CaseError if there is no such grammar.
    """
    match output.kind:
        case OutputKind.JSON:
            return _json(output, outputs)
        case OutputKind.CHOICE:
            labels = labels_of(output, outputs)
            how = "the most likely of" if scored_labels(output, outputs) else "decoded as one of"
            return AnswerGrammar(_from_choices(labels), f"{how} {len(labels)} labels")
        case OutputKind.PATTERN:
            regex, summary = _pattern(output.pattern or "", [text.strip() for text in outputs])
            return AnswerGrammar(_from_regex(regex), summary)
        case OutputKind.TEXT:
            raise CaseError(NO_GRAMMAR_OF_TEXT, where="task.output.kind: text", fix="take the arm out of `baselines`")


def labels_of(output: OutputFormat, outputs: Sequence[str]) -> list[str]:
    """The labels of a choice: the choices of the case, or the distinct outputs of train."""
    return output.choices or sorted({text.strip() for text in outputs})


def scored_labels(output: OutputFormat, outputs: Sequence[str]) -> list[str]:
    """The labels to score, of which the most likely is the answer; empty for other kinds, and for more than `MAX_SCORED_LABELS`."""
    labels = labels_of(output, outputs) if output.kind is OutputKind.CHOICE else []
    return labels if len(labels) <= MAX_SCORED_LABELS else []


NO_GRAMMAR_OF_TEXT = "any text is valid, so there is nothing to constrain decoding to"


def check_grammar(output: OutputFormat, where: str) -> None:
    """Raises CaseError if no grammar can express the format, which is known before any train output is read.

    `where` is the key of the case that asks for the grammar.
    """
    try:
        grammar, _ = grammar_of(output, ["label"])
    except CaseError as error:
        raise CaseError(error.what, where=where, fix=error.fix) from None
    if problem := _problem(grammar):
        what = f"decoding cannot be constrained to this {output.kind}: {problem}"
        raise CaseError(what, where=where, fix="take the arm out of `baselines`")


def _problem(grammar: str) -> str:
    from llguidance import LLMatcher

    failed, messages = LLMatcher.validate_grammar_with_warnings(grammar)
    return " ".join(messages[0].split())[:200] if failed else ""


def _json(output: OutputFormat, outputs: Sequence[str]) -> AnswerGrammar:
    from llguidance import LLMatcher

    values = _parsed(outputs)
    schema, source = output.json_schema, "the schema"
    if not isinstance(schema, dict):
        inferred = infer_output(outputs).output.json_schema
        schema, source = (inferred, "a schema inferred from train") if isinstance(inferred, dict) else (_any_json(values), "any JSON")
    # A unicode escape may be a lone surrogate, which no parser accepts; every character can be written as itself.
    style = _style(outputs) | {"json_allow_general_unicode_escapes": False}
    grammar = LLMatcher.grammar_from_json_schema({**closed_schema(schema, values), "x-guidance": style})
    return AnswerGrammar(grammar, f"decoded under {source}, its fields in the order of train")


def _any_json(values: Sequence[Any]) -> dict[str, Any]:
    """A schema of any object, or of any array if all outputs are arrays."""
    return {"type": "array" if values and all(isinstance(value, list) for value in values) else "object"}


def _parsed(outputs: Sequence[str]) -> list[Any]:
    values = []
    for text in outputs:
        try:
            values.append(parse_json(text))
        except ValueError:
            # The audit reports such a row; it has no order of fields.
            continue
    return values


def _style(outputs: Sequence[str]) -> dict[str, Any]:
    """The white space that llguidance allows: the separators of nearly all outputs, else any up to `MAX_WHITESPACE` characters.

    A small model that may write white space often writes little else, so it may only if the outputs need it.
    """
    given = [text.strip() for text in outputs if _parsed([text])]
    for item, key in SEPARATORS:
        matching = sum(_is_written_with(text, item, key) for text in given)
        if matching >= MIN_MATCHING_SHARE * len(given):
            return {"whitespace_flexible": False, "item_separator": item, "key_separator": key}
    return {"whitespace_pattern": rf"[\x20\x0A\x0D\x09]{{1,{MAX_WHITESPACE}}}"}


def _is_written_with(text: str, item: str, key: str) -> bool:
    value = parse_json(text)
    return any(text == json.dumps(value, ensure_ascii=ascii_, separators=(item, key)) for ascii_ in (False, True))


def _from_choices(labels: Sequence[str]) -> str:
    from llguidance import LLMatcher

    return LLMatcher.grammar_from_lark("start: " + " | ".join(json.dumps(label, ensure_ascii=False) for label in labels))


def _from_regex(regex: str) -> str:
    from llguidance import LLMatcher

    return LLMatcher.grammar_from_regex(regex)


def _pattern(pattern: str, outputs: Sequence[str]) -> tuple[str, str]:
    """The regular expression for whole answers, with text around the match only if the outputs have some, and a phrase for the card."""
    body, at_start, at_end = _without_anchors(pattern)
    compiled = re.compile(pattern)
    if at_start or (outputs and all(compiled.fullmatch(text) for text in outputs)):
        before, summary = "", "decoded as a match of the pattern"
    else:
        before, summary = ANY_TEXT, "decoded as a text that ends in a match of the pattern"
    ends = outputs and all(any(m.end() == len(text) for m in compiled.finditer(text)) for text in outputs)
    if at_end or ends:
        return f"{before}(?:{body})", summary
    return f"{before}(?:{body}){ANY_TEXT}", "decoded as a text that contains a match of the pattern"


def _without_anchors(pattern: str) -> tuple[str, bool, bool]:
    """The pattern without its anchors, and whether it had one at the start and at the end.

    If the pattern has alternatives, an anchor belongs to one of them: it stays, and the grammar is refused.
    """
    if _has_alternatives(pattern):
        return pattern, False, False
    start = next((anchor for anchor in ("^", r"\A") if pattern.startswith(anchor)), "")
    end = next((anchor for anchor in ("$", r"\Z") if re.search(rf"(?<!\\)(?:\\\\)*{re.escape(anchor)}\Z", pattern)), "")
    return pattern[len(start) : len(pattern) - len(end)], bool(start), bool(end)


def _has_alternatives(pattern: str) -> bool:
    """Whether the pattern has a `|` outside all groups and character classes."""
    outside = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern, flags=re.DOTALL)
    while (inner := re.sub(r"\([^()]*\)", "x", outside)) != outside:
        outside = inner
    return "|" in outside
