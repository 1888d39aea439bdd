"""What changed since the run before: which values of the case, and by how much the arm that counts became better or worse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tuneproof.engine.card.evidence import Evidence, gather
from tuneproof.engine.card.schema import CARD_JSON, Card
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import TuneproofError
from tuneproof.engine.data.split import Part
from tuneproof.engine.run.predecessor import predecessor_of
from tuneproof.engine.run.store import RunStore, part_file
from tuneproof.engine.scoring.measure import ScoredArm
from tuneproof.engine.scoring.verdict_schema import PairedDifference
from tuneproof.engine.scoring.verdict_text import format_points

LONGEST = 40
"""Characters of a value that a change shows."""


@dataclass(frozen=True)
class SinceLast:
    """A run beside the one that it follows."""

    run: str
    """The name of the run before."""
    changes: list[str]
    arms: tuple[str, str] | None
    """The arm that counts, then and now; None if one of the runs has no card yet."""
    difference: PairedDifference | None
    """Now minus then on the same frozen cases; None if the eval sets differ, or if there is nothing to compare."""

    def describe(self) -> list[str]:
        """The comparison in a few lines."""
        changed = "; ".join(self.changes) or "nothing in the case"
        lines = [f"Since {self.run} this changed: {changed}."]
        if self.arms is None:
            return [*lines, f"{self.run} has no card to compare with."]
        then, now = self.arms
        if self.difference is None:
            return [*lines, "The eval sets differ, so the scores of the two runs do not compare."]
        doubt = "" if self.difference.excludes_zero else " (the interval contains zero: it may be luck)"
        return [*lines, f"{now} now, minus {then} then, on the same frozen cases: {format_points(self.difference)}{doubt}."]


def since_last(store: RunStore) -> SinceLast | None:
    """The run beside its predecessor; None if it has none that can be read."""
    earlier = predecessor_of(store)
    if earlier is None:
        return None
    try:
        changes = list(_changes(earlier.case, store.case))
        now, then = _arm_that_counts(store), _arm_that_counts(earlier)
        if now is None or then is None:
            return SinceLast(earlier.path.name, changes, None, None)
        (evidence, arm), (_, arm_then) = now, then
        is_same = store.digest(part_file(Part.EVAL)) == earlier.digest(part_file(Part.EVAL))
        difference = evidence.measure.difference(arm, arm_then) if is_same and evidence.measure else None
    except (TuneproofError, OSError, ValueError):
        return None
    return SinceLast(earlier.path.name, changes, (arm_then.name, arm.name), difference)


def _arm_that_counts(store: RunStore) -> tuple[Evidence, ScoredArm] | None:
    """The tuned arm of a run with a card, or else its best untuned one."""
    if not store.has(CARD_JSON):
        return None
    card, evidence = Card.model_validate_json(store.read(CARD_JSON)), gather(store)
    if evidence.tuned is not None:
        return evidence, evidence.tuned
    best = next((arm for arm in evidence.untuned if arm.name == card.verdict.best_untuned_arm), None)
    return None if best is None else (evidence, best)


def _changes(then: Case, now: Case) -> Iterator[str]:
    before, after = (dict(_leaves(case.model_dump(mode="json", by_alias=True))) for case in (then, now))
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield f"{key}: {_short(before.get(key))} → {_short(after.get(key))}"


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    else:
        yield key, value


def _short(value: Any) -> str:
    text = "default" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
