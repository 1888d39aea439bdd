"""A first case with the user's own file: from the questions to the freeze, then closed and opened again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.wizard.driving import arrive, dry_run_ended, picture, shown, stage_done, typed, until, until_shown
from tuneproof.engine.case.route import QUESTIONS
from tuneproof.engine.core.stage import Stage
from tuneproof.tui.app import TuneproofApp

ROWS = [{"q": f"Is {i} even?", "a": "no" if i % 2 else "yes"} for i in range(60)] + [{"q": "is 4 EVEN?", "a": "no"}]


@pytest.mark.long
@pytest.mark.asyncio
async def test_a_case_with_own_data_goes_from_the_first_question_to_the_freeze(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    app, case = TuneproofApp(), tmp_path / "even-numbers.yaml"
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        await typed(pilot, "even numbers")
        await pilot.press("enter")
        await until(pilot, lambda: "Twelve questions" in picture(pilot), "the questions")
        assert all(question.short in picture(pilot) for question in QUESTIONS), "all twelve are in sight in the smallest terminal"
        assert "Fixed by tool or grammar? assumed: no" in shown(pilot)
        await pilot.press("n", "y", "y")
        assert yaml.safe_load(case.read_text())["decision"] == {"private_facts": False, "format_drift": True, "stable_task": True}
        assert "with 50 examples or more:" in picture(pilot)
        await pilot.press("6", "1", "backspace", "0")
        assert yaml.safe_load(case.read_text())["decision"]["labeled_examples"] == 60
        assert "fine-tuning candidate" in picture(pilot)
        await pilot.press("c", "p")
        await typed(pilot, "rows.jsonl")
        await pilot.press("enter")
        await dry_run_ended(pilot)
        assert "press s to choose the columns" in shown(pilot)
        await pilot.press("s")
        await until_shown(pilot, "Which column has the request?", "Is 0 even?", "the first rows of q")
        await pilot.press("enter")
        await until_shown(pilot, "Which column has the answer that you want?", "the request: q", "the first rows of a")
        await pilot.press("backspace")
        await until_shown(pilot, "Which column has the request?")
        await pilot.press("enter", "enter")
        await until_shown(pilot, "Which column has an instruction", "none of them")
        await pilot.press("enter")
        await dry_run_ended(pilot)
        assert "61 rows, columns q -> a" in picture(pilot)
        await pilot.press("c")
        assert "the gate is closed: 1 blocking finding." in picture(pilot) and "conflict" in picture(pilot)
        await pilot.press("c")
        assert app.screen.__class__.__name__ == "AuditScreen", "a closed gate keeps the audit open"
        await pilot.press("x")
        await dry_run_ended(pilot)
        assert "the gate is open; 2 rows are left out" in picture(pilot)
        await pilot.press("c")
        await until(pilot, lambda: "choice: one of a few labels" in picture(pilot), "the drafted task")
        await dry_run_ended(pilot)
        await until_shown(pilot, "Your first row: Is 0 even? → yes")
        await pilot.press("1")
        await arrive(pilot, "DecideScreen")
        await pilot.press("home")
        await until_shown(pilot, "Your first row: Is 0 even? → yes", "If yes: RAG first.")
        await pilot.press("4")
        await pilot.press("f", "y")
        await stage_done(pilot, Stage.SPLIT)
        frozen = app.state.frozen
        await pilot.press("q")
    assert json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0]) == ROWS[0]
    opened = TuneproofApp(case)
    async with opened.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "not run yet" in picture(pilot), "the baselines, which come next")
        assert opened.session is not None and opened.session.is_frozen
        assert opened.state.frozen == frozen
        await pilot.press("4")
        assert frozen is not None and frozen.eval_sha256 in picture(pilot)


@pytest.mark.asyncio
async def test_another_route_than_training_is_recommended_and_training_anyway_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app, case = TuneproofApp(), tmp_path / "prices.yaml"
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        await typed(pilot, "prices")
        await pilot.press("enter")
        await until(pilot, lambda: "Twelve questions" in picture(pilot), "the questions")
        await pilot.press("y", "y", "y")
        assert "RAG first" in picture(pilot) and "look them up first. Put" in picture(pilot)
        await pilot.press("g")
        assert yaml.safe_load(case.read_text())["method"]["even_if_routed_elsewhere"] is True
        assert "You train anyway" in picture(pilot)
        await pilot.press("g", "q")
    assert "method" not in yaml.safe_load(case.read_text())
    assert app.farewell == "the case is saved; continue with: tuneproof prices.yaml"


@pytest.mark.asyncio
async def test_rows_are_shown_as_the_chosen_base_sees_them_before_there_is_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    case = tmp_path / "even.yaml"
    answers = {"private_facts": False, "format_drift": True, "stable_task": True, "labeled_examples": 61}
    data = {"examples": "rows.jsonl", "columns": {"input": "q", "output": "a"}}
    case.write_text(yaml.safe_dump({"version": 1, "name": "even", "decision": answers, "data": data, "model": {"base": "sample"}}))
    app = TuneproofApp(case)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "As the model sees it")
        await dry_run_ended(pilot)
        await until_shown(pilot, "<|user|>Is 0 even?<|end|><|assistant|>", "prompt 11, answer 3 tokens")
