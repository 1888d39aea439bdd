"""The search for private data against published gold spans: at least as good as six regular expressions with checksums."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.conftest import REAL_DATA
from tuneproof.engine.audit.pii.matches import PiiKind
from tuneproof.engine.audit.pii.private_data import find_private_data, may_have_private_data

GOLD = REAL_DATA / "presidio_synth" / "synth_dataset_v2.json"


@dataclass(frozen=True)
class Floor:
    """The least that counts, to two decimals as the figures it comes from, and how many gold spans there are."""

    kind: PiiKind
    precision: float
    recall: float
    spans: int


FLOORS = {
    "EMAIL_ADDRESS": Floor(PiiKind.EMAIL, 1, 1, 49),
    "CREDIT_CARD": Floor(PiiKind.CARD, 0.98, 1, 136),
    "PHONE_NUMBER": Floor(PiiKind.PHONE, 0.48, 0.98, 92),
    "US_SSN": Floor(PiiKind.US_SSN, 1, 1, 16),
    "IP_ADDRESS": Floor(PiiKind.IP, 1, 1, 14),
    "IBAN_CODE": Floor(PiiKind.IBAN, 1, 0.95, 21),
}


@pytest.mark.parametrize("label", FLOORS)
def test_precision_and_recall_reach_the_floor(label: str) -> None:
    """Recall: gold spans of the label that a match of the kind overlaps. Precision: matches of the kind that overlap such a span."""
    if not GOLD.is_file():
        pytest.skip(f"REAL DATA MISSING: {GOLD}; set TUNEPROOF_REAL_DATA to the folder that has presidio_synth")
    floor = FLOORS[label]
    spans = hit = matches = right = 0
    for row in json.loads(GOLD.read_text(encoding="utf-8")):
        text = row["full_text"]
        gold = [(s["start_position"], s["end_position"]) for s in row["spans"] if s["entity_type"] == label]
        found = [m for m in find_private_data(text) if m.kind == floor.kind] if may_have_private_data(text) else []
        spans, matches = spans + len(gold), matches + len(found)
        hit += sum(any(m.start < end and start < m.end for m in found) for start, end in gold)
        right += sum(any(m.start < end and start < m.end for start, end in gold) for m in found)
    assert spans == floor.spans
    assert hit / spans >= floor.recall and right / matches >= floor.precision
