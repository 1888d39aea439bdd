"""The end of the time for some answers."""

from __future__ import annotations

import pytest

from tuneproof.engine.core.errors import Interrupted
from tuneproof.engine.run.stop import StopRequest
from tuneproof.engine.stages.timed import OutOfTime, TimedStop


def test_the_clock_begins_with_the_first_pass_and_what_was_spent_is_told() -> None:
    timed = TimedStop(StopRequest(), 0.0)
    timed.check()
    with pytest.raises(OutOfTime) as spent:
        while True:
            timed.check()
    assert 0 < spent.value.seconds < 10


def test_a_request_to_stop_the_run_comes_first() -> None:
    stop = StopRequest()
    timed = TimedStop(stop, 0.0)
    stop.request()
    with pytest.raises(Interrupted):
        timed.check()
