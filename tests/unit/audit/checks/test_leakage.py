"""Leaks that are no copies: the same conversation or source, the same template, the answer in the prompt."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.audit.checks.answer_in_prompt import answers_in_prompts
from tuneproof.engine.audit.checks.group_leakage import group_leakage
from tuneproof.engine.audit.checks.template_leakage import template_leakage
from tuneproof.engine.audit.groups.fields import names_a_group
from tuneproof.engine.audit.outputs.skeletons import is_structured, skeleton
from tuneproof.engine.audit.registry import Finding, FlaggedRow
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example, Message, Source


def row(line: int, text: str = "", output: str = "", file: str = "rows.jsonl", **more: Any) -> Example:
    return Example(more.pop("instruction", "Do it."), text or f"text {line}", output or f"said {line}", Source(file, line), **more)


def table(learned: list[Example], scored: list[Example]) -> Table:
    return Table(Rows(learned), Rows(scored), [])


def rows_of(findings: list[Finding]) -> list[FlaggedRow]:
    return [found for finding in findings for found in finding.rows]


def with_field(name: str, values: list[Any], file: str = "rows.jsonl") -> list[Example]:
    return [row(i, file=file, metadata={name: value}) for i, value in enumerate(values, start=1)]


@pytest.mark.parametrize(
    "name", ["conversation_id", "convId", "dialogue", "userId", "doc_id", "source_url", "documentID", "thread", "db_id"]
)
@given(st.sets(st.integers(1, 60), max_size=20))
def test_rows_of_a_group_that_is_scored_are_named(name: str, shared: set[int]) -> None:
    learned = with_field(name, [f"group-{i}" for i in range(1, 61)])
    scored = with_field(name, [*(f"group-{i}" for i in sorted(shared)), "group-x", "group-y"], "eval.jsonl")
    found = list(group_leakage(table(learned, scored)))
    assert [r.at.line for r in rows_of(found)] == sorted(shared)
    assert all(r.note == f"{name} group-{r.at.line}" and r.of is not None and r.of.file == "eval.jsonl" for r in rows_of(found))
    if shared:
        assert found[0].message.startswith(f"{len(shared)} of {len(scored)} eval rows share their {name} with {len(shared)} training row")


@pytest.mark.parametrize(
    ("name", "learned", "scored"),
    [
        ("source", ["web", "book"] * 50, ["web", "book"]),
        ("source", [f"site{i % 12}" for i in range(900)], ["site1"]),
        ("id", [f"r{i}" for i in range(50)], ["r1"]),
        ("user_name_length", [f"v{i}" for i in range(50)], ["v1"]),
        ("user_language", [f"v{i}" for i in range(50)], ["v1"]),
        ("page", list(range(50)), [7, 12]),
        ("dialogue_id", list(range(50)), list(range(20))),
        ("user", [None, "", "unknown"] * 20, [None, "", "unknown"]),
    ],
)
def test_fields_that_do_not_tell_groups_apart_are_no_leak(name: str, learned: list[Any], scored: list[Any]) -> None:
    assert list(group_leakage(table(with_field(name, learned), with_field(name, scored, "eval.jsonl")))) == []


def test_names_of_groups_and_of_other_things() -> None:
    assert names_a_group("page_id", plain_number=True) and names_a_group("pageUrl") and not names_a_group("page", plain_number=True)
    assert not any(names_a_group(name) for name in ("text", "idea", "usermessage", "user_message", "source_lang", "docs"))


def test_conversations_that_open_alike_are_one_conversation() -> None:
    def talk(number: int, opening: str, file: str = "rows.jsonl") -> Example:
        return row(number, file=file, history=(Message("user", opening), Message("assistant", f"reply to {opening}")))

    questions = [f"how do I repair the bicycle number {i}" for i in range(60)]
    learned = [talk(i, q) for i, q in enumerate(questions, start=1)]
    first_turn = row(2, questions[9], f"reply to {questions[9]}", "eval.jsonl")
    scored = [
        talk(1, questions[3], "eval.jsonl"),
        first_turn,
        talk(3, "hello", "eval.jsonl"),
        talk(4, "a question of its own", "eval.jsonl"),
    ]
    found = rows_of(list(group_leakage(table([*learned, talk(90, "hello")], scored))))
    assert [(r.at.line, r.of.line if r.of else 0) for r in found] == [(4, 1), (10, 2)]
    shown = "always the same example of a question"
    assert list(group_leakage(table([talk(i, shown) for i in range(1, 90)], [talk(1, shown, "eval.jsonl")]))) == []


@given(st.sets(st.integers(0, 29), max_size=10))
def test_eval_outputs_with_a_skeleton_to_learn_from_are_named(shared: set[int]) -> None:
    learned = [row(i + 1, output=f'SELECT col{chr(97 + i)} FROM t WHERE name = "val {i}" AND n > {i}') for i in range(26)]
    learned += [row(i + 1, output=f"SELECT max(x{chr(71 + i)}) FROM t WHERE name = '{i}'") for i in range(26, 30)]
    own = [row(i, output=f"SELECT count(*) FROM other{chr(96 + i)} LIMIT {i}", file="eval.jsonl") for i in range(1, 6)]
    copies = [
        row(100 + i, output=learned[i].output.replace(f'"val {i}"', "'it  x'").replace(f"> {i}", "> 7.5").lower(), file="eval.jsonl")
        for i in sorted(shared)
    ]
    found = list(template_leakage(table(learned, [*own, *copies])))
    assert [(r.at.line, r.of.line if r.of else 0) for r in rows_of(found)] == [(100 + i, i + 1) for i in sorted(shared)]


def test_a_fixed_form_and_prose_are_no_templates() -> None:
    rng = random.Random(3)
    optional = [{k: rng.randrange(99) for k in "abcdefgh" if rng.random() < 0.5} for _ in range(400)]
    for outputs in (
        [json.dumps({"n": i, "name": f"x{i}"}) for i in range(100)],
        [json.dumps(value) for value in optional],
        [f"There are {i} apples and {i + 1} pears in house {'abcdefghijklmnopqrstuvwxyz'[i % 26]}." for i in range(100)],
        [str(i) for i in range(100)],
        ["yes", "no"] * 50,
    ):
        rows = [row(i, output=output) for i, output in enumerate(outputs, start=1)]
        assert list(template_leakage(table(rows, [row(i, output=o, file="eval.jsonl") for i, o in enumerate(outputs[:20])]))) == []


def test_a_skeleton_keeps_keys_and_names() -> None:
    assert skeleton('{"a": "x: \\"y\\"", "b": [1, -2.5e3, null]}') == skeleton('{"a":  "z", "b": [7, 8, true]}')
    assert skeleton('{"a": 1}') != skeleton('{"b": 1}')
    assert skeleton("SELECT T1.a FROM T1") != skeleton("SELECT T2.a FROM T1")
    assert all(map(is_structured, ["select a from b", "[1, 2]", "f(x, y)", "def f(x): pass", "x^2 + 3 = 7", "=SUM(A1:A3)"]))
    assert not any(map(is_structured, ["A sentence (with brackets).", "42", "yes", "a and/or b are what we want", "update the app set"]))


def test_a_long_answer_costs_no_more_than_its_length() -> None:
    began = time.perf_counter()
    assert not is_structured("<<48/2=24>> " * 200 + "?") and skeleton('"' * 20_000)
    assert time.perf_counter() - began < 1


CLEAN = [row(i, f"What is the capital of country {i}, and what is it known for?", f"Its capital is called City {i}.") for i in range(1, 40)]


@given(st.integers(0, 8), st.integers(0, 8))
def test_rows_with_the_whole_answer_in_the_prompt_are_named(learned: int, scored: int) -> None:
    planted = [row(100 + i, f"Hint: the ANSWER says {i} apples, red ones! How many?", f"Says {i} apples, red ones") for i in range(learned)]
    told = [row(i, f"What is it times {i}?\nAnswer: {i}.", str(i), "eval.jsonl") for i in range(1, scored + 1)]
    found = list(answers_in_prompts(table([*CLEAN, *planted], told)))
    assert [(r.at.file, r.at.line) for r in rows_of(found)] == [(e.source.file, e.source.line) for e in [*planted, *told]]


def test_taking_the_answer_from_the_prompt_may_be_the_task() -> None:
    rows = [row(i, f"The parcel goes to 12 Long Street, house {i}. Where to?", f"12 Long Street, house {i}") for i in range(1, 30)]
    assert list(answers_in_prompts(table(rows, []))) == []


@pytest.mark.parametrize(
    "harmless",
    [
        row(101, "Tom had 72 apples and ate none. How many?", "He ate none.\n#### 72"),
        row(101, "He has 3. He buys 9. Sum?", "12"),
        row(101, "Q: is it red? Answer: yes\nQ: is it green? Answer: no\nQ: is it blue?", "yes"),
        row(101, "the answer is yes", "yes"),
        row(101, "show my transactions", "transactions"),
        row(101, "Answer: yes", "yes"),
        row(101, "Correct: I have been there.", "Correct: I have been there."),
        row(101, "the encyclopedia entries", "cyclopedia entries"),
        row(101, "Tell me again.", "It opens at nine.", history=(Message("user", "When?"), Message("assistant", "It opens at nine."))),
        row(101, "What is x?", "I do not know", instruction="Say I do not know where you are not sure."),
    ],
)
def test_what_stands_there_by_chance_is_no_leak(harmless: Example) -> None:
    also = row(102, "And y?", "something else", instruction=harmless.instruction)
    assert list(answers_in_prompts(table([*CLEAN, harmless, also], []))) == []


def test_a_marked_final_answer_that_the_prompt_names_is_a_leak() -> None:
    given_away = row(101, "He has 3 and buys 9. How many?\nThe correct answer is 12.", "3 + 9 = 12\n#### 12")
    (found,) = rows_of(list(answers_in_prompts(table([*CLEAN, given_away], []))))
    assert (found.at.line, found.note) == (101, "the prompt says: correct answer is 12.")
