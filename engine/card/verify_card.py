"""The card follows from what is stored: the same text from the version that wrote it, the same facts from an earlier one."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from tuneproof.engine.card.build import card_of
from tuneproof.engine.card.evidence import gather
from tuneproof.engine.card.markdown import card_text
from tuneproof.engine.card.schema import CARD_HTML, CARD_JSON, CARD_MD, Card
from tuneproof.engine.card.verify_page import page_follows
from tuneproof.engine.core.errors import VerifyFailed
from tuneproof.engine.core.sentence import facts_of
from tuneproof.engine.run.grading_rules import CURRENT_RULES
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.scoring.verdict_schema import RULES

BY_THE_RULES = {"verdict", "redrawn_route", "served", "comparison", "learning_curve"}
"""The sections of a card that state differences, which the rules decide."""

EVAL_SET_BY_THE_RULES = {"minimum_detectable_effect", "fewest_cases_for_target", "fewest_right_for_target"}
"""What the section about the eval set says can be shown, which the rules decide."""


def check_card(run: RunSnapshot) -> tuple[str | None, bool]:
    """Makes the card again. Returns another version that wrote it, and whether the verdict was computed anew.

    If the verdict was found by the rules of an earlier version, everything but what rests on these rules is compared. Raises VerifyFailed
    for a card that does not follow.
    """
    evidence = gather(run)
    card = card_of(evidence)
    stored = Card.model_validate_json(run.read(CARD_JSON))
    same_rules = stored.verdict.rules == RULES
    other_version = _other_version(run, card, same_rules=same_rules)
    if other_version is not None and stored.cost is None:
        # Earlier versions did not count it.
        card = card.model_copy(update={"cost": None})
    found, expected = facts_of(stored), facts_of(card)
    if not same_rules:
        found, expected = _without_rules(found), _without_rules(expected)
    if found != expected:
        raise VerifyFailed("the numbers do not follow from the stored files", where=CARD_JSON)
    if other_version is None:
        _check_text(CARD_JSON, follows=run.read(CARD_JSON) == card.as_text())
        _check_text(CARD_MD, follows=run.read(CARD_MD) == card_text(card))
        _check_text(CARD_HTML, follows=page_follows(run, card, evidence))
    return other_version, same_rules


def _check_text(name: str, *, follows: bool) -> None:
    if not follows:
        this = version("tuneproof")
        fix = f"restore the run from a copy; if another build of tuneproof {this} wrote the card, verify the run with that one"
        raise VerifyFailed("its numbers follow from the stored files, but its text is not what tuneproof writes", where=name, fix=fix)


def _without_rules(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of a card that no rule of the verdict decides."""
    kept = {name: section for name, section in facts.items() if name not in BY_THE_RULES}
    eval_set = kept.get("eval_set") or {}
    return {**kept, "eval_set": {name: value for name, value in eval_set.items() if name not in EVAL_SET_BY_THE_RULES}}


def _other_version(run: RunSnapshot, card: Card, *, same_rules: bool) -> str | None:
    """The version that wrote the card, if it is not this one. A card without a model does not say, but its manifest may be of version 1."""
    this = version("tuneproof")
    written_by = card.provenance.versions.get("tuneproof", this)
    if written_by != this:
        return written_by
    if run.manifest.version == 1:
        return "0.1.0"
    # What began under earlier rules was begun by an earlier build, which may have had the number of this one.
    is_earlier = run.grading_rules is not CURRENT_RULES
    return f"{written_by} (an earlier build)" if is_earlier else None if same_rules else written_by
