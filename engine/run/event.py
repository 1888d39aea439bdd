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

    def describe(self) -> str:
        """The rate with its interval, such as `42 % [32–52]`."""
        return f"{whole_percent(self.rate)} {self.describe_interval()}"

    def describe_interval(self) -> str:
        """The interval alone, such as `[32–52]`."""
        return f"[{100 * self.low:.0f}–{100 * self.high:.0f}]"


def whole_percent(share: float) -> str:
    """A share as a whole percentage; only exactly 0 and 1 are shown as 0 % and 100 %."""
    rounded = round(100 * share)
    if rounded == 100 and share < 1:
        rounded = 99
    if rounded == 0 and share > 0:
        rounded = 1
    return f"{rounded} %"


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
