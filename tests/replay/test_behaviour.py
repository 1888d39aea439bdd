"""What tuning did outside the task, measured in a run of the sample case: resumed, short of time, and verified."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import COMMAND, Result, sample_case, set_options, tuneproof
from tests.manifests import forge_card_inputs, forge_digests, write_manifest
from tests.waiting import events_of, wait_for_event
from tuneproof.engine.behaviour.axis_case import TunedNotAsked
from tuneproof.engine.behaviour.measures import MeasureName
from tuneproof.engine.behaviour.paired_rates import RiskOutcome
from tuneproof.engine.card.behaviour_section import BehaviourSection, NotMeasured
from tuneproof.engine.card.schema import Card
from tuneproof.engine.case.risk import Axis
from tuneproof.engine.run.events import Progressed
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.run.work import Work

pytestmark = pytest.mark.long

WITHOUT = ("risk.overfitting=false", "risk.drift=false")
"""What other tests are about."""


@pytest.fixture
def run(finished: tuple[Path, Result], tmp_path: Path) -> Path:
    """A copy of a finished run that measured nothing outside the task."""
    return shutil.copytree(finished[0], tmp_path / "run")


def resume(run: Path, *settings: str) -> Result:
    """Goes on with a run that measures other things than before."""
    return tuneproof("--replay", sample_case(), "--run-dir", run, "--resume", *set_options(*WITHOUT, *settings))


def section_of(run: Path) -> BehaviourSection:
    """What the card says of it."""
    card = Card.model_validate_json((run / "card.json").read_text(encoding="utf-8"))
    assert card.risk.behaviour is not None
    return card.risk.behaviour


def test_a_finished_run_is_measured_later_and_its_card_verifies(run: Path) -> None:
    result = resume(run, "risk.cases=60", "risk.safety=false")
    assert result.code == 0, result.err
    section = section_of(run)
    forgetting, instructions = section.axes
    assert section.not_measured == {Axis.SAFETY: NotMeasured.OFF}
    # The sample model knows nothing but tickets.
    assert forgetting.tuned_not_asked is TunedNotAsked.FLOOR and forgetting.n == 60
    assert instructions.tuned_not_asked is None and instructions.trained_form == "JSON"
    # Trained on tickets alone, it answers other requests as if they were tickets.
    assert instructions.measures[0].measure is MeasureName.TRAINED_FORM and instructions.measures[0].rates.outcome is RiskOutcome.WORSE
    verified = tuneproof("verify", run)
    assert verified.code == 0, verified.err
    assert "behaviour" in (run / "events.jsonl").read_text(encoding="utf-8")
    again = resume(run, "risk.cases=60", "risk.safety=false")
    assert again.code == 0 and section_of(run) == section


def test_a_changed_answer_is_noticed_by_verify_although_its_digest_fits(run: Path) -> None:
    assert resume(run, "risk.cases=20", "risk.safety=false", "risk.instructions=false").code == 0
    name, store = "behaviour/forgetting/base.jsonl", RunStore(run)
    rows = [json.loads(line) for line in store.read(name).splitlines()]
    cases = [json.loads(line) for line in store.read("behaviour/forgetting/cases.jsonl").splitlines()]
    for row, case in zip(rows, cases, strict=True):
        row["output"] = "\n".join(case["values"])
    store.write(name, "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows))
    forge_digests(store, StepId(StepKind.BEHAVIOUR, Axis.FORGETTING))
    manifest = store.manifest
    forge_card_inputs(manifest)
    write_manifest(store, manifest)
    refused = tuneproof("verify", run)
    assert refused.code == 5 and "the numbers do not follow from the stored files" in refused.err


def test_the_margin_of_what_was_measured_cannot_be_changed_afterwards(run: Path) -> None:
    only = ("risk.cases=20", "risk.safety=false", "risk.instructions=false")
    assert resume(run, *only).code == 0
    refused = resume(run, *only, "risk.margin=0.5")
    assert refused.code == 3 and "risk.margin" in refused.err


def test_without_time_nothing_is_reported_as_measured(run: Path) -> None:
    assert resume(run, "risk.minutes=0.001").code == 0
    section = section_of(run)
    assert section.axes == [] and set(section.not_measured.values()) == {NotMeasured.TIME}
    assert "Safety: not measured (time" in (run / "card.md").read_text(encoding="utf-8")
    assert tuneproof("verify", run).code == 0


def test_a_run_that_is_stopped_while_it_asks_goes_on_with_the_answers_that_it_has(run: Path) -> None:
    only = ("risk.safety=false", "risk.forgetting=false")
    words = ["--replay", str(sample_case()), "--run-dir", str(run), "--resume", *set_options(*WITHOUT, *only)]
    replay = subprocess.Popen([str(COMMAND), *words], stderr=subprocess.PIPE, text=True)
    wait_for_event(run, Progressed, lambda event: event.work is Work.BEHAVIOUR and 50 <= event.done < 150)
    replay.send_signal(signal.SIGTERM)
    replay.communicate(timeout=120)
    assert replay.returncode == 130
    kept = [json.loads(line) for line in (run / "behaviour/instructions/kept_base.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(kept) >= 50
    assert resume(run, *only).code == 0
    answers = [json.loads(line) for line in RunStore(run).read("behaviour/instructions/base.jsonl").splitlines()]
    assert len(answers) == 200 and Counter(each["text"] for each in kept) <= Counter(each["output"] for each in answers)
    begun = [event for event in events_of(run, Progressed) if event.work is Work.BEHAVIOUR and event.about == "instructions, base"]
    assert any(event.done >= 50 for event in begun[-3:])
    assert section_of(run).axes[0].n == 200 and not list((run / "behaviour").rglob("kept*"))
