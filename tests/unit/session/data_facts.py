"""What the screens are told about data."""

from __future__ import annotations

from tuneproof.engine.audit.preview import data_facts
from tuneproof.engine.data.example import Example, Source
from tuneproof.engine.data.parts import Part
from tuneproof.engine.run.artifacts import DataFacts


def facts(parts_by_name: dict[Part, list[str]]) -> DataFacts:
    """The facts of one row, of which these files are parts by name."""
    row = Example(input="Which city?", output="Rome", instruction="", source=Source("train.jsonl", 1))
    return data_facts([row], "", None, parts_by_name=parts_by_name)
