"""What training with the chosen method takes beside full fine-tuning, before anything is begun: memory, disk, time and money."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tuneproof.engine.card.plan_text import duration_text, gb
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run.artifacts import PlannedFacts
from tuneproof.engine.session.forecasts import MethodRow

BYTES = 4
"""Trained weights are kept in float32, as transformers' Trainer and PEFT keep them, and stored so."""

FORWARD, BACKWARD_INPUTS, BACKWARD_WEIGHTS = 2, 2, 2
"""Operations for each parameter and token (Kaplan et al. 2020, section 2.1). Where the base is frozen, its weights have no gradient."""

UNKNOWN = "–"


@dataclass(frozen=True)
class SideBySide:
    """A table of two methods, and why one of them is cheaper."""

    names: tuple[str, str]
    rows: list[tuple[str, str, str]]
    why: str

    def lines(self) -> list[str]:
        """The table as aligned text."""
        table = [("", *self.names), *self.rows]
        first, second = (max(len(row[column]) for row in table) for column in (0, 1))
        return [f"{name:<{first}}  {here:<{second}}  {there}".rstrip() for name, here, there in table]


def side_by_side(chosen: MethodRow, full: MethodRow, planned: PlannedFacts | None) -> SideBySide | None:
    """The chosen method beside full fine-tuning; None as long as it is not counted what they train.

    `planned` has what a trial step of the chosen method measured, once there was one. The time of the other is estimated from it.
    """
    if chosen.trained is None or full.trained is None:
        return None
    rows = [
        ("trained parameters", _parameters(chosen), _parameters(full)),
        ("memory, predicted", _memory(chosen), _memory(full)),
        ("  of it gradients and optimizer", _state(chosen), _state(full)),
        ("disk of the run, predicted", _disk(chosen), _disk(full)),
        ("what is stored of it", gb(BYTES * chosen.trained), gb(BYTES * full.trained)),
        ("time of a step", *_steps(chosen, planned)),
        ("time in all", *_hours(chosen, planned)),
        ("money", *_money(chosen, planned)),
    ]
    return SideBySide((chosen.method.name, f"{full.method.name} fine-tuning"), rows, _why(chosen, full))


def _parameters(row: MethodRow) -> str:
    share = "" if row.share is None else f" ({_percent(row.share)})"
    return f"{row.trained:,}{share}"


def _memory(row: MethodRow) -> str:
    if row.forecast is None:
        return UNKNOWN
    return gb(row.forecast.memory.total) + ("" if row.forecast.fits_memory else ", does not fit")


def _disk(row: MethodRow) -> str:
    if row.forecast is None or row.forecast.disk is None:
        return UNKNOWN
    return gb(row.forecast.disk.total) + ("" if row.forecast.needs.has_disk else ", does not fit")


def _state(row: MethodRow) -> str:
    return UNKNOWN if row.forecast is None else gb(row.forecast.memory.gradients + row.forecast.memory.optimizer)


def _steps(chosen: MethodRow, planned: PlannedFacts | None) -> tuple[str, str]:
    measured = planned.measured if planned else None
    if measured is None:
        return "p measures it", UNKNOWN
    return f"{measured.usual_seconds:.3g} s, measured", f"about {measured.usual_seconds * _times_as_long(chosen):.3g} s, estimated"


def _hours(chosen: MethodRow, planned: PlannedFacts | None) -> tuple[str, str]:
    hours = planned.hours if planned else None
    return ("p measures it", UNKNOWN) if hours is None else (duration_text(hours), f"about {duration_text(hours * _times_as_long(chosen))}")


def _money(chosen: MethodRow, planned: PlannedFacts | None) -> tuple[str, str]:
    usd = planned.usd if planned else None
    if usd is None:
        return "no price given", "(budget.usd_per_gpu_hour)"
    return f"{usd:.2f} USD", f"about {usd * _times_as_long(chosen):.2f} USD"


def _times_as_long(chosen: MethodRow) -> float:
    """How many times as long a step of full fine-tuning takes by its arithmetic."""
    whole = FORWARD + BACKWARD_INPUTS + BACKWARD_WEIGHTS
    frozen = METHODS[chosen.method.name].peft_class is not None
    return whole / (whole - BACKWARD_WEIGHTS) if frozen else 1.0


def _percent(share: float) -> str:
    """A share to two digits that count: 10 %, 3.5 %, 0.12 %."""
    return f"{100 * share:.{max(0, 1 - math.floor(math.log10(100 * share)))}f} %" if share else "0 %"


def _why(chosen: MethodRow, full: MethodRow) -> str:
    if chosen.method.name == full.method.name:
        return "Full fine-tuning keeps a gradient and two moments of the optimizer for every weight: three times the weights, in float32."
    share = "" if chosen.share is None else f", {_percent(chosen.share)} of the weights"
    saved = ""
    if chosen.forecast is not None and full.forecast is not None:
        saved = f": {_state(chosen)} in place of {_state(full)}"
    return (
        f"{chosen.method.name} is cheaper because gradients and the optimizer's state are kept only for what it trains{share}{saved}. "
        "The base stays as it is, so it needs no gradient of its own, and can be held in 16, 8 or 4 bits."
    )
