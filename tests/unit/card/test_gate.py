"""A pipeline goes on with a run that is what it asks for, and stops at any other, at a difference above all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.replay.test_earlier_version import RECORDED
from tuneproof.engine.card.gate import GateCheck, GateConditions, check_gate
from tuneproof.engine.card.gate_report import GateReport, junit, markdown
from tuneproof.engine.card.stored_card import read_card
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.rule import TargetStatus, VerdictAnswer
from tuneproof.tui.cli import main

CARD = read_card(RunStore(RECORDED))


def passes(**asked: object) -> bool:
    (check,) = check_gate(CARD, GateConditions(**asked))  # type: ignore[arg-type]
    return check.passed


def test_each_condition_passes_up_to_what_the_card_has() -> None:
    gain = CARD.verdict.difference
    assert gain is not None
    assert passes(answers=[CARD.verdict.answer]) and passes(answers=list(VerdictAnswer))
    assert not passes(answers=[each for each in VerdictAnswer if each is not CARD.verdict.answer])
    assert passes(min_gain=gain.estimate) and not passes(min_gain=gain.estimate + 0.001)
    assert passes(min_gain_shown=gain.low) and not passes(min_gain_shown=gain.low + 0.001)


def test_a_target_that_is_only_met_as_measured_is_not_shown() -> None:
    for found, measured, shown in (
        (TargetStatus.SHOWN, True, True),
        (TargetStatus.MEASURED, True, False),
        (TargetStatus.NONE, False, False),
    ):
        card = CARD.model_copy(update={"verdict": CARD.verdict.model_copy(update={"target": found})})
        checks = [check_gate(card, GateConditions(target=each))[0].passed for each in (TargetStatus.MEASURED, TargetStatus.SHOWN)]
        assert checks == [measured, shown]


def test_without_a_measured_gain_no_gain_is_met() -> None:
    card = CARD.model_copy(update={"verdict": CARD.verdict.model_copy(update={"difference": None})})
    assert [each.passed for each in check_gate(card, GateConditions(min_gain=-1, min_gain_shown=-1))] == [False, False]


def test_the_command_passes_fails_and_writes_both_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports = ["--junit", str(tmp_path / "gate.xml"), "--markdown", str(tmp_path / "gate.md")]
    answer = str(CARD.verdict.answer)
    assert main(["gate", str(RECORDED), "--require", answer, "--json", *reports]) == 0
    assert json.loads(capsys.readouterr().out)["passed"] is True
    assert main(["gate", str(RECORDED), "--require", answer, "--min-gain", "1", *reports]) == 3
    said = capsys.readouterr()
    assert "FAILED: the measured gain is at least 1" in said.out and "1 of 2 conditions is not met" in said.err
    root = ElementTree.parse(tmp_path / "gate.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors"), len(root.findall(".//failure"))) == ("3", "1", "0", 1)
    assert "gate: not passed" in (tmp_path / "gate.md").read_text()


def test_a_run_with_a_difference_is_not_judged_unless_that_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Path(shutil.copytree(RECORDED, tmp_path / "run"))
    (run / "audit.json").unlink()
    words = ["gate", str(run), "--require", str(CARD.verdict.answer), "--junit", str(tmp_path / "gate.xml")]
    assert main(words) == 5
    root = ElementTree.parse(tmp_path / "gate.xml").getroot()
    assert root.get("errors") == "1" and "audit.json" in str(root.find(".//error").get("message"))  # type: ignore[union-attr]
    assert main([*words, "--no-verify"]) == 0
    assert "The run was not verified" in capsys.readouterr().out
    assert main(["gate", str(RECORDED), "--require", str(CARD.verdict.answer), "--signed"]) == 5


@pytest.mark.parametrize("words", [[], ["--min-gain", "5"], ["--min-gain", "nan"], ["--no-verify", "--signed", "--target", "shown"]])
def test_a_gate_that_asks_for_nothing_or_nonsense_is_a_mistake(words: list[str]) -> None:
    assert main(["gate", str(RECORDED), *words]) == 2


def test_a_report_that_cannot_be_written_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert main(["gate", str(RECORDED), "--require", "tune", "--no-verify", "--junit", str(tmp_path / "file" / "gate.xml")]) == 2


def test_texts_of_data_are_no_markup_in_the_reports() -> None:
    report = GateReport("<b>|run\x1b\ufffe", [GateCheck("a | [b](javascript:x)", passed=False, found="<script>\x00")], "")
    ElementTree.fromstring(junit(report).encode())
    text = markdown(report)
    assert "<b>" not in text.replace("\\<", "") and "\\[b\\]" in text and "a \\| " in text
