"""Rows with one finding of each kind: with two sides, nearly the same, masked, accepted, and about the data as a whole."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

KEY = "ghp_" + "a1B2c3D4e5" * 3 + "F6g7H8"
"""Looks like a token but is none; composed here, so that no scanner reports this file."""

LONG = "I would like to know when the parcel with my new lamp will reach the house at the end of our road"


def write_dirty_case(folder: Path) -> Path:
    """A case with a separate eval file, and findings of every kind; returns the case file."""
    labels = ("billing", "shipping")
    rows = [(f"Where is order {number} from the {place}?", labels[number % 2]) for number, place in enumerate(_places())]
    rows += [(f"Please answer ann.smith@elsewhere.net about order {number}", "shipping") for number in (71, 72)]
    rows += [(f"My key is {KEY}, why is it refused?", "billing"), (f"{LONG} today", "shipping"), ("Late parcel", "shipping")]
    rows += [("late  PARCEL", "billing"), ("The lamp came broken", "returns")]
    scored = [(f"{LONG} tomorrow", "billing"), *((f"Is {place} open?", labels[at % 2]) for at, place in enumerate(_places()[:8]))]
    for name, each in (("tickets.jsonl", rows), ("eval.jsonl", scored)):
        (folder / name).write_text("".join(json.dumps({"input": request, "output": label}) + "\n" for request, label in each))
    case = {
        "version": 1,
        "name": "dirty",
        "decision": {"private_facts": False, "format_drift": True, "stable_task": True},
        "task": {"output": {"kind": "choice", "choices": [*labels, "returns"]}},
        "data": {"examples": "tickets.jsonl", "eval": "eval.jsonl", "accept": {"conflict": "both teams take late parcels"}},
    }
    path = folder / "tickets.yaml"
    path.write_text(yaml.safe_dump(case), encoding="utf-8")
    return path


def _places() -> list[str]:
    first = "corner harbour market station garden village castle bridge tower river".split()
    second = "shop depot stall".split()
    return [f"{one} {other}" for one in first for other in second]
