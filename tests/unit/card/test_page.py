"""The card as a page: one file that loads nothing, the same bytes each time, and text from data that stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.snapshots.record import FINISHED
from tuneproof.engine.card.build import card_of
from tuneproof.engine.card.evidence import Evidence, gather
from tuneproof.engine.card.markdown import arm_table, optional_sections
from tuneproof.engine.card.page.page import card_page
from tuneproof.engine.card.schema import CARD_HTML, Card
from tuneproof.engine.card.summary import VERIFY_HERE, summary_lines, verdict_sentence
from tuneproof.engine.card.verify_page import page_follows
from tuneproof.engine.run.snapshot import RunSnapshot
from tuneproof.engine.run.store import RunStore
from tuneproof.engine.scoring.measure import ScoredArm

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\u202e$x_1$ {{ 7 * 7 }}"
SECRET = "sk-proj-Zx81kQpLmN4vTrWbYcDfGh72JsUeAiOq90XyZ"


class Parsed(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return gather(RunSnapshot(RunStore(FINISHED)))


@pytest.fixture(scope="module")
def card(evidence: Evidence) -> Card:
    return card_of(evidence)


@pytest.fixture(scope="module")
def page(card: Card, evidence: Evidence) -> str:
    return card_page(card, evidence)


def answering(arm: ScoredArm, output: str) -> ScoredArm:
    """The arm with this answer to every case that it gets wrong."""
    return replace(arm, predictions=[p if p.correct else p.model_copy(update={"output": output}) for p in arm.predictions])


def test_the_page_loads_nothing_and_runs_nothing(page: str) -> None:
    elements = Parsed(page).elements
    assert not {tag for tag, _ in elements} & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    targets = [value for _, attributes in elements for name, value in attributes.items() if name in ("href", "src", "xlink:href")]
    assert targets and all(target is not None and target.startswith("#") for target in targets)
    assert not any(name.startswith("on") for _, attributes in elements for name in attributes)
    assert "@import" not in page and not re.search(r"url\((?!#)", page)
    assert "default-src 'none'" in page


def test_the_same_folder_gives_the_same_bytes(card: Card, evidence: Evidence, page: str) -> None:
    assert card_page(card, evidence) == page


def test_the_page_begins_with_the_summary(card: Card, page: str) -> None:
    text = Parsed(page).text.replace("\N{NO-BREAK SPACE}", " ")
    said = [verdict_sentence(card), *(line.text for line in summary_lines(card)), VERIFY_HERE, "Verdict", card.verdict.reason]
    places = [text.find(each, text.find("Evidence card")) for each in said]
    assert -1 not in places and places[:-2] == sorted(places[:-2]) and places[-1] > places[0]


def test_every_section_and_every_rate_of_the_card_is_on_the_page(card: Card, page: str) -> None:
    text = Parsed(page).text
    titles = ["Decision", "Data Shape", "Method", "Eval Set", "Risk", *(section.title for section in optional_sections(card))]
    assert all(f'<h2 id="{"-".join(title.casefold().split())}-title">{title}</h2>' in page for title in titles)
    assert all(cell in text for row in arm_table(card).rows for cell in row)
    assert all(digest in text for digest in card.provenance.steps.values())


def test_drawings_are_named_with_their_numbers_and_have_the_colours_of_the_page(card: Card, page: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 3
    for drawing in drawings:
        (head,) = [attributes for tag, attributes in Parsed(drawing).elements if tag == "svg"]
        assert head["role"] == "img" and re.search(r"\d", str(head["aria-label"]))
        assert not re.search(r"#[0-9a-fA-F]{6}\b", drawing) and "var(--ink)" in drawing
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names))
    assert all(f"{100 * arm.correct.rate:.1f}" in drawings[0] for arm in card.arms)


def test_text_from_data_stays_text(card: Card, evidence: Evidence) -> None:
    assert evidence.tuned is not None
    hostile = card.model_copy(update={"name": HOSTILE})
    made = card_page(hostile, replace(evidence, tuned=answering(evidence.tuned, HOSTILE)))
    parsed = Parsed(made)
    assert not {tag for tag, _ in parsed.elements} & {"script", "img"}
    assert made.count("&lt;script&gt;alert(1)") >= 2
    assert "\x1b" not in made and "\u202e" not in made
    assert "$x_1$ {{ 7 * 7 }}" in parsed.text


def test_secrets_in_answers_are_masked_and_long_answers_folded(card: Card, evidence: Evidence) -> None:
    assert evidence.tuned is not None
    made = card_page(card, replace(evidence, tuned=answering(evidence.tuned, f"{SECRET} {'word ' * 400}")))
    assert SECRET not in made and SECRET[8:24] not in made
    assert '<details class="text">' in made


def test_a_changed_page_does_not_follow(card: Card, evidence: Evidence, page: str) -> None:
    class Changed(RunSnapshot):
        """The run with another page."""

        def __init__(self, page: str) -> None:
            super().__init__(RunStore(FINISHED))
            self._texts[CARD_HTML] = page

    def follows(changed: str) -> bool:
        return page_follows(Changed(changed), card, evidence)

    other_matplotlib = re.sub(r"matplotlib [\d.]+", "matplotlib 3.10.0", page, count=1)
    drawn_otherwise = re.sub(r"<path ", '<path stroke-linecap="round" ', other_matplotlib, count=1)
    assert follows(page) and follows(drawn_otherwise)
    assert not follows(page.replace("93.8", "99.9", 1))
    assert not follows(drawn_otherwise.replace("93.8 % [", "99.9 % [", 1))
