"""The stages have the order of the documentation."""

from __future__ import annotations

from tuneproof.engine.core.stage import Stage


def test_a_stage_comes_after_all_that_it_builds_on() -> None:
    assert [stage.value for stage in sorted(Stage, key=lambda stage: stage.position)] == [
        "route",
        "audit",
        "split",
        "baselines",
        "method",
        "train",
        "evaluate",
        "card",
    ]
