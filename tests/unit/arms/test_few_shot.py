"""The examples of a few-shot prompt are train rows, and never near duplicates of the case."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from tuneproof.engine.arms import UNTUNED_ARMS, ArmContext
from tuneproof.engine.arms.bm25 import BM25Index
from tuneproof.engine.arms.few_shot import FewShot, ShotSelection
from tuneproof.engine.arms.near_duplicates import near_duplicate_rows
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.data.example import Example, Message, Source, norm
from tuneproof.engine.data.messages import FullMessage, ToolCall, ToolUse
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.scoring.graders import make_grader

ROWS = read_examples(str(Path(__file__).parents[3] / "sample_cases" / "support_tickets.jsonl")).examples
EVAL = read_examples(str(Path(__file__).parents[3] / "sample_cases" / "support_tickets_eval.jsonl")).examples
LONG = "Nobody answers the bell at the blue door, and the bread that I ordered for the wedding has to be there by noon on the first of {}."


def context(train: list[Example], most: int = 10_000) -> ArmContext:
    task = Task(instruction="Triage the ticket.", output=OutputFormat(kind=OutputKind.JSON))
    return ArmContext("Triage.", make_grader(task, []), train, lambda m: sum(len(turn.content) for turn in m) <= most, 0, task.output)


def row(text: str, output: str = "x", line: int = 1) -> Example:
    return Example("", text, output, Source("rows.jsonl", line))


def trigrams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", norm(text))
    return {tuple(words[at : at + 3]) for at in range(len(words) - 2)}


def test_near_duplicates_share_four_fifths_of_their_word_trigrams() -> None:
    cases = [*EVAL[:20], row(ROWS[5].input.upper()), row(ROWS[7].input + " Thanks"), row(ROWS[9].input)]
    found = near_duplicate_rows(ROWS, cases)
    for case, near in zip(cases, found, strict=True):
        own, by_row = trigrams(case.input), [trigrams(row.input) for row in ROWS]
        assert near == {at for at, other in enumerate(by_row) if len(own & other) / len(own | other) >= 0.8}
    assert [5 in found[20], 7 in found[21], 9 in found[22]] == [True, True, True]


def test_a_near_duplicate_of_the_case_is_left_out_and_counted() -> None:
    twin = row(LONG.format("May"), '{"is": "the answer"}', 999)
    train = [*ROWS, twin]
    case = row(LONG.format("June"))
    for shots in (2, 4, 8):
        (request,) = FewShot(context(train), shots, ShotSelection.NEAREST).requests([case])
        assert "rows.jsonl:999" not in request.shown and len(request.shown) == shots and request.left_out == 1
        assert not any("the answer" in turn.content for turn in request.messages)
    (fixed,) = FewShot(context([*ROWS[:3], twin]), 4, ShotSelection.FIXED).requests([case])
    assert len(fixed.shown) == 3 and fixed.left_out == 1


def test_the_most_similar_example_comes_last_and_is_dropped_last() -> None:
    train = [
        row("The desk lamp flickers.", "technical", 1),
        row("Where is my parcel?", "shipping", 2),
        row("I was charged twice.", "billing", 3),
    ]
    case = row("Since Monday the lamp on the desk in my room flickers a lot")
    (request,) = FewShot(context(train), 2, ShotSelection.NEAREST).requests([case])
    assert request.messages[-3].content.endswith("The desk lamp flickers.") and request.shown[-1] == "rows.jsonl:1"
    (short,) = FewShot(context(train, most=170), 2, ShotSelection.NEAREST).requests([case])
    assert short.shown == ("rows.jsonl:1",)
    (none,) = FewShot(context(train, most=10), 2, ShotSelection.NEAREST).requests([case])
    assert none.shown == () and len(none.messages) == 1


def test_every_example_comes_from_train() -> None:
    known = {str(e.source) for e in ROWS}
    for variant in FewShot(context(ROWS)).variants().values():
        for request in variant.requests(EVAL[:10]):
            assert set(request.shown) <= known and len(request.messages) == 2 * len(request.shown) + 1


def test_no_variant_needs_more_examples_than_there_are() -> None:
    assert list(FewShot(context(ROWS)).variants()) == [f"{n} {kind}" for n in (2, 4, 8) for kind in ("fixed", "nearest")]
    assert list(FewShot(context(ROWS[:3])).variants()) == ["2 fixed", "2 nearest"]
    assert not FewShot(context([])).variants() and len(FewShot(context([])).messages(EVAL[0])) == 1


def test_the_template_has_placeholders_for_the_input_and_for_examples_that_vary() -> None:
    fixed, nearest = (FewShot(context(ROWS), 2, kind).template() for kind in ShotSelection)
    assert fixed[-1].content == nearest[-1].content == "{input}"
    assert fixed[1].content in {e.output for e in ROWS}
    assert [turn.content for turn in nearest[1:4]] == ["{output of example 1}", "{input of example 2}", "{output of example 2}"]
    assert UNTUNED_ARMS["zero_shot"](context(ROWS)).template()[0].content.endswith("\n\n{input}")


def test_bm25_ranks_the_text_with_the_rare_words_first_and_keeps_the_order_of_ties() -> None:
    index = BM25Index(["the cat sat on the mat", "the dog sat on the log", "a parcel is late", "the cat", "ÜBER straße"])
    assert index.rank("where is my late parcel")[0] == 2
    assert index.rank("the cat")[0] == 3
    assert index.rank("über STRASSE")[0] == 4
    assert index.rank("zebra") == index.rank("") == [0, 1, 2, 3, 4]
    assert BM25Index([]).rank("x") == [] and BM25Index(["?", "!"]).rank("x") == [0, 1]


def test_a_conversation_keeps_one_system_text_and_its_tools_before_the_examples() -> None:
    offered = ToolUse(tools=('{"type": "function", "function": {"name": "find"}}',))
    turns = (Message("user", "Hello?"), Message("assistant", "Hello!"))
    case = replace(row("Where is it?"), system="Be brief.", history=turns, tool_use=offered)
    (request,) = FewShot(context([row("One?", line=1), row("Two?", line=2)]), 2, ShotSelection.FIXED).requests([case])
    roles = [turn.role for turn in request.messages]
    assert roles == ["tools", "system", *["user", "assistant"] * 3, "user"] and len(request.shown) == 2


def test_rows_between_a_call_and_its_answer_are_no_examples() -> None:
    called = ToolUse(turns=(FullMessage("assistant", "", (ToolCall("find", "{}"),)), Message("tool", "Oslo")))
    train = [row("One?", line=1), replace(row("Two?", line=2), tool_use=called)]
    (request,) = FewShot(context(train), 2, ShotSelection.FIXED).requests([row("Three?")])
    assert request.shown == ("rows.jsonl:1",)
