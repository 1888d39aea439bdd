"""Asks for a stop while the handler of a signal does so too: `python -m tests.unit.run.stop_while_stopping`."""

from __future__ import annotations

import signal

from tuneproof.engine.run.stop import StopRequest


def main() -> None:
    stop = StopRequest()
    signal.signal(signal.SIGALRM, lambda *_: stop.request())
    signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
    for _ in range(200_000):
        stop.request()
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert stop.requested


if __name__ == "__main__":
    main()
