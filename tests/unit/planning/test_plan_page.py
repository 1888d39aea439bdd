"""The plan of a case says what to do next, what it takes and what is missing, for whole cases, drafts and runs."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from tests.snapshots.record import FINISHED
from tuneproof.engine.case.load import load_as
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.planning.gather import gather_plan
from tuneproof.engine.planning.gather_data import data_part
from tuneproof.engine.planning.page import FileRole, PlanPage
from tuneproof.engine.planning.sources import PlanSources
from tuneproof.engine.planning.text import plan_text, short_form
from tuneproof.engine.run.store import CROSS_SPLIT_DUPLICATES, RunStore
from tuneproof.engine.scoring.statistics import minimum_detectable_effect
from tuneproof.engine.session.sample_cases import sample_cases_folder


def plan_of(content: dict[str, object]) -> PlanPage:
    return gather_plan(PlanSources(DraftCase.model_validate({"name": "prices", **content}), None))


def missing(page: PlanPage) -> str:
    return "\n".join(f"{each.what}: {each.how}" for each in page.missing)


@pytest.fixture(scope="module")
def run_page(tmp_path_factory: pytest.TempPathFactory) -> PlanPage:
    """The plan of the recorded run, which has its card."""
    run = tmp_path_factory.mktemp("runs") / "support-tickets-1"
    shutil.copytree(FINISHED, run)
    store = RunStore.open(run)
    return gather_plan(PlanSources(store.case, store, run=run))


def test_a_case_without_answers_says_which_question_comes_first_and_what_else_is_missing() -> None:
    page = plan_of({"decision": {"private_facts": False}})
    assert page.decision.route is None
    assert page.decision.unanswered[0] == "Does the output format drift?"
    text = plan_text(page)
    assert "Do next: answer: Does the output format drift?" in text
    for key in ("decision.format_drift", "data.examples", "model.base", "target:", "task:", "usd_per_gpu_hour"):
        assert key in missing(page)


def test_a_route_without_data_still_gets_every_section() -> None:
    page = plan_of({"decision": {"private_facts": True, "format_drift": False, "stable_task": True, "labeled_examples": 24}})
    text = plan_text(page)
    assert "**RAG first.**" in text and "data.documents" in text and "Nothing is trained on this route" in text
    assert re.findall(r"^## (\d+)\.", text, re.MULTILINE) == [str(number) for number in range(1, 9)]
    assert "to show a difference of | eval cases" in text


def test_the_base_alone_says_why_an_adapter_costs_less_than_every_weight() -> None:
    content = load_as(DraftCase, sample_cases_folder() / "support_tickets.yaml")
    page = gather_plan(PlanSources(content, None))
    held = {each.method: each for each in page.training.held}
    full, lora, qlora = held["full"], held["lora"], held["qlora"]
    assert page.training.parameters == full.trained == 2_066_112
    # Float32 weights and gradients, two moments: 16 bytes for each parameter; an adapter the same, over a base in 16 bits.
    assert full.held.total == 16 * full.trained
    assert lora.held.total == 2 * full.trained + 16 * lora.trained
    assert qlora.held.weights < lora.held.weights and qlora.trained == lora.trained
    assert "gradients and the two moments of AdamW are held for trained parameters only" in plan_text(page)


def test_a_base_that_is_not_here_is_not_downloaded_but_named() -> None:
    page = plan_of({"model": {"base": "some/base"}})
    assert page.training.parameters is None and not page.training.held
    assert "hf download some/base" in missing(page)


def test_a_run_has_its_files_with_their_digests_what_it_measured_and_how_it_goes_on(run_page: PlanPage) -> None:
    assert run_page.data is not None and run_page.measured is not None and run_page.run is not None
    manifest = RunStore(Path(run_page.run)).manifest
    assert {part.file: part.sha256 for part in run_page.data.parts}.items() <= manifest.written().items()
    assert [(part.part, part.rows) for part in run_page.data.parts] == [("train", 94), ("validation", 26), ("eval", 80)]
    assert [file.role for file in run_page.data.files] == [FileRole.EXAMPLES, FileRole.EVAL]
    assert all(file.sha256 for file in run_page.data.files)
    assert "constrained" in [arm.arm for arm in run_page.measured.arms] and run_page.measured.headline
    assert run_page.to_run.command.startswith("tuneproof verify")
    assert "## 7. What was measured" in plan_text(run_page)


def test_the_cost_is_that_of_the_plan_that_the_run_made(run_page: PlanPage) -> None:
    planned = run_page.cost.planned
    assert planned is not None and planned.memory is not None and run_page.cost.needs is not None
    assert run_page.cost.needs.memory == planned.memory.total
    assert run_page.training.trained == 233_472
    assert {each.method for each in run_page.training.on_gpu} == {"full", "lora", "qlora"}


def test_the_short_form_is_the_beginning_of_the_page(run_page: PlanPage) -> None:
    short = short_form(plan_text(run_page))
    assert short.startswith("# Plan: support-tickets\n") and short.count("\n- ") <= 7 and "##" not in short


def test_the_page_can_be_read_by_programs(run_page: PlanPage) -> None:
    document = json.loads(TypeAdapter(PlanPage).dump_json(run_page))
    assert document["decision"]["route"] == "fine-tuning candidate"
    assert document["eval"]["cases"] == 80


def test_texts_of_the_case_have_no_markup_in_the_page() -> None:
    text = plan_text(plan_of({"name": "a|b <img src=x> `rm`\x1b[2J *bold*"}))
    assert "<img" not in text.replace("\\<", "") and "\x1b" not in text and "\\|" in text


def test_training_that_the_case_insists_on_is_expected_whatever_the_route() -> None:
    answers = {"private_facts": True, "format_drift": False, "stable_task": True, "labeled_examples": 24}
    assert not plan_of({"decision": answers}).training.is_expected
    assert plan_of({"decision": answers, "method": {"even_if_routed_elsewhere": True}}).training.is_expected


def test_rows_that_the_split_leaves_out_are_counted_so_that_the_parts_add_up(run_page: PlanPage, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(FINISHED, run)
    kept = (run / "splits" / "train.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / CROSS_SPLIT_DUPLICATES).write_text("".join(kept[:3]), encoding="utf-8")
    store = RunStore.open(run)
    data = data_part(PlanSources(store.case, store, run=run))
    assert data is not None and data.left_out_by_split == 3
    text = plan_text(replace(run_page, data=data, measured=None))
    assert "3 more are not used, because they repeat or nearly repeat rows that a later part of the split has" in text
    assert "80 eval, 3 not used)" in short_form(text)


def test_no_difference_is_promised_that_so_few_cases_cannot_show(run_page: PlanPage) -> None:
    few, enough = (replace(run_page.eval, cases=n, detectable=minimum_detectable_effect(n)) for n in (12, 40))
    assert few.shows_nothing and not enough.shows_nothing
    text = plan_text(replace(run_page, eval=few, measured=None))
    assert text.count("12 cases are too few to tell two arms apart") == 1 and "12 eval cases are too few" in text
    assert "36 points" not in text
    assert "40 eval cases show a true difference of 20 points" in plan_text(replace(run_page, eval=enough))
