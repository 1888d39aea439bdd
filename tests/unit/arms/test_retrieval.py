"""Retrieval: text files become passages, and the prompt has the right one and its source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuneproof.engine.arms import UNTUNED_ARMS, ArmContext
from tuneproof.engine.arms.retrieval import Retrieval
from tuneproof.engine.case.schema import Case
from tuneproof.engine.case.task import Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.documents import MAX_WORDS, read_passages, split_into_passages
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.scoring.graders import make_grader

RETURNS = "# Returns\n\nGoods may be sent back within 30 days. The label is in the box.\n\nShoes must not have been worn outside.\n"
SHIPPING = "Parcels to islands take nine days.\n\nExpress parcels leave before noon.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docs" / "more").mkdir(parents=True)
    (tmp_path / "docs" / "returns.md").write_text(RETURNS)
    (tmp_path / "docs" / "more" / "shipping.txt").write_text(SHIPPING)
    (tmp_path / "docs" / "picture.png").write_bytes(b"\x89PNG\xff")
    return tmp_path / "docs"


def arm(folder: Path, count: int = 1, most: int = 10_000) -> Retrieval:
    fits = lambda messages: sum(len(turn.content) for turn in messages) <= most  # noqa: E731
    return Retrieval(ArmContext("Answer from the context.", make_grader(Task(), []), (), fits, 0, documents=str(folder)), count)


def case(text: str, **metadata: Any) -> Example:
    return Example("", text, "", Source("eval.jsonl", 1), metadata=metadata)


def test_paragraphs_are_passages_with_their_heading_and_their_line(folder: Path) -> None:
    found = [(p.location, p.text) for p in read_passages(folder)]
    assert found == [
        ("more/shipping.txt:1", "Parcels to islands take nine days."),
        ("more/shipping.txt:3", "Express parcels leave before noon."),
        ("returns.md:1", "# Returns\nGoods may be sent back within 30 days. The label is in the box."),
        ("returns.md:5", "Shoes must not have been worn outside."),
    ]


def test_a_long_paragraph_is_cut_between_sentences_and_no_word_is_lost() -> None:
    text = "\n".join(f"Sentence {n} has some words in it. And so has its neighbour {n}." for n in range(80)) + "\n" + "word " * 400
    found = list(split_into_passages(text, "a.txt"))
    assert all(len(p.text.split()) <= MAX_WORDS for p in found) and len(found) > 10
    assert " ".join(p.text for p in found).split() == text.split()
    lines = text.splitlines()
    assert all(lines[p.line - 1].startswith(p.text.split(".")[0]) for p in found if p.text.startswith("Sentence"))


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("How long do parcels to the islands take?", "more/shipping.txt:1"),
        ("When do express parcels leave?", "more/shipping.txt:3"),
        ("Can I send goods back after 20 days?", "returns.md:1"),
        ("I wore the shoes outside", "returns.md:5"),
    ],
)
def test_the_prompt_has_the_right_passage(folder: Path, question: str, place: str) -> None:
    (request,) = arm(folder).requests([case(question)])
    text = {p.location: p.text for p in read_passages(folder)}[place]
    assert request.shown == (place,)
    assert request.messages[-1].content == f"Answer from the context.\n\nContext: {text}\n\n{question}"


def test_a_document_that_a_row_names_is_found_in_the_folder(folder: Path) -> None:
    rows = [
        case("x", passage="shipping.txt"),
        case("x", source="more/shipping.txt"),
        case("x", source=["returns.md", "shipping.txt"]),
        case("x", source="the web"),
        case("x"),
    ]
    needed = [request.needed for request in arm(folder).requests(rows)]
    assert needed == [("more/shipping.txt",), ("more/shipping.txt",), ("returns.md", "more/shipping.txt"), (), ()]


def test_passages_that_do_not_fit_are_left_out_the_least_similar_first(folder: Path) -> None:
    question = "When do express parcels leave?"
    (all_three,) = arm(folder, 3).requests([case(question)])
    (fewer,) = arm(folder, 3, most=120).requests([case(question)])
    (none,) = arm(folder, 3, most=10).requests([case(question)])
    assert len(all_three.shown) == 3 and fewer.shown == all_three.shown[:1] and none.shown == ()
    assert arm(folder, 2).template()[-1].content == "Answer from the context.\n\nContext: {passage 1}\n\n{passage 2}\n\n{input}"


def test_changed_documents_change_the_inputs_of_the_arm(folder: Path) -> None:
    before = arm(folder).inputs
    (folder / "returns.md").write_text(RETURNS + "\nNew.\n")
    assert arm(folder).inputs != before


@pytest.mark.parametrize(
    ("documents", "reason"),
    [(None, "names no documents"), ("nowhere", "no such folder"), ("empty", "no text"), ("broken", "cannot be read")],
)
def test_documents_that_cannot_be_read_are_a_user_error(tmp_path: Path, documents: str | None, reason: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.txt").write_bytes(b"\xff\xfe\xff")
    where = None if documents is None else str(tmp_path / documents)
    decision = {"private_facts": False, "format_drift": True, "stable_task": True}
    with pytest.raises(CaseError, match=reason) as caught:
        UNTUNED_ARMS["retrieval"].check_case(
            Case.model_validate({"name": "x", "decision": decision, "data": {"examples": "rows.jsonl", "documents": where}})
        )
    assert caught.value.exit_code == 2
