"""An answer ends where its JSON document closes, and nowhere else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.data.json_document import DocumentWatch, bracketed_spans, document_end

DOCUMENT = '{"a": "}", "b": [1, {"c": "\\"]"}]}'
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@pytest.mark.parametrize(
    "before", ["", "\n  ", "Sure, here it is:\n", "```json\n", "The fields {x} and [1] say:\n\n```\n", "<think>\n{}\n</think>\n"]
)
@pytest.mark.parametrize("after", ["", "\n```", " I hope this helps!", "\n{}"])
def test_an_answer_ends_where_its_document_closes_whatever_is_around_it(before: str, after: str) -> None:
    assert document_end(before + DOCUMENT + after) == len(before + DOCUMENT)


@pytest.mark.parametrize(
    "text", ["", "no document", "{input} is missing", "[INST] ask [/INST]", '{"open": [1, 2', "<think>\n{}\n", "it is [1]"]
)
def test_text_without_a_document_does_not_end(text: str) -> None:
    assert document_end(text) is None


def test_an_object_that_no_parser_accepts_ends_where_its_brackets_balance() -> None:
    assert document_end('{"a": 1,} and more') == len('{"a": 1,}')
    assert document_end("{category: billing} and more") == len("{category: billing}")


@given(VALUES.filter(lambda value: isinstance(value, (dict, list))), st.integers(1, 5))
def test_every_document_ends_at_its_last_character_however_it_is_cut_into_pieces(value: object, size: int) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=2)):
        watch = DocumentWatch()
        closed = [watch.read(f"{text}\nand more"[at : at + size]) for at in range(0, len(text) + 9, size)]
        assert watch.end == len(text) and closed[-1]
        assert next(iter(bracketed_spans(f"{text} and more"))) == text
