"""The card that a run folder has, as it is stored."""

from __future__ import annotations

from pydantic import ValidationError

from tuneproof.engine.card.schema import CARD_JSON, Card
from tuneproof.engine.core.errors import GateClosed, VerifyFailed
from tuneproof.engine.run.store import RunStore


def read_card(store: RunStore) -> Card:
    """The card of a run. Raises GateClosed if it has none yet, VerifyFailed if the file is none."""
    if not store.has(CARD_JSON):
        raise GateClosed("the run has no card yet", where=str(store.path), fix="finish it: tuneproof --replay with --resume")
    try:
        return Card.model_validate_json(store.read(CARD_JSON))
    except (ValidationError, UnicodeDecodeError):
        raise VerifyFailed("this is not a card", where=CARD_JSON) from None
