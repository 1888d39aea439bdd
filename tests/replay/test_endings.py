"""A case can end without training: where a baseline is good enough, and where the answers point elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, sample_case, set_options, tuneproof
from tuneproof.engine.session.case_session import CaseSession

QUICK = ["training.epochs=1", "baselines=[zero_shot]"]


def card_of(run: Path, *overrides: str) -> dict[str, Any]:
    words = set_options(*QUICK, *overrides)
    result = tuneproof("--replay", sample_case(), "--run-dir", run, "--json", *words)
    assert result.code == 0, result.err
    assert tuneproof("verify", run).code == 0
    card: dict[str, Any] = json.loads(result.out)["card"]
    return card


@pytest.mark.parametrize(
    ("override", "insist", "answer", "why"),
    [
        ("target.at_least=0.1", "method.even_if_met=true", "do not tune", "zero_shot is shown to meet the target"),
        ("decision.private_facts=true", "method.even_if_routed_elsewhere=true", "inconclusive", "the route is `RAG first`"),
    ],
)
@pytest.mark.long
def test_training_is_skipped_for_a_reason_unless_the_case_insists_which_the_card_records(
    tmp_path: Path, override: str, insist: str, answer: str, why: str
) -> None:
    skipped = card_of(tmp_path / "a", override)
    assert skipped["verdict"]["answer"] == answer
    assert why in skipped["method"]["skipped"] and insist.split("=")[0] in skipped["method"]["skipped"]
    assert [arm["arm"] for arm in skipped["arms"]] == ["zero_shot"] and not (tmp_path / "a" / "training").exists()
    insisted = card_of(tmp_path / "b", override, insist)
    assert [arm["arm"] for arm in insisted["arms"]] == ["zero_shot", "tuned"]
    assert insisted["method"]["skipped"] is None and why in insisted["decision"]["overruled"][0]
    assert insisted["verdict"]["answer"] == ("do not tune" if answer == "do not tune" else "tune")


@pytest.mark.long
def test_a_target_that_is_met_as_measured_ends_training_only_if_the_case_takes_that_as_enough(tmp_path: Path) -> None:
    measured = "target.at_least=0.3"
    card = card_of(tmp_path / "a", measured, "method.enough_as_measured=true")
    assert card["method"]["skipped"].startswith("zero_shot meets the target as measured, which the case takes as enough")
    assert [arm["arm"] for arm in card["arms"]] == ["zero_shot", "zero_shot + repair"] and card["verdict"]["target"] == "measured"
    session = CaseSession.of_run(tmp_path / "a")
    met = session.met_as_measured()
    assert met is not None and session.arms_that_meet_the_target() == []
    assert met.describe().startswith("zero_shot meets the target as measured (0.3") and met.more is not None and met.more > met.cases
    assert f"about {met.more:,} more at this rate would" in met.describe()


@pytest.mark.long
def test_a_prompt_that_is_measured_to_fall_short_draws_the_route_again_and_the_card_says_what_changed(tmp_path: Path) -> None:
    card = card_of(tmp_path / "a", "decision.format_drift=false")
    assert card["decision"]["route"] == "prompt baseline first" and card["redrawn_route"]["route"] == "fine-tuning candidate"
    assert card["redrawn_route"]["prompt_falls_short"] is True and card["redrawn_route"]["change"] in card["decision"]["summary"]
    assert [arm["arm"] for arm in card["arms"]] == ["zero_shot", "zero_shot + repair", "tuned"], (
        "the training follows the route as measured"
    )
    shown = card_of(tmp_path / "b", "decision.format_drift=false", "decision.prompt_falls_short=true", "target.at_least=0.1")
    assert shown["decision"]["route"] == "fine-tuning candidate" and shown["redrawn_route"]["route"] == "prompt baseline first"
    assert shown["method"]["name"] is None


def test_a_case_that_ends_early_says_what_to_do_next_headless_and_on_the_card(tmp_path: Path) -> None:
    steps = "Put a guard before the model"
    words = (
        "--replay",
        ROOT / "sample_cases" / "route_only.yaml",
        *set_options("decision.unsafe_requests=true", "decision.private_facts=false"),
    )
    text = tuneproof(*words, "--run-dir", tmp_path / "a")
    lines = text.out.splitlines()
    assert lines[0] == "route: guard first" and lines[1].startswith("minimum_before_training: [")
    assert lines[lines.index("what to do next:") + 1].strip().startswith(steps)
    document = json.loads(tuneproof(*words, "--run-dir", tmp_path / "b", "--json").out)
    assert document["next_steps"][0].startswith(steps) and document["card"]["verdict"]["next_steps"] == document["next_steps"]
    assert steps in document["card"]["decision"]["summary"]
    card = (tmp_path / "a" / "card.md").read_text()
    assert f"- **What next:** {steps}" in card and f"Next: {steps}" in card.partition("## Decision")[2]


@pytest.mark.long
def test_a_route_that_is_not_fine_tuning_says_after_its_baselines_what_to_do_next(tmp_path: Path) -> None:
    card = card_of(tmp_path / "a", "decision.preference_problem=true")
    assert card["verdict"]["next_steps"] == ["Collect pairs of a better and a worse answer, and train on them (DPO or a similar method)."]
    assert "Next: Collect pairs" in card["decision"]["summary"]


def test_a_case_without_a_task_ends_after_its_split_and_says_what_is_missing(write_case: Any, write_jsonl: Any, tmp_path: Path) -> None:
    write_jsonl([{"input": f"question {i}", "output": f"answer {i}"} for i in range(60)])
    decision = {"private_facts": False, "format_drift": True, "stable_task": True}
    result = tuneproof("--replay", write_case({"decision": decision, "data": {"examples": "rows.jsonl"}}), "--run-dir", tmp_path / "run")
    assert result.code == 0 and result.out.startswith("route: fine-tuning candidate")
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    assert card["verdict"]["missing"] == ["prompt baseline", "tuned arm"]
    assert card["decision"]["answers"]["labeled_examples"] == 60 and card["eval_set"]["n"] > 0


def test_an_accepted_finding_no_longer_blocks_and_the_card_has_the_reason(write_case: Any, write_jsonl: Any, tmp_path: Path) -> None:
    write_jsonl([{"input": f"question {i}", "output": "yes"} for i in range(60)] + [{"input": "question 7", "output": "no"}])
    decision = {"private_facts": False, "format_drift": True, "stable_task": True}
    data = {"examples": "rows.jsonl", "accept": {"conflict": "two people disagree"}}
    run = tmp_path / "run"
    assert tuneproof("--replay", write_case({"decision": decision, "data": data}), "--run-dir", run).code == 0
    text = (run / "card.md").read_text()
    assert "different outputs for the same input (accepted: two people disagree)" in text
    assert "0 blocking findings" in text and ", 1 accepted." in text
    assert tuneproof("verify", run).code == 0


def test_a_group_stays_in_one_part_and_rows_that_would_repeat_an_input_in_two_parts_are_left_out(
    write_case: Any, write_jsonl: Any, tmp_path: Path
) -> None:
    rows = [{"input": f"question {i}", "output": f"answer {i}", "speaker": f"s{i % 20}"} for i in range(80)]
    write_jsonl(rows + [{**row, "speaker": f"t{i}"} for i, row in enumerate(rows)])
    decision = {"private_facts": False, "format_drift": True, "stable_task": True}
    data = {"examples": "rows.jsonl", "split": {"group_by": "speaker"}}
    assert tuneproof("--replay", write_case({"decision": decision, "data": data}), "--run-dir", tmp_path / "run").code == 0
    parts = {p.stem: [json.loads(line) for line in p.read_text().splitlines()] for p in (tmp_path / "run" / "splits").iterdir()}
    inputs = {name: {row["input"] for row in part} for name, part in parts.items()}
    assert not inputs["train"] & inputs["eval"] and not inputs["train"] & inputs["validation"] and not inputs["validation"] & inputs["eval"]
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    assert card["data_shape"]["left_out"] == len(parts["straddling"]) > 0
    assert any("validation or eval has a duplicate" in item for item in card["risk"]["items"])


@pytest.mark.long
@pytest.mark.parametrize(
    ("rows", "task"),
    [
        (
            [{"messages": [{"role": "user", "content": f"Repeat.\n\n{i}"}, {"role": "assistant", "content": str(i)}]} for i in range(60)],
            None,
        ),
        ([{"q": f"{i} and {i}", "a": f"so\n#### {2 * i}"} for i in range(60)], {"kind": "pattern", "pattern": r"#### (-?\d+)"}),
        ([{"q": f"Is {i} even?", "a": "no" if i % 2 else "yes"} for i in range(60)], {"kind": "choice"}),
    ],
)
def test_other_shapes_and_output_kinds_go_the_whole_way(
    write_case: Any, write_jsonl: Any, tmp_path: Path, rows: list[dict[str, Any]], task: dict[str, Any] | None
) -> None:
    write_jsonl(rows)
    case = {
        "decision": {"private_facts": False, "format_drift": True, "stable_task": True},
        "task": {"output": task or {"kind": "text"}},
        "data": {"examples": "rows.jsonl", "columns": {"input": "q", "output": "a"} if task else None},
        "model": {"base": "sample"},
        "training": {"max_steps": 4, "probe_every": 2},
    }
    result = tuneproof("--replay", write_case(case), "--run-dir", tmp_path / "run")
    assert result.code == 0, result.err
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    answered = [arm["arm"] for arm in card["arms"] if not arm["arm"].endswith(" + repair")]
    constrained = ["constrained", "few_shot_constrained"] if task else []
    assert answered == ["zero_shot", "few_shot", *constrained, "tuned", *(["tuned_constrained"] if task else [])]
    assert tuneproof("verify", tmp_path / "run").code == 0
