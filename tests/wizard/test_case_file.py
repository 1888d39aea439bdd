"""Every key of the case file can be reached from every step, and changed with the dialog that fits it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from textual.widgets import Input

from tests.wizard.driving import arrive, paste, until, until_shown
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.worker import work
from tuneproof.tui.app import TuneproofApp

SIZE = (80, 24)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A case whose route is retrieval first, with its own data in the current folder."""
    monkeypatch.chdir(tmp_path)
    rows = [{"input": f"Is {i} even?", "output": "no" if i % 2 else "yes"} for i in range(60)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "numbers.md").write_text("A number is even if two divides it.\n")
    whole = {
        "decision": {"private_facts": True, "format_drift": True, "stable_task": True, "labeled_examples": 60},
        "task": {"instruction": "Say yes or no.", "output": {"kind": "choice"}},
        "data": {"examples": "rows.jsonl"},
        "model": {"base": "sample"},
    }
    (tmp_path / "even.yaml").write_text(yaml.safe_dump(whole))
    return tmp_path / "even.yaml"


@pytest.mark.asyncio
async def test_any_key_is_found_explained_and_changed_and_documents_and_endpoint_are_one_key_away(case: Path) -> None:
    app = TuneproofApp(case)
    async with app.run_test(size=SIZE) as pilot:
        await arrive(pilot, "DataScreen")
        await pilot.press("d")
        await arrive(pilot, "AskFolder")
        await paste(pilot, "none")
        await pilot.press("enter")
        await until_shown(pilot, "there is no folder none")
        await pilot.press("f3")
        await arrive(pilot, "PickFolder")
        await until_shown(pilot, "notes", "f4 Take this folder")
        await pilot.press("down", "f4")
        await arrive(pilot, "AskFolder")
        await until_shown(pilot, "1 document")
        await pilot.press("enter")
        await arrive(pilot, "DataScreen")
        assert load_case(case).data.documents == str(case.parent / "notes")  # type: ignore[union-attr]
        await pilot.press("k", "slash", *"metric_calls", "enter")
        await until_shown(pilot, "evaluate.prompt_search.metric_calls", "The most answers to train and validation cases", "default: 300")
        await pilot.press("enter")
        await arrive(pilot, "AskLine")
        await pilot.press(*"3", "enter")
        await until_shown(pilot, "✗ write 10 or more")
        assert app.screen.query_one(Input).value == "3"
        await pilot.press("0", "enter")
        await arrive(pilot, "CaseFileScreen")
        assert load_case(case).evaluate.prompt_search.metric_calls == 30
        await pilot.press("escape", "slash", *"endpoint.url", "enter", "enter")
        await until_shown(pilot, "The model's name on the server")
        await pilot.press("enter")
        await until_shown(pilot, "this cannot be empty")
        await pilot.press(*"small", "enter")
        await until_shown(pilot, "The base URL")
        await paste(pilot, "localhost:8000")
        await pilot.press("enter")
        await until_shown(pilot, "write http://localhost:8000/v1")
        await pilot.press("ctrl+u")
        await paste(pilot, "http://localhost:8000/v1")
        await pilot.press("enter")
        await arrive(pilot, "CaseFileScreen")
        endpoint = load_case(case).endpoint
        assert endpoint is not None and (endpoint.model, endpoint.url) == ("small", "http://localhost:8000/v1")
        await pilot.press("escape", "slash", *"packing", "enter", "enter")
        await arrive(pilot, "AskChoice")
        await pilot.press("home", "enter")
        await arrive(pilot, "CaseFileScreen")
        assert load_case(case).training.packing
        await pilot.press("escape", "slash", *"prompts", "enter", "enter", "enter")
        await until_shown(pilot, "A prompt of your own")
        await pilot.press(*"polite", "enter")
        await arrive(pilot, "AskText")
        await paste(pilot, "Please answer.\n\nIn one word: {input}")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "prompts")
        assert load_case(case).prompts["polite"].user == "Please answer.\n\nIn one word: {input}"


@pytest.mark.asyncio
async def test_a_key_that_was_frozen_says_why_it_cannot_change(case: Path) -> None:
    store = RunStore.create(Path("runs/even-1"), load_case(case))
    assert work(store.path, Stage.SPLIT, StopRequest()) == 0
    app = TuneproofApp(store.path)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await arrive(pilot, "BaselinesScreen")
        await pilot.press("k", "slash", *"documents", "enter")
        await until_shown(pilot, "the eval set was frozen with it")
        await pilot.press("enter")
        await until_shown(pilot, "✗ data.documents is fixed: the eval set was frozen with it")
        await pilot.press("escape", "slash", *"budget.hours", "enter", "enter")
        await arrive(pilot, "AskLine")
        await pilot.press("2", "enter")
        await until(pilot, lambda: app.session is not None and app.session.draft.content.budget.hours == 2.0, "the hours")
        await pilot.press("escape", "escape", "end")
        await until_shown(pilot, "p Endpoint")
