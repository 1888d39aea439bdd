"""Dialogs lose nothing: neither lines that are pasted, nor what was typed before it was refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from textual.events import Key
from textual.widgets import Input, TextArea

from tests.hub import local_hub
from tests.unit.models.broken_folders import sample_copy
from tests.wizard.driving import arrive, opened, paste, shown, stage_done, until, until_shown
from tuneproof.engine.arms import ArmContext, arms_of
from tuneproof.engine.case.compare import RuleName
from tuneproof.engine.case.load import load_case
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.script_metric import ScriptMetric
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.models import hub_lookup
from tuneproof.engine.models.base_model import load_base
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.session.comparison_form import RULE_CHOICES
from tuneproof.tui.app import TuneproofApp

SIZE = (80, 24)
INSTRUCTION = """You sort requests of customers.
Rules:
- "yes" if the number is even
- "no" if it is odd

Answer with one word: yes or no."""


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A case with its own data in the current folder, and no instruction."""
    monkeypatch.chdir(tmp_path)
    rows = [{"input": f"Is {i} even?", "output": "no" if i % 2 else "yes"} for i in range(60)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "numbers.md").write_text("A number is even if two divides it.\n")
    whole = {
        "decision": {"private_facts": False, "format_drift": True, "stable_task": True},
        "task": {"output": {"kind": "choice", "choices": ["yes", "no"]}},
        "data": {"examples": "rows.jsonl", "documents": "notes"},
        "model": {"base": "sample"},
        "endpoint": {"url": "http://localhost:9/v1", "model": "m"},
    }
    (tmp_path / "even.yaml").write_text(yaml.safe_dump(whole))
    yield tmp_path / "even.yaml"


def prompts_of_all_arms(path: Path) -> dict[str, str]:
    """What the model is given for one row, by the name of the arm."""
    case, base = load_case(path), load_base(ModelChoice(base="sample"))
    assert case.task is not None and case.data is not None
    rows = [Example("", f"Is {i} even?", "no" if i % 2 else "yes", Source("rows.jsonl", i + 1)) for i in range(20)]
    context = ArmContext(
        case.task.instruction or "",
        make_grader(case.task, [row.output for row in rows]),
        rows[1:],
        lambda messages: True,
        0,
        output=case.task.output,
        documents=case.data.documents,
        endpoint=case.endpoint,
    )
    return {name: base.prompt(arm(context).requests(rows[:1])[0].messages) for name, arm in arms_of(case).items()}


@pytest.mark.asyncio
async def test_a_pasted_instruction_of_several_lines_arrives_whole_in_the_prompt_of_every_arm(case: Path) -> None:
    app = TuneproofApp(case)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, "4")
        await arrive(pilot, "TaskScreen")
        await pilot.press("enter")
        await arrive(pilot, "AskText")
        await paste(pilot, INSTRUCTION)
        await pilot.press("a", "ctrl+z")
        # As a slow line sends them: all at once, and none of them waited for.
        for character in "overtaken":
            app.post_message(Key(character, character))
        app.post_message(Key("ctrl+s", None))
        await until_shown(pilot, "overtaken")
        await arrive(pilot, "TaskScreen")
        await pilot.press("enter")
        await arrive(pilot, "AskText")
        await pilot.press(*["backspace"] * len("overtaken"), "ctrl+s")
        await until_shown(pilot, "instruction, 6 lines", "You sort requests of customers.")
        await pilot.press("i")
        await until_shown(pilot, '- "no" if it is odd', "Answer with one word: yes or no.")
    prompts = prompts_of_all_arms(case)
    assert len(prompts) == 9 and all(INSTRUCTION in prompt for prompt in prompts.values())


@pytest.mark.asyncio
async def test_a_line_is_checked_before_its_dialog_closes_and_nothing_typed_or_pasted_is_lost(case: Path) -> None:
    app = TuneproofApp(case)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(pilot, "4")
        await pilot.press(*["down"] * 5, "enter")
        await arrive(pilot, "AskLine")
        field = app.screen.query_one(Input)
        await paste(pilot, "first\nsecond\n")
        await until_shown(pilot, "2 lines were pasted, and this field takes one: nothing was pasted")
        assert field.value == ""
        await paste(pilot, "0.9\n")
        await until_shown(pilot, "at least 90 %")
        await pilot.press("ctrl+u", *"900", "enter")
        await until_shown(pilot, "900 is not a percentage: type a number above 0 and up to 100")
        assert field.value == "900"
        await pilot.press("f1")
        await until_shown(pilot, "This field takes one line", "How will you know that it got better?")
        await pilot.press("escape", "ctrl+c")
        await until_shown(pilot, "escape closes this dialog; ctrl+q")
        await pilot.press("backspace", "enter")
        await until(pilot, lambda: "target" in yaml.safe_load(case.read_text()), "the saved target")
        await pilot.press("enter")
        await arrive(pilot, "AskLine")
        await pilot.press("ctrl+u", "enter")
        await until(pilot, lambda: "target" not in yaml.safe_load(case.read_text()), "the case without a target")
        await pilot.press("ctrl+c")
        await until_shown(pilot, "q leaves tuneproof")


