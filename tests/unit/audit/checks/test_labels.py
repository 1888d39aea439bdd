"""The checks of labels name the rows that were planted, and keep silent where outputs are no labels."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REAL_DATA
from tuneproof.engine.audit.checks.imbalance import uneven_labels
from tuneproof.engine.audit.checks.label_error import probable_label_errors
from tuneproof.engine.audit.checks.rare_label import rare_labels
from tuneproof.engine.audit.checks.unseen_label import unseen_labels
from tuneproof.engine.audit.label_names import LabelReader, label_reader
from tuneproof.engine.audit.label_noise.neighbours import nearest_texts
from tuneproof.engine.audit.label_noise.votes import cohens_kappa, count_votes
from tuneproof.engine.audit.registry import Finding
from tuneproof.engine.audit.rows import Rows
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.scoring.judges import Judge, make_judge

TOPICS = {
    "billing": "invoice payment refund card charge bill amount paid",
    "shipping": "parcel delivery courier address late tracking box arrived",
    "login": "password account sign email locked reset code user",
    "returns": "return exchange size wrong colour damaged label shop",
}


def examples(outputs: list[str], file: str = "rows.jsonl") -> Rows:
    return Rows(Example("Name it.", f"text {i}", output, Source(file, i)) for i, output in enumerate(outputs, start=1))


def judge(**output: object) -> Judge:
    return make_judge(Task.model_validate({"output": output}), [])


def table(learned: list[str], scored: list[str] | None = None, judged: Judge | None = None) -> Table:
    return Table(examples(learned), examples(scored or [], "eval.jsonl"), [], judge=judged)


def lines(findings: list[Finding]) -> list[int]:
    return [row.at.line for finding in findings for row in finding.rows]


@pytest.mark.parametrize(
    ("outputs", "judged", "reader"),
    [
        (["yes", "no"] * 10, None, LabelReader()),
        (["joy", "joy,love", "love", "love,fear", "fear"] * 10, None, LabelReader(",")),
        (["Paris, France", "Rome, Italy", "Nice, France"] * 10, None, LabelReader()),
        (["yes", "no"] * 4, None, None),
        ([f"a sentence about {i}" for i in range(50)], None, None),
        (["the same"] * 50, None, None),
        (['{"n": 1}', '{"n": 2}'] * 20, None, None),
        (["x" * 100, "y" * 100] * 20, None, None),
        (["yes", "no"] * 10, judge(kind="json"), None),
        (["yes", "no"], judge(kind="choice", choices=["yes", "no"]), LabelReader()),
    ],
)
def test_labels_are_short_and_come_back(outputs: list[str], judged: Judge | None, reader: LabelReader | None) -> None:
    assert label_reader(table(outputs, judged=judged)) == reader


@given(st.dictionaries(st.sampled_from(["fear", "grief", "relief"]), st.integers(1, 4), max_size=3), st.randoms(use_true_random=False))
def test_rows_of_rare_labels_are_named(rare: dict[str, int], order: random.Random) -> None:
    outputs = ["joy"] * 30 + ["love"] * 30 + [label for label, count in rare.items() for _ in range(count)]
    order.shuffle(outputs)
    found = list(rare_labels(table(outputs)))
    assert lines(found) == [i for i, output in enumerate(outputs, start=1) if output in rare]
    assert [f.message.split(" ")[0] for f in found] == ([str(len(rare))] if rare else [])


def test_a_choice_without_any_row_is_rare_and_what_is_no_choice_is_not_told_here() -> None:
    (finding,) = rare_labels(table(["a"] * 9 + ["b"] * 9 + ["typo"], judged=judge(kind="choice", choices=["a", "b", "c"])))
    assert finding.message == "1 label has fewer than 5 training rows: `c` 0" and finding.rows == ()


def test_imbalance_tells_the_score_to_beat() -> None:
    (finding,) = uneven_labels(table(["up"] * 200 + ["down"] * 20 + ["flat"] * 40, ["up"] * 3 + ["down"]))
    assert finding.message == (
        "`up` has 200 rows, `down` has 20, the median label 40; always answering `up` is right in 75.0% of the eval rows"
    )
    assert list(uneven_labels(table(["up"] * 60 + ["down"] * 40))) == []
    assert list(uneven_labels(table(["up"] * 80 + ["down"] * 20))) != []


@given(st.lists(st.sampled_from(["joy", "love", "Joy", "new", "joy,new"]), max_size=12))
def test_eval_rows_with_a_label_that_was_not_learned_are_named(scored: list[str]) -> None:
    learned = ["joy", "love", "fear", "joy,love", "joy,fear"] * 6
    assert lines(list(unseen_labels(table(learned, scored)))) == [i for i, o in enumerate(scored, start=1) if "new" in o or "Joy" in o]


def test_texts_have_no_labels_to_check() -> None:
    free = table([f"an answer in words, number {i}" for i in range(200)], ["another answer"])
    for find in (rare_labels, uneven_labels, unseen_labels, probable_label_errors):
        assert list(find(free)) == []


def topic_rows(rng: random.Random, count: int = 400) -> list[Example]:
    names = list(TOPICS)
    return [
        Example("Name the topic.", " ".join(rng.sample(TOPICS[name].split(), 5)), name, Source("rows.jsonl", i))
        for i, name in enumerate((names[i % len(names)] for i in range(count)), start=1)
    ]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 12))
def test_flipped_labels_are_found_with_what_the_rows_like_them_say(seed: int, flips: int) -> None:
    rng = random.Random(seed)
    rows = topic_rows(rng)
    flipped = {rows[at].source: rows[at].output for at in rng.sample(range(len(rows)), flips)}
    wrong = [replace(e, output=rng.choice([name for name in TOPICS if name != e.output])) if e.source in flipped else e for e in rows]
    found = [row for finding in probable_label_errors(Table(Rows(wrong), Rows(), [])) for row in finding.rows]
    assert {row.at for row in found} == flipped.keys()
    assert all(row.note.endswith(f"say `{flipped[row.at]}`") and row.of not in flipped for row in found)


def test_nothing_is_said_where_words_do_not_tell_the_label() -> None:
    rng = random.Random(1)
    shuffled = [replace(e, output=rng.choice(["even", "odd"])) for e in topic_rows(rng)]
    mostly = [replace(e, output="rare" if rng.random() < 0.05 else "usual") for e in topic_rows(rng)]
    for rows in (shuffled, mostly):
        assert list(probable_label_errors(Table(Rows(rows), Rows(), []))) == []


def test_neighbours_share_rare_words_and_a_common_instruction_counts_for_nothing() -> None:
    texts = ["ask: red apple", "ask: green pear", "ask: a red apple", "ask: unlike", "ask:"]
    found = nearest_texts(texts, 2)
    assert found.numbers[:, 0].tolist() == [2, -1, 0, -1, -1]
    assert found.cosines[3].tolist() == [0, 0] and nearest_texts([], 2).numbers.shape == (0, 2)
    votes = count_votes(found, [0, 1, 1, 0, 1], 2)
    assert votes.winner.tolist() == [1, 1, 0, 0, 1] and votes.margin[1] <= 0


def test_kappa_is_zero_at_chance_and_one_when_all_agree() -> None:
    assert cohens_kappa([0, 1, 0, 1], [0, 1, 0, 1]) == 1
    assert cohens_kappa([0] * 4, [0] * 4) == 0
    assert cohens_kappa([0, 0, 1, 1], [0, 1, 0, 1]) == 0


def test_flipped_labels_of_clinc150_are_found_as_often_as_the_published_margin_does() -> None:
    file = REAL_DATA / "clinc150" / "train.jsonl"
    if not file.is_file():
        pytest.skip(f"REAL DATA MISSING: {file}; set TUNEPROOF_REAL_DATA to the folder that has clinc150")
    rows = read_examples(str(file)).examples
    names = sorted({e.output for e in rows})
    rng = random.Random(1)
    flipped = set(rng.sample(range(len(rows)), len(rows) // 20))
    own = [
        names.index(rng.choice([name for name in names if name != e.output]) if at in flipped else e.output) for at, e in enumerate(rows)
    ]
    votes = count_votes(nearest_texts(Rows(rows).norm, 30), own, len(names))
    surest = sorted(range(len(rows)), key=lambda at: -votes.margin[at])[: len(flipped)]
    assert len(flipped.intersection(surest)) / len(flipped) >= 0.76
