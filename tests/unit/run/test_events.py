"""An event says all that a screen needs to show of it."""

from __future__ import annotations

from tuneproof.engine.core.errors import DataRefused, OutOfMemory, ShapeUnknown
from tuneproof.engine.run.events import Failed


def test_a_failure_says_what_is_wrong_where_and_what_to_do() -> None:
    error = OutOfMemory("out of memory", where="/run", fix="free memory")
    failed = Failed.of(error)
    assert (failed.what, failed.where, failed.fix, failed.exit_code) == ("out of memory", "/run", "free memory", 4)
    assert failed.problem == "/run: out of memory" and failed.message == str(error)


def test_a_failure_is_known_by_the_class_of_its_error() -> None:
    failed = Failed.of(ShapeUnknown("no shape has the keys a, b"))
    assert failed.is_a(ShapeUnknown) and not failed.is_a(DataRefused)


def test_a_failure_of_an_older_log_shows_its_whole_message() -> None:
    assert Failed(exit_code=4, message="/run: out of memory; free memory").problem == "/run: out of memory; free memory"