@pytest.mark.asyncio
async def test_a_schema_with_an_error_stays_in_its_dialog_with_the_cursor_at_the_error(case: Path) -> None:
    broken = '{\n  "type": "object",\n  "properties": {"a": {"type": "string"}\n  "required": ["a"]\n}'
    app = TuneproofApp(case)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, "4")
        await pilot.press("down", "enter", "up", "enter", "down", "enter")
        await arrive(pilot, "AskText")
        await paste(pilot, broken)
        await pilot.press("ctrl+s")
        await until_shown(pilot, "not valid JSON, line 4: expecting ',' delimiter")
        field = app.screen.query_one(TextArea)
        assert field.text == broken and field.cursor_location == (3, 2)
        await pilot.press("escape")
        await until_shown(pilot, "escape once more throws your changes away")
        field.load_text('{"type": "objekt"}')
        await pilot.press("f2")
        await until_shown(pilot, "✗")
        assert type(app.screen).__name__ == "AskText" and field.text == '{"type": "objekt"}'


@pytest.mark.asyncio
@pytest.mark.long
async def test_freezing_without_an_instruction_is_asked_about_first(case: Path) -> None:
    app = TuneproofApp(case)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, "4")
        await until_shown(pilot, "press f to freeze")
        await pilot.press("f")
        await until_shown(pilot, "Freeze all the same?", "60 rows have none of their own", "under Risk")
        await pilot.press("n")
        await arrive(pilot, "TaskScreen")
        assert app.session is not None and not app.session.is_frozen
        await pilot.press("f", "y")
        await stage_done(pilot, Stage.SPLIT)
        assert "frozen" in shown(pilot)


@pytest.mark.asyncio
@pytest.mark.long
async def test_a_base_is_looked_at_where_it_is_named_and_a_hub_that_says_nothing_is_given_up(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sample_copy(case.parent / "whole")
    broken = sample_copy(case.parent / "broken")
    (broken / "tokenizer.json").unlink()
    monkeypatch.setattr(hub_lookup, "SECONDS", 0.3)
    app = TuneproofApp(case)
    with local_hub(monkeypatch, case.parent / "cache", silent=True) as asked:
        async with app.run_test(size=SIZE) as pilot:
            await arrive(pilot, "DataScreen")
            await pilot.press("b", "ctrl+u")
            await paste(pilot, "org/far")
            await pilot.press("enter")
            await until_shown(pilot, "looking …")
            await until_shown(
                pilot, "the hub does not answer", "no model of the hub is on this machine", "enter once more keeps it all the same"
            )
            assert asked.is_set()
            await pilot.press("escape", "p", "ctrl+u")
            await paste(pilot, "hub:org/rows")
            await pilot.press("enter")
            await until_shown(pilot, "not checked: the hub does not answer", "enter once more keeps it all the same")
            await pilot.press("escape", "b", "ctrl+u")
            await paste(pilot, str(broken))
            await pilot.press("enter")
            await until_shown(pilot, "the tokenizer is missing")
            await pilot.press("ctrl+u")
            await paste(pilot, str(folder))
            await pilot.press("enter")
            await arrive(pilot, "DataScreen")
            await until_shown(pilot, "context 2,048 tokens, with a chat template")
    assert load_case(case).model == ModelChoice(base=str(folder))


@pytest.mark.long
@pytest.mark.asyncio
async def test_metric_and_comparison_are_chosen_and_a_script_that_is_none_stays_in_its_dialog(case: Path) -> None:
    app = TuneproofApp(case)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot, "4")
        await pilot.press(*["down"] * 3, "enter")
        await arrive(pilot, "AskChoice")
        await pilot.press("end", "enter")
        await arrive(pilot, "AskText")
        await paste(pilot, "\nreturn (")
        await pilot.press("ctrl+s")
        await until_shown(pilot, "not Python")
        await pilot.press("ctrl+z", "ctrl+s")
        await arrive(pilot, "TaskScreen")
        await until_shown(pilot, "script: what your own script gives")
        await pilot.press("down", "enter")
        await arrive(pilot, "AskChoice")
        await pilot.press("home", *["down"] * list(RULE_CHOICES).index(RuleName.NUMBER), "enter")
        await arrive(pilot, "TaskScreen")
        await until_shown(pilot, "compared The label is compared as a number.")
    task = load_case(case).task
    assert task is not None and isinstance(task.metric, ScriptMetric) and "def score(output, row)" in task.metric.script
    assert task.compare.default is RuleName.NUMBER
