"""What can be done with a case in the wizard: finding its run, freezing it, and starting over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.session.tickets import CASE, changed
from tuneproof.engine.case.draft import Draft
from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.core.errors import CaseError, GateClosed, UsageError
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.session.case_session import CaseSession


@pytest.fixture
def draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Draft:
    """The case as a draft in the current folder."""
    monkeypatch.chdir(tmp_path)
    made = Draft.new(tmp_path, CASE.name)
    made.choose(**{name: getattr(CASE, name) for name in ("decision", "data", "task", "model")})
    return made


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """A run of the case, with nothing done yet."""
    return RunStore.create(tmp_path / "runs" / "tickets-1", CASE)


def test_a_draft_finds_the_newest_run_with_its_frozen_sections(draft: Draft) -> None:
    assert CaseSession.of_case(draft).store is None
    for number, case in enumerate([CASE, CASE, changed(target=Target(at_least=0.5))], start=1):
        RunStore.create(Path(f"runs/tickets-{number}"), case)
    Path("runs/notes.txt").write_text("mine")
    (Path("runs") / "broken").mkdir()
    for name in ("case.yaml", "manifest.json"):
        (Path("runs") / "broken" / name).write_text("}not a run{")
    session = CaseSession.of_case(draft)
    assert session.store is not None and session.store.path == Path("runs/tickets-2") and session.is_frozen
    draft.choose(training={"epochs": 2}, baselines=["zero_shot"])
    assert CaseSession.of_case(draft).is_frozen, "what is chosen later belongs to the same run"
    draft.choose(target={"at_least": 0.5})
    found = CaseSession.of_case(draft).store
    assert found is not None and found.path == Path("runs/tickets-3")
    draft.answer("private_facts", True)
    assert not CaseSession.of_case(draft).is_frozen


def test_nothing_runs_before_the_freeze_and_nothing_is_frozen_before_the_draft_is_complete(draft: Draft) -> None:
    with pytest.raises(GateClosed, match="nothing is frozen yet"):
        CaseSession(draft).resume(Stage.BASELINES)
    draft.choose(task=None)
    with pytest.raises(CaseError, match="`task` is missing"):
        CaseSession(draft).freeze()
    draft.answer("stable_task", None)
    with pytest.raises(CaseError, match=r"`decision\.stable_task` is not answered yet"):
        CaseSession(draft).freeze()
    assert not Path("runs").exists()


def test_starting_over_leaves_the_run_as_it_is_and_continues_with_a_new_draft(store: RunStore, draft: Draft) -> None:
    session = CaseSession.of_run(store.path)
    assert session.is_frozen and session.draft.path is None
    session.start_over()
    assert not session.is_frozen and session.draft.path == Path.cwd() / "tickets-2.yaml", "the name is taken by the other draft"
    session.draft.answer("needs_actions", True)
    assert store.case == CASE and Draft.open(session.draft.path).content.decision.needs_actions is True


def test_a_folder_that_is_not_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this is not a run folder"):
        CaseSession.of_run(tmp_path)


def test_a_run_with_nothing_done_yet_has_nothing_to_show(store: RunStore, draft: Draft) -> None:
    session = CaseSession(draft, store)
    assert session.report is None and session.card is None and session.catalogue is None and session.model is None
    assert session.scores("zero_shot") is None and session.predictions("zero_shot") == [] and session.arm_summary("zero_shot") == ""
