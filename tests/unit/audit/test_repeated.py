"""An audit made again after a decision reports what a new audit would, and runs only the checks whose rows changed."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tuneproof.engine.audit.checks import CHECKS
from tuneproof.engine.audit.repeated import RepeatedAudit
from tuneproof.engine.audit.report import Report
from tuneproof.engine.audit.rows import Rows, TokenLengths
from tuneproof.engine.audit.run_checks import audit
from tuneproof.engine.audit.table import Table
from tuneproof.engine.case.task import Task
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.problems import RowProblem, UnreadableRow
from tuneproof.engine.scoring.graders import make_grader

TASK = Task.model_validate({"output": {"kind": "choice", "choices": ["yes", "no", "rare"]}})
ADDRESS = "ann.smith" + "@" + "elsewhere.net"
TEXTS = [
    *(f"Is the number {n} even, and how would one see that from its last digit alone?" for n in range(20)),
    *(f"is the NUMBER {n} even, and how would one see that from its last digit alone" for n in range(0, 20, 4)),
    "Is the number 3 even, and how would one see that from its last digit alone? Thanks",
    f"Does {ADDRESS} answer within a day?",
    "  leading space, and a [PLACEHOLDER] in the text",
    "",
]


def table(given: Sequence[tuple[str, str]], scored: Sequence[tuple[str, str]]) -> Table:
    rows = [Example("", text, output, Source("rows.jsonl", line)) for line, (text, output) in enumerate(given, start=1)]
    eval_rows = [Example("", text, output, Source("eval.jsonl", line)) for line, (text, output) in enumerate(scored, start=1)]
    lengths = TokenLengths(lambda e: e.input, lambda e: len(e.input), lambda e: len(e.output), base="any", sha256="", context=80)
    problems: list[tuple[Source, RowProblem]] = [(Source("rows.jsonl", 900), UnreadableRow("not JSON"))]
    return Table(Rows(rows), Rows(eval_rows), problems, make_grader(TASK, []), lengths)


def new_audit(given: Sequence[tuple[str, str]], scored: Sequence[tuple[str, str]], decided: Sequence[str]) -> Report:
    return audit(table(given, scored), decided, {"rows.jsonl": "pairs"})


ROWS = st.lists(st.tuples(st.sampled_from(TEXTS), st.sampled_from(["yes", "no", "rare", "perhaps", "I'm sorry, I can't help with that."])))
ENTRIES = st.one_of(
    st.sampled_from(list(CHECKS)),
    st.integers(1, 40).map(lambda line: f"rows.jsonl:{line}"),
    st.integers(1, 6).map(lambda line: f"eval.jsonl:{line}"),
)


@settings(max_examples=8, deadline=None)
@given(
    ROWS.filter(lambda rows: len(rows) > 8),
    st.lists(st.tuples(st.sampled_from(TEXTS), st.just("yes")), max_size=5),
    st.lists(st.lists(ENTRIES, unique=True, max_size=4), min_size=2, max_size=5),
)
def test_every_report_equals_that_of_a_new_audit(
    given: list[tuple[str, str]], scored: list[tuple[str, str]], decisions: list[list[str]]
) -> None:
    repeated = RepeatedAudit(table(given, scored), {"rows.jsonl": "pairs"})
    for decided in decisions:
        assert repeated.report(decided, {}) == new_audit(given, scored, decided)


def test_only_checks_whose_rows_changed_run_again() -> None:
    rows = [(text, "yes") for text in (*TEXTS, TEXTS[0])]
    repeated = RepeatedAudit(table(rows, []), {"rows.jsonl": "pairs"})
    seen: list[list[str]] = []

    def report(decided: list[str], accept: dict[str, str]) -> Report:
        seen.append([])
        return repeated.report(decided, accept, seen[-1].append)

    first = report([], {})
    assert {"duplicate", "private-data"} <= {finding.check for finding in first.findings}
    report([], {"private-data": "agreed"})
    report(["duplicate"], {})
    assert report([], {}) == first
    ran, accepted, left_out, undone = seen
    assert len(ran) >= len(CHECKS) - 3 and accepted == [] and undone == []
    before = list(CHECKS)[: list(CHECKS).index("duplicate") + 1]
    assert left_out and not set(left_out) & set(before)
