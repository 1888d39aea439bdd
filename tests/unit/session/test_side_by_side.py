"""The chosen method beside full fine-tuning, before anything is trained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tuneproof.engine.methods.forecast import Forecast
from tuneproof.engine.methods.method import MethodName
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.methods.select import AvailableMemory, ExecutionOption
from tuneproof.engine.run.artifacts import MeasuredStep, Memory, PlannedFacts
from tuneproof.engine.run.needs import Disk
from tuneproof.engine.session.forecasts import MethodRow
from tuneproof.engine.session.side_by_side import side_by_side

LORA = MethodRow(METHODS[MethodName.LORA], 3_500_000, 0.035, None)
FULL = MethodRow(METHODS[MethodName.FULL], 96_500_000, 1.0, None)


def _planned() -> PlannedFacts:
    step = MeasuredStep.model_validate(
        {"peak": 1, "whole_process": True, "worst_seconds": 2.0, "usual_seconds": 1.0, "worst_length": 60, "usual_length": 50}
    )
    return PlannedFacts.model_validate(
        {
            **{"room": 1, "room_told_by": "m", "margin": 0.9, "length": 1, "steps": 10, "accumulation": 1, "checkpointing": False},
            **{"memory": None, "not_predicted": "", "trial": step, "not_measured": None, "hours": 2.0, "usd": 6.0, "turned_down": []},
        }
    )


def test_before_anything_is_measured_the_table_says_how_to_measure_it() -> None:
    table = side_by_side(LORA, FULL, None)
    assert table is not None
    lines = "\n".join(table.lines())
    assert "3,500,000 (3.5 %)" in lines and "96,500,000 (100 %)" in lines and "p measures it" in lines
    assert "14.0 MB" in lines and "0.39 GB" in lines, "four bytes a trained weight"
    assert "3.5 % of the weights" in table.why


def test_time_and_money_of_the_other_are_estimated_from_the_measured_step() -> None:
    table = side_by_side(LORA, FULL, _planned())
    assert table is not None
    rows = {name.strip(): cells for name, *cells in table.rows}
    assert rows["time of a step"] == ["1 s, measured", "about 1.5 s, estimated"]
    assert rows["time in all"] == ["2.0 hours", "about 3.0 hours"]
    assert rows["money"] == ["6.00 USD", "about 9.00 USD"]


@pytest.mark.parametrize("row", [LORA, FULL])
def test_nothing_is_said_of_a_base_that_a_method_cannot_adapt(row: MethodRow) -> None:
    unknown = MethodRow(row.method, None, None, None)
    assert side_by_side(unknown, FULL, None) is None and side_by_side(LORA, unknown, None) is None


def test_disk_stands_beside_memory_and_says_where_it_is_short() -> None:
    memory = Memory(weights=8, adapters=1, gradients=1, optimizer=2, activations=1, logits=1, overhead=1)
    disk = Disk(checkpoints=9_000_000, models=1_000_000, merged=0, predictions=0, checkpoint=3_000_000)
    larger = disk.model_copy(update={"checkpoints": 75_000_000})
    forecast = Forecast(ExecutionOption(1, checkpointing=False), memory, AvailableMemory(1e9, "m"), disk, free_disk=20_000_000)
    rows = [replace(row, forecast=replace(forecast, disk=needed)) for row, needed in ((LORA, disk), (FULL, larger))]
    table = side_by_side(rows[0], rows[1], None)
    assert table is not None
    cells = {name.strip(): cells for name, *cells in table.rows}
    assert cells["disk of the run, predicted"] == ["10.0 MB", "76.0 MB, does not fit"] and "fit" not in cells["memory, predicted"][1]
