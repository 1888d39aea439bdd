"""What the card says first."""

from __future__ import annotations

import pytest

from tests.snapshots.record import FINISHED
from tuneproof.engine.card.markdown import card_text
from tuneproof.engine.card.merged_model import MergeOutcome
from tuneproof.engine.card.schema import CARD_JSON, Card
from tuneproof.engine.card.summary import SummaryTitle, summary_lines, what_next
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.rule import TargetStatus


@pytest.fixture(scope="module")
def card() -> Card:
    return Card.model_validate_json(RunStore(FINISHED).read(CARD_JSON))


def test_ten_lines_say_it_all_and_everything_else_is_under_headings(card: Card) -> None:
    first, _, rest = card_text(card).partition("\n## ")
    lines = [line for line in first.splitlines() if line]
    assert lines[0].startswith("# support-tickets: tune: better than prompting")
    assert len(lines) == 9 and lines[-1] == "- **Check it:** `tuneproof verify .`, in this folder"
    assert [line.title for line in summary_lines(card)] == list(SummaryTitle)
    assert card.verdict.reason in rest and all(risk in rest for risk in card.risk.items)


def test_a_card_of_an_earlier_version_says_whether_it_is_good_enough(card: Card) -> None:
    verdict = card.verdict.model_copy(update={"good_enough": "", "target": TargetStatus.NOT_MET})
    (line,) = [line for line in summary_lines(card.model_copy(update={"verdict": verdict})) if line.title is SummaryTitle.GOOD_ENOUGH]
    assert line.text == "No."


def test_a_merged_model_that_is_worse_is_not_recommended(card: Card) -> None:
    assert card.served is not None
    worse = card.model_copy(update={"served": card.served.model_copy(update={"outcome": MergeOutcome.WORSE})})
    assert what_next(card).startswith("Serve the tuned model, merged or as an adapter.")
    assert what_next(worse).startswith("Serve the adapter on the base that it was trained on.")
