"""Sentences beside facts: stored as they are, and left out where two versions are compared."""

from __future__ import annotations

from pydantic import BaseModel

from tuneproof.engine.core.sentence import Sentence, Sentences, facts_of


class Part(BaseModel):
    summary: Sentence
    count: int
    aside: Sentence | None = None


class Whole(BaseModel):
    name: str
    parts: list[Part]
    items: Sentences


def whole(summary: str, count: int = 1, items: list[str] | None = None) -> Whole:
    return Whole(name="n", parts=[Part(summary=summary, count=count)], items=items or [])


def test_sentences_are_stored_as_they_are() -> None:
    stored = whole("two of three", items=["one", "two"])
    assert Whole.model_validate_json(stored.model_dump_json()) == stored


def test_other_words_and_more_sentences_leave_the_facts_the_same() -> None:
    assert facts_of(whole("two of three", items=["a"])) == facts_of(whole("2 of 3", items=["b", "c"]))


def test_another_number_or_name_is_another_fact() -> None:
    facts = facts_of(whole("s"))
    assert facts != facts_of(whole("s", count=2)) and facts != facts_of(whole("s").model_copy(update={"name": "m"}))


def test_a_sentence_that_is_missing_is_a_fact() -> None:
    with_aside = Whole(name="n", parts=[Part(summary="s", count=1, aside="by the way")], items=[])
    assert facts_of(with_aside) != facts_of(whole("s"))
