"""The published JSON Schema of `card.json`."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from tests.card_schema import PUBLISHED, schema_text, stored_card
from tests.conftest import ROOT, sample_case
from tests.snapshots.record import FINISHED
from tuneproof.engine.case.load import load_case
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.run.store import EVENTS, RunStore
from tuneproof.engine.stages.pipeline import run_stages

EARLIER = ROOT / "tests" / "replay" / "run_of_version_1"


def problems(card: object) -> list[str]:
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    return [f"{list(error.instance_path)}: {error.message}" for error in jsonschema_rs.validator_for(schema).iter_errors(card)]


def test_the_published_schema_is_that_of_the_model() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text(), "write it again: python -m tests.card_schema"


@pytest.mark.parametrize("run", [FINISHED, EARLIER], ids=lambda run: run.name)
def test_stored_cards_fit_the_schema(run: Path) -> None:
    assert problems(stored_card(run)) == []


def test_the_card_of_a_run_without_a_measurement_fits_the_schema(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", load_case(sample_case().with_name("route_only.yaml"), []))
    with store.lock(), EventLog(store.path / EVENTS) as log:
        run_stages(store, log, Stage.CARD, StopRequest())
    assert problems(stored_card(store.path)) == []


def test_a_key_that_no_card_has_does_not_fit() -> None:
    card = stored_card(FINISHED)
    card["verdict"]["answr"] = "tune"
    assert any("answr" in problem for problem in problems(card))
