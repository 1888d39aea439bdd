"""A typed file of a run is read again after it has changed, and not otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.session.tickets import CASE
from tuneproof.engine.case.route import Route
from tuneproof.engine.run.artifacts import ROUTE, RouteFacts
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.session.cached_reader import CachedReader


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """A run of the case, with nothing done yet."""
    return RunStore.create(tmp_path / "run", CASE)


def test_a_file_that_is_not_there_is_none(store: RunStore) -> None:
    assert CachedReader().read(store, ROUTE, RouteFacts) is None and CachedReader().read(None, ROUTE, RouteFacts) is None


def test_a_file_is_read_again_after_it_has_changed(store: RunStore) -> None:
    reader = CachedReader()
    for examples in (1, 20):
        facts = RouteFacts(route=Route.FINE_TUNING, labeled_examples=examples)
        store.write(ROUTE, facts.as_text())
        assert reader.read(store, ROUTE, RouteFacts) == facts


def test_a_file_that_has_not_changed_is_not_read_again(store: RunStore) -> None:
    reader = CachedReader()
    store.write(ROUTE, RouteFacts(route=Route.FINE_TUNING, labeled_examples=1).as_text())
    assert reader.read(store, ROUTE, RouteFacts) is reader.read(store, ROUTE, RouteFacts)
