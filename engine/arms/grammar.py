"""The grammar that constrains decoding, built from `task.output` and the outputs of the train part without their reasoning."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tuneproof.engine.arms.answer_grammar import AnswerGrammar
from tuneproof.engine.arms.bounded_schema import BoundedSchema, bounded_schema
from tuneproof.engine.arms.closed_schema import closed_schema
from tuneproof.engine.arms.json_style import json_grammar
from tuneproof.engine.arms.label_list_grammar import grammar_of_labels
from tuneproof.engine.arms.train_bounds import ends, length_bound
from tuneproof.engine.case.output_bounds import WHOLE, Bounds, BoundsChoice, describe_bounds
from tuneproof.engine.case.task import OutputFormat, OutputKind
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.scoring.answer_pattern import AnswerPattern
from tuneproof.engine.scoring.json_schema import SchemaValidator
from tuneproof.engine.scoring.json_values import parsed_documents
from tuneproof.engine.scoring.output_inference import infer_output

MAX_SCORED_LABELS = 32
"""Maximum number of labels to score, as the work grows with their tokens: the 151 of CLINC150 take 14 times as long as decoding on a
CPU."""

ANY_TEXT = "(?s:.*)"


def grammar_of(output: OutputFormat, outputs: Sequence[str], validation: Sequence[str] = ()) -> AnswerGrammar:
    """The grammar for an output format; `outputs` are those of the train part, and every one of `validation` has to stay possible.

    JSON: the schema, with its fields in the order of the outputs, and no other fields than the schema or the outputs name. Without a schema
    it is the one that `infer_output` infers. White space is as in the outputs. Choice: one of the choices, or of the train labels. Labels:
    a list of them. Pattern: a text that contains a match, or that is or ends in a match if all outputs do. What the format leaves open has
    the bounds of `output.bounds`. Raises CaseError if there is no such grammar.
    """
    answers = [answer_of(text) for text in outputs]
    match output.kind:
        case OutputKind.JSON:
            return _json(output, answers, [answer_of(text) for text in validation])
        case OutputKind.CHOICE:
            labels = labels_of(output, outputs)
            how = "the most likely of" if scored_labels(output, outputs) else "decoded as one of"
            return AnswerGrammar(_from_choices(labels), f"{how} {len(labels)} labels")
        case OutputKind.LABELS:
            return grammar_of_labels(output, answers, [answer_of(text) for text in validation])
        case OutputKind.PATTERN:
            return _of_pattern(output, [text.strip() for text in answers], [answer_of(text).strip() for text in validation])
        case OutputKind.TOOL_CALLS:
            raise CaseError(NO_GRAMMAR_OF_CALLS, where="task.output.kind: tool_calls", fix="take the arm out of `baselines`")
        case OutputKind.TEXT:
            raise CaseError(NO_GRAMMAR_OF_TEXT, where="task.output.kind: text", fix="take the arm out of `baselines`")


def bounds_of(output: OutputFormat, outputs: Sequence[str], validation: Sequence[str] = ()) -> Bounds:
    """The bounds that constrained decoding gets, by path, as `grammar_of` applies them.

    Raises CaseError if a bound of the case does not fit.
    """
    match output.kind:
        case OutputKind.JSON:
            return _bounded(output, [answer_of(text) for text in outputs], [answer_of(text) for text in validation])[0].bounds
        case OutputKind.PATTERN:
            return _pattern_bounds(output, [answer_of(text).strip() for text in outputs], [answer_of(text).strip() for text in validation])
        case _:
            return {}


def labels_of(output: OutputFormat, outputs: Sequence[str]) -> list[str]:
    """The labels of a choice: the choices of the case, or the distinct outputs of train."""
    return output.choices or sorted({answer_of(text).strip() for text in outputs})


def scored_labels(output: OutputFormat, outputs: Sequence[str]) -> list[str]:
    """The labels to score, of which the most likely is the answer; empty for other kinds, and for more than `MAX_SCORED_LABELS`."""
    labels = labels_of(output, outputs) if output.kind is OutputKind.CHOICE else []
    return labels if len(labels) <= MAX_SCORED_LABELS else []


NO_GRAMMAR_OF_TEXT = "any text is valid, so there is nothing to constrain decoding to"

NO_GRAMMAR_OF_CALLS = "each row offers tools of its own, and an answer may be in words, so there is no grammar of all answers"


def check_grammar(output: OutputFormat, where: str) -> None:
    """Raises CaseError if no grammar can express the format, which is known before any train output is read.

    `where` is the key of the case that asks for the grammar. Bounds of the parts of a JSON answer are checked once train is read.
    """
    open_ = output.model_copy(update={"bounds": BoundsChoice.NONE}) if output.kind is OutputKind.JSON else output
    try:
        grammar, _ = grammar_of(open_, ["label"])
    except CaseError as error:
        raise CaseError(error.what, where=where, fix=error.fix) from None
    if problem := _problem(grammar):
        what = f"decoding cannot be constrained to this output of kind {output.kind}: {problem}"
        raise CaseError(what, where=where, fix="take the arm out of `baselines`")


def _problem(grammar: str) -> str:
    from llguidance import LLMatcher

    failed, messages = LLMatcher.validate_grammar_with_warnings(grammar)
    return " ".join(messages[0].split())[:200] if failed else ""


def _json(output: OutputFormat, outputs: Sequence[str], validation: Sequence[str]) -> AnswerGrammar:
    bounded, source = _bounded(output, outputs, validation)
    grammar = json_grammar(bounded.schema, outputs)
    if bounded.bounds and output.bounds is BoundsChoice.AUTO and _problem(grammar):
        # The form of the case can be decoded under, but not together with what train proposes.
        bounded, source = _bounded(output.model_copy(update={"bounds": BoundsChoice.NONE}), outputs, validation)
        grammar = json_grammar(bounded.schema, outputs)
    parts = [f"decoded under {source}, its fields in the order of train"]
    if bounded.bounds:
        origin = "bounds from train" if output.bounds is BoundsChoice.AUTO else "bounds of the case"
        parts.append(f"{origin}: {describe_bounds(bounded.bounds)}")
    if bounded.dropped:
        parts.append(f"left open, as a validation answer has other values: {', '.join(bounded.dropped)}")
    return AnswerGrammar(grammar, "; ".join(parts))


def _bounded(output: OutputFormat, outputs: Sequence[str], validation: Sequence[str]) -> tuple[BoundedSchema, str]:
    """The schema to decode under, and a phrase for where it comes from."""
    train, held = parsed_documents(outputs), parsed_documents(validation)
    schema, source = output.json_schema, "the schema"
    if not isinstance(schema, dict):
        inferred = _inferred(outputs, validation, held)
        schema, source = (inferred, "a schema inferred from train") if inferred is not None else (_any_json([*train, *held]), "any JSON")
    return bounded_schema(closed_schema(schema, [*train, *held]), train, held, output.bounds), source


def _inferred(outputs: Sequence[str], validation: Sequence[str], held: Sequence[Any]) -> dict[str, Any] | None:
    """The schema inferred from train, from validation too if that would exclude one of its answers; None for another kind of output."""
    inferred = infer_output(outputs).output.json_schema
    if isinstance(inferred, dict) and not all(map(SchemaValidator(inferred).is_valid, held)):
        inferred = infer_output([*outputs, *validation]).output.json_schema
    return inferred if isinstance(inferred, dict) else None


def _any_json(values: Sequence[Any]) -> dict[str, Any]:
    """A schema of any object, or of any array if all outputs are arrays."""
    return {"type": "array" if values and all(isinstance(value, list) for value in values) else "object"}


def _from_choices(labels: Sequence[str]) -> str:
    from llguidance import LLMatcher

    return LLMatcher.grammar_from_lark("start: " + " | ".join(json.dumps(label, ensure_ascii=False) for label in labels))


def _of_pattern(output: OutputFormat, outputs: Sequence[str], validation: Sequence[str]) -> AnswerGrammar:
    bounds = _pattern_bounds(output, outputs, validation)
    most = bounds[WHOLE].max_length if WHOLE in bounds else None
    regex, summary = _pattern(output.pattern or "", [*outputs, *validation])
    if most is None:
        return AnswerGrammar(_from_regex(regex), summary)
    grammar = _from_regex(regex, most)
    origin = "from train" if output.bounds is BoundsChoice.AUTO else "of the case"
    if output.bounds is BoundsChoice.AUTO and _problem(grammar):
        return AnswerGrammar(_from_regex(regex), summary)
    return AnswerGrammar(grammar, f"{summary}; bounds {origin}: {describe_bounds(bounds)}")


def _pattern_bounds(output: OutputFormat, outputs: Sequence[str], validation: Sequence[str]) -> Bounds:
    """The length of the whole answer, unless every match is of limited length anyway. Raises CaseError for any other bound of the case."""
    longest = max(map(len, [*outputs, *validation]), default=0)
    if isinstance(output.bounds, dict):
        bound = output.bounds.get(WHOLE)
        if bound is None or len(output.bounds) > 1 or bound.model_dump(exclude_none=True).keys() != {"max_length"}:
            what, fix = "an answer of kind pattern has one bound, its length", f"write {{{WHOLE}: {{max_length: 400}}}}"
            raise CaseError(what, where="task.output.bounds", fix=fix)
        return output.bounds if all(len(text) <= (bound.max_length or 0) for text in validation) else {}
    found = length_bound(longest)
    regex, _ = _pattern(output.pattern or "", [*outputs, *validation])
    if output.bounds is BoundsChoice.NONE or found is None or ends(f"^{regex}$"):
        return {}
    return {WHOLE: found}


def _from_regex(regex: str, most: int | None = None) -> str:
    """The grammar of a regular expression for whole answers, of at most so many characters if that is given."""
    from llguidance import LLMatcher

    if most is None:
        return LLMatcher.grammar_from_regex(regex)
    # In a lark grammar a slash ends the expression, and so does the end of the line.
    whole = re.sub(r"(\\.)|/", lambda found: found[1] or r"\/", regex, flags=re.DOTALL).replace("\n", r"\n")
    return LLMatcher.grammar_from_lark(f"start: ANSWER\nANSWER: /{whole}/ & /(?s:.{{0,{most}}})/")


def _pattern(pattern: str, outputs: Sequence[str]) -> tuple[str, str]:
    """The regular expression for whole answers, with text around the match only if the outputs have some, and a phrase for the card."""
    body, at_start, at_end = _without_anchors(pattern)
    expression = AnswerPattern(pattern)
    if at_start or (outputs and all(expression.is_whole(text) for text in outputs)):
        before, summary = "", "decoded as a match of the pattern"
    else:
        before, summary = ANY_TEXT, "decoded as a text that ends in a match of the pattern"
    ends = outputs and all(any(found.end() == len(text) for found in expression.all_in(text)) for text in outputs)
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
