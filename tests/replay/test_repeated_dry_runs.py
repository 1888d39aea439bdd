"""A decision about a finding is checked by the worker that has the rows already, and leads to the audit and the split of a new run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conftest import WriteCase, WriteJsonl, tuneproof
from tests.replay.test_exit_codes import DECISION, TASK, rows
from tests.waiting import events_of, wait_for_event
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.schema import Case
from tuneproof.engine.run.dry_run import DryRun
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.events import CheckStarted, Failed, Finished, Launched
from tuneproof.engine.run.store import RunStore

CONFLICT = {"input": "is 4 EVEN?", "output": "no"}


def test_only_what_a_decision_changes_is_done_again_and_the_result_is_that_of_a_new_run(
    write_case: WriteCase, write_jsonl: WriteJsonl
) -> None:
    data = write_jsonl([*rows(40), CONFLICT])
    case = load_case(write_case({"decision": DECISION, "task": TASK, "data": {"examples": "rows.jsonl"}}))
    first = ended(DryRun(case))
    assert len(checks(first)) > 30
    process = worker(first)
    accepted = ended(DryRun(decided(case, accept={"conflict": "both hold"}), after=first))
    assert checks(accepted) == [] and worker(accepted) == process and not first.store.path.exists()
    left_out = ended(DryRun(decided(case, leave_out=["rows.jsonl:41"]), after=accepted))
    assert worker(left_out) == process
    new = ended(DryRun(left_out.case))
    assert results(left_out.store) == results(new.store) and "rows.jsonl:41" not in str(results(new.store))
    new.discard()
    # Fixed rows are read again.
    data.write_text("".join(data.read_text().splitlines(keepends=True)[:-1]))
    fixed = ended(DryRun(case, after=left_out))
    assert "conflict" in checks(fixed) and [each.exit_code for each in events_of(fixed.store.path, Failed)] == []
    fixed.discard()
    assert not fixed.store.path.exists()


def test_a_decision_ends_the_audit_that_is_in_its_way(write_case: WriteCase, write_jsonl: WriteJsonl) -> None:
    write_jsonl([*rows(40), CONFLICT])
    case = load_case(write_case({"decision": DECISION, "task": TASK, "data": {"examples": "rows.jsonl"}}))
    latest = DryRun(case)
    latest.start()
    for reason in ("one", "two", "three"):
        latest = DryRun(decided(case, accept={"conflict": reason}), after=latest)
        latest.start()
    wait_for_event(latest.store.path, Finished)
    assert '"accepted": "three"' in latest.store.read("audit.json")
    latest.discard()


def test_a_replay_leaves_single_rows_out(write_case: WriteCase, write_jsonl: WriteJsonl, tmp_path: Path) -> None:
    write_jsonl([*rows(40), CONFLICT])
    case = write_case({"decision": DECISION, "task": TASK, "data": {"examples": "rows.jsonl", "leave_out": ["rows.jsonl:41"]}})
    assert tuneproof("--replay", case, "--run-dir", tmp_path / "run").code == 0
    assert '"line":41' not in "".join(path.read_text() for path in (tmp_path / "run/splits").glob("*.jsonl"))
    assert "1 row is left out by hand (left out)" in (tmp_path / "run/card.md").read_text()
    wrong = tuneproof("--replay", case, "--run-dir", tmp_path / "b", "--set", "data.leave_out=[rows.jsonl:99, conflict]")
    assert wrong.code == 3 and "1 row to leave out is not in the data: rows.jsonl:99" in " ".join(wrong.err.split())


def ended(dry_run: DryRun) -> DryRun:
    """The dry run, once it has ended."""
    dry_run.start()
    wait_for_event(dry_run.store.path, Event, lambda event: isinstance(event, Finished | Failed))
    return dry_run


def decided(case: Case, **decisions: Any) -> Case:
    assert case.data is not None
    return case.model_copy(update={"data": case.data.model_copy(update=decisions)})


def checks(dry_run: DryRun) -> list[str]:
    """The checks that ran."""
    return [event.check for event in events_of(dry_run.store.path, CheckStarted)]


def worker(dry_run: DryRun) -> int:
    """The process that did it."""
    [launched] = events_of(dry_run.store.path, Launched)
    return launched.pid


def results(store: RunStore) -> dict[str, str]:
    """The files that the audit and the split wrote."""
    return {str(path.relative_to(store.path)): path.read_text() for path in sorted(store.path.rglob("*.json*")) if is_result(path)}


def is_result(path: Path) -> bool:
    return path.name in ("audit.json", "data.json") or path.parent.name == "splits"
