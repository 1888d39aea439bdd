"""Stage 8: the card, made again from everything that is stored. Writes `card.json` and `card.md`."""

from __future__ import annotations

from tuneproof.engine.card.schema import CARD_JSON, CARD_MD
from tuneproof.engine.run.events import CardWritten
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.work import Work
from tuneproof.engine.stages.run_context import RunContext


def write_card(run: RunContext) -> bool:
    """Writes the card; it is never reused, so this returns False."""
    from tuneproof.engine.card.build import make_card
    from tuneproof.engine.card.markdown import card_text

    with working(run.log, Work.CARD):
        card = make_card(RunSnapshot(run.store))
        inputs = Inputs(steps=run.store.manifest.step_digests())
        run.store.write_step(StepId(StepKind.CARD), inputs, {CARD_JSON: card.as_text(), CARD_MD: card_text(card)})
    verdict = card.verdict
    run.log.emit(CardWritten(answer=verdict.answer, reason=verdict.reason, headline=verdict.headline), sync=True)
    return False
