"""Stage 8: the card, made again from everything that is stored. Writes `card.json`, `card.md` and `card.html`."""

from __future__ import annotations

from tuneproof.engine.card.schema import CARD_HTML, CARD_JSON, CARD_MD
from tuneproof.engine.run.events import CardWritten
from tuneproof.engine.run.manifest import Inputs
from tuneproof.engine.run.reporting import working
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.step_id import StepId, StepKind
from tuneproof.engine.run.work import Work
from tuneproof.engine.stages.run_context import RunContext


def write_card(run: RunContext) -> bool:
    """Writes the card; it is never reused, so this returns False."""
    from tuneproof.engine.card.build import card_of
    from tuneproof.engine.card.evidence import gather
    from tuneproof.engine.card.markdown import card_text
    from tuneproof.engine.card.page.page import card_page

    with working(run.log, Work.CARD):
        evidence = gather(RunSnapshot(run.store))
        card = card_of(evidence)
        inputs = Inputs(steps=run.store.manifest.step_digests())
        written = {CARD_JSON: card.as_text(), CARD_MD: card_text(card), CARD_HTML: card_page(card, evidence)}
        run.store.write_step(StepId(StepKind.CARD), inputs, written)
    verdict = card.verdict
    run.log.emit(CardWritten(answer=verdict.answer, reason=verdict.reason, headline=verdict.headline), sync=True)
    return False
