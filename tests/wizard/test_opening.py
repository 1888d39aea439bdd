"""Opening a file writes to it only if it is a case of the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wizard.driving import arrive, until
from tuneproof.engine.case.load import load_case
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.session.sample_cases import sample_cases_folder
from tuneproof.tui.app import TuneproofApp


@pytest.mark.asyncio
async def test_a_file_without_a_case_and_the_case_of_a_run_are_never_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    notes = {"notes.yaml": "# to do:\n# - ask Ann\n", "empty.yml": "", "blank.yaml": "\n\n", "null.yaml": "null\n", "map.yaml": "{}\n"}
    for name, text in notes.items():
        (tmp_path / name).write_text(text)
    run = RunStore.create(tmp_path / "runs" / "a-1", load_case(sample_cases_folder() / "support_tickets.yaml")).path
    stored = (run / "case.yaml").read_text()
    app = TuneproofApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await arrive(pilot, "HomeScreen")
        for name in notes:
            app.open_case(tmp_path / name)
            assert app.session is None
        told = "there is no case in this file"
        await until(pilot, lambda: any(told in each.message for each in app._notifications), told)
        app.open_case(run / "case.yaml")
        assert app.session is not None and app.session.store is not None and app.session.draft.path is None
        await arrive(pilot, "AuditScreen")
        app.action_home()
        await arrive(pilot, "HomeScreen")
        app.open_case(sample_cases_folder() / "support_tickets.yaml")
        assert app.session.draft.path == tmp_path / "support-tickets.yaml"
        await arrive(pilot, "AuditScreen")
    assert {name: (tmp_path / name).read_text() for name in notes} == notes
    assert (run / "case.yaml").read_text() == stored
