"""What every event of a run has, and the rate that several of them tell."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict

VERSION = 1


class Rate(BaseModel):
    """A proportion with its 95 % Wilson interval."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: float
    low: float
    high: float


class Event(BaseModel):
    """What every event has: format version, place in the log from 0, and seconds since 1970."""

    # JSON has no word for a float that is no number: as a string it is written and read back, as null it would not be read.
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")

    v: int = VERSION
    seq: int = -1
    ts: float = 0.0


class Teller(Protocol):
    """Whatever takes events: the log of a run, or what stands between it and the one who tells."""

    def emit(self, event: Event, *, sync: bool = False) -> None:
        """Takes one event."""
