"""A short request that many rows have is no leak, and is said with its share of the score."""

from __future__ import annotations

from tests.unit.audit.checks.leak_rows import row, table
from tuneproof.engine.audit.checks.common_requests import common_requests_in_both_parts
from tuneproof.engine.audit.checks.leakage import exact_leakage
from tuneproof.engine.audit.checks.near_leakage import near_leakage
from tuneproof.engine.audit.table import Table
from tuneproof.engine.data.example import Example

OTHERS = [(f"a longer request with the number {n}", f"intent {n % 3}") for n in range(30)]


def rows(pairs: list[tuple[str, str]], file: str = "rows.jsonl") -> list[Example]:
    return [row(at, text, output, file) for at, (text, output) in enumerate(pairs, start=1)]


def lines(table: Table, check: object) -> list[int]:
    return [each.at.line for finding in check(table) for each in finding.rows]  # type: ignore[operator]


def test_a_short_request_that_many_rows_have_stays_and_its_share_of_the_score_is_said() -> None:
    given = rows([*OTHERS, ("thank you", "thanks"), ("Thank you!", "thanks")])
    scored = rows([("thank you", "thanks"), *((f"a new one with the number {n}", "intent 1") for n in range(9))], "eval.jsonl")
    assert lines(table(given, scored), exact_leakage) == [] and lines(table(given, scored), near_leakage) == []
    [found] = common_requests_in_both_parts(table(given, scored))
    assert [each.at.line for each in found.rows] == [31, 32]
    assert "1 of 10 eval rows (10.0% of the score) have a short, common request that 2 training rows have too: thank you" in found.message


def test_a_short_request_that_two_rows_have_and_a_longer_one_are_leaks() -> None:
    given = rows([*OTHERS, ("roll dice", "intent 1"), *[("please show me my last bill", "intent 2")] * 3])
    scored = rows([("roll dice", "intent 1"), ("please show me my last bill", "intent 2")], "eval.jsonl")
    assert sorted(lines(table(given, scored), exact_leakage)) == [31, 32, 33, 34]
    assert list(common_requests_in_both_parts(table(given, scored))) == []


def test_short_requests_that_are_much_of_a_label_are_common() -> None:
    given = rows([*OTHERS, ("bye", "leave"), ("see you", "leave"), ("I will go home now, friends", "leave"), ("good bye all", "leave")])
    scored = rows([("bye", "leave")], "eval.jsonl")
    assert lines(table(given, scored), exact_leakage) == []
    assert lines(table(given, scored), common_requests_in_both_parts) == [31]


def test_a_short_request_in_a_script_without_spaces_is_counted_by_its_characters() -> None:
    long = "请告诉我明天早上从北京去上海的火车几点出发"
    given, scored = rows([*OTHERS, *[(long, "train")] * 4]), rows([(long, "train")], "eval.jsonl")
    assert lines(table(given, scored), exact_leakage) == [31, 32, 33, 34]
