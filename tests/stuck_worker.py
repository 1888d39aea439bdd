"""A worker that is in something that never ends: `python -m tests.stuck_worker pattern|template RUN_DIR --until STAGE`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

from jinja2.sandbox import ImmutableSandboxedEnvironment

from tuneproof.engine import worker
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.event_log import EventLog
from tuneproof.engine.run.events import StageStarted
from tuneproof.engine.stages import pipeline

LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}{% set c = a * b %}{% endfor %}{% endfor %}"


def match_forever() -> None:
    re.match(r"(a+)+$", "a" * 60 + "b")


def render_forever() -> None:
    try:
        ImmutableSandboxedEnvironment().from_string(LOOPS).render()
    except Exception as error:
        # As a row that a template refuses.
        raise AssertionError("a stop was taken for a refusal of the template") from error


STUCK: dict[str, Callable[[], None]] = {"pattern": match_forever, "template": render_forever}


def main() -> None:
    stuck = STUCK[sys.argv.pop(1)]

    def run_stages(_: object, log: EventLog, *__: object) -> None:
        log.emit(StageStarted(stage=Stage.AUDIT))
        stuck()

    setattr(pipeline, "run_stages", run_stages)  # noqa: B010  it takes any arguments, which its type does not say
    worker.main()


if __name__ == "__main__":
    main()
