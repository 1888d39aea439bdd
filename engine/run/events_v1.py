"""Events of format version 1 in today's form.

Version 1 had kinds of their own for the trainings of the learning curve (`point_…`), of the compared methods (`compared_…`), and for the
merged model. Every other kind reads as it is: without a `model`, it is about the tuned one.
"""

from __future__ import annotations

import math
from typing import Any

POINTS = {"point_started": "training_started", "point_stepped": "step_logged", "point_scored": "variant_scored"}
COMPARED = {
    "compared_started": "training_started",
    "compared_stepped": "step_logged",
    "compared_skipped": "training_skipped",
    "compared_scored": "variant_scored",
}
KINDS = frozenset([*POINTS, *COMPARED, "merged_scored"])

UNKNOWN: dict[str, dict[str, Any]] = {
    "training_started": {"method": "", "trained_parameters": 0, "all_parameters": 0},
    "step_logged": {"epoch": math.nan, "learning_rate": math.nan, "grad_norm": math.nan, "tokens_per_second": math.nan},
}
"""What version 1 did not store of these trainings."""


def translate(row: dict[str, Any]) -> dict[str, Any]:
    """The event in today's form. Raises ValueError if a field is missing that every event of its kind has."""
    kind = row["kind"]
    try:
        if kind == "merged_scored":
            return row | {"kind": "variant_scored", "model": "tuned_merged"}
        if kind in POINTS:
            now = POINTS[kind]
            fields = {"model": f"tuned_{row['share']}", **_without(row, "share", *(["examples"] if now == "variant_scored" else []))}
        else:
            now = COMPARED[kind]
            fields = {"model": f"tuned_{row['method']}", **_without(row, *([] if now == "training_started" else ["method"]))}
    except KeyError as missing:
        raise ValueError(f"{kind} without {missing}") from None
    return UNKNOWN.get(now, {}) | fields | {"kind": now}


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
