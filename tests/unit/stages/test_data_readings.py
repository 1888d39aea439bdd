"""What the stages know of the data of a case beyond its rows."""

from __future__ import annotations

import json
from pathlib import Path

from tuneproof.engine.case.data import Data
from tuneproof.engine.data.parts import Part
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.stages.data_readings import DataReadings


def _write(path: Path, count: int) -> None:
    rows = [{"prompt": f"{path.stem} {number}", "completion": "yes"} for number in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_files_that_are_parts_by_name_are_known_unless_the_case_names_its_eval_set(tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    rows.mkdir()
    for name, count in (("train", 3), ("dev", 2), ("test", 2)):
        _write(rows / f"{name}.jsonl", count)
    _write(tmp_path / "kept.jsonl", 2)
    with EventLog(tmp_path / "events.jsonl") as log:
        named = DataReadings(Data(examples=str(rows)), log).parts_by_name
        assert named == {Part.EVAL: ["test.jsonl"], Part.VALIDATION: ["dev.jsonl"]}
        apart = DataReadings(Data(examples=str(rows), eval=str(tmp_path / "kept.jsonl")), log).parts_by_name
        assert apart == {Part.VALIDATION: ["dev.jsonl"]}
