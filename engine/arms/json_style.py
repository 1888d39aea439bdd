"""The grammar of a JSON Schema, with the white space that the outputs of train are written with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tuneproof.engine.scoring.json_values import parse_json, parsed_documents
from tuneproof.engine.scoring.output_inference import MIN_MATCHING_SHARE

SEPARATORS = ((", ", ": "), (",", ":"), (", ", ":"), (",", ": "))
"""The separators of items, and of key and value, that one-line JSON is written with."""

MAX_WHITESPACE = 64
"""Maximum run of white space if the outputs have no common style; without a limit a model may write nothing else."""


def json_grammar(schema: dict[str, Any], outputs: Sequence[str]) -> str:
    """The grammar of a schema, in llguidance's format."""
    from llguidance import LLMatcher

    # A unicode escape may be a lone surrogate, which no parser accepts; every character can be written as itself.
    style = _style(outputs) | {"json_allow_general_unicode_escapes": False}
    return LLMatcher.grammar_from_json_schema({**schema, "x-guidance": style})


def _style(outputs: Sequence[str]) -> dict[str, Any]:
    """The white space that llguidance allows: the separators of nearly all outputs, else any up to `MAX_WHITESPACE` characters.

    A small model that may write white space often writes little else, so it may only if the outputs need it.
    """
    given = [text.strip() for text in outputs if parsed_documents([text])]
    for item, key in SEPARATORS:
        matching = sum(_is_written_with(text, item, key) for text in given)
        if matching >= MIN_MATCHING_SHARE * len(given):
            return {"whitespace_flexible": False, "item_separator": item, "key_separator": key}
    return {"whitespace_pattern": rf"[\x20\x0A\x0D\x09]{{1,{MAX_WHITESPACE}}}"}


def _is_written_with(text: str, item: str, key: str) -> bool:
    value = parse_json(text)
    return any(text == json.dumps(value, ensure_ascii=ascii_, separators=(item, key)) for ascii_ in (False, True))
