"""What every event of a run has, and where events go."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

VERSION = 2
"""The format version of the log. In version 1 the events of models besides the tuned one were kinds of their own (`events_v1`)."""


class Rate(BaseModel):
    """A proportion with its 95 % Wilson interval."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: float
    low: float
    high: float


class Event(BaseModel):
    """What every event has: format version, number in the log from 0, and time in seconds since 1970."""

    # JSON has no word for NaN and infinity: as null they could not be read back.
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")

    v: int = VERSION
    seq: int = -1
    # Up to the end of the year 9999: a time that no clock shows comes from no run.
    ts: float = Field(default=0.0, ge=0, le=253_402_300_799)


class EventSink(Protocol):
    """Whatever takes events: the log of a run, or what passes them on to it."""

    def emit(self, event: Event, *, sync: bool = False) -> None:
        """Takes one event; `sync` waits until it is on disk."""
