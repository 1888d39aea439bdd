"""The last line of the wizard says how to come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneproof.engine.case.draft import Draft
from tuneproof.engine.case.schema import Case, DecisionAnswers
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.session.case_session import CaseSession
from tuneproof.tui.farewell import farewell

CASE = Case(name="a", decision=DecisionAnswers(private_facts=False, format_drift=True, stable_task=True))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_is_nothing_to_come_back_to_from_home() -> None:
    assert farewell(None, None) is None


def test_a_case_that_was_never_saved_is_not_offered(here: Path) -> None:
    assert farewell(CaseSession(Draft.new(here, "prices")), None) is None


def test_a_saved_case_is_opened_again_by_its_file(here: Path) -> None:
    draft = Draft.new(here, "prices")
    draft.answer("private_facts", True)
    assert farewell(CaseSession(draft), None) == "the case is saved; continue with: tuneproof prices.yaml"


@pytest.mark.parametrize(
    ("run_status", "line"),
    [
        (None, "open it again with: tuneproof attach 'runs/my run'"),
        ("still running", "'runs/my run' is still running; come back with: tuneproof attach 'runs/my run'"),
    ],
)
def test_a_run_is_attached_to_again_by_a_path_that_a_shell_understands(here: Path, run_status: str | None, line: str) -> None:
    RunStore.create(Path("runs/my run"), CASE)
    assert farewell(CaseSession.of_run(Path("runs/my run")), run_status) == line
