"""A run records the version of each package that grades its answers, so that `verify` can name one that differs."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest

from tuneproof.engine.case.task import Task
from tuneproof.engine.scoring.libraries import LIBRARIES, OF_DATES, OF_TEXTS, grading_libraries


@pytest.mark.parametrize(
    ("task", "packages"),
    [
        ({"output": {"kind": "json"}}, ()),
        ({"output": {"kind": "json"}, "compare": {"fields": {"note": "ignore", "tags": "set"}}}, ()),
        ({"output": {"kind": "text"}}, OF_TEXTS),
        ({"output": {"kind": "json"}, "compare": {"fields": {"note": "prose"}}}, OF_TEXTS),
        ({"output": {"kind": "json"}, "compare": {"fields": {"notes": {"set": {"items": "prose"}}}}}, OF_TEXTS),
        ({"output": {"kind": "json"}, "compare": {"fields": {"due": "date"}}}, OF_DATES),
        ({"output": {"kind": "tool_calls"}, "compare": {"default": {"date": {"first": "day"}}}}, OF_DATES),
    ],
)
def test_a_task_names_the_packages_that_its_rules_use(task: dict[str, Any], packages: tuple[str, ...]) -> None:
    assert grading_libraries(Task.model_validate(task)) == packages


def test_each_package_has_a_version_to_record() -> None:
    assert all(version(name) for name in LIBRARIES)
