"""The page as text, from the card and from the files that it was made of: the same folder always gives the same bytes."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from tuneproof.engine.card.evidence import Evidence
from tuneproof.engine.card.page.sections import arms_plot, page_sections
from tuneproof.engine.card.schema import Card
from tuneproof.engine.card.summary import VERIFY_HERE, summary_lines, verdict_sentence
from tuneproof.engine.core.plain_text import sanitize
from tuneproof.engine.scoring.rule import VerdictAnswer

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE, STYLE = "card.html.jinja", "card.css"

SIGNS = {
    VerdictAnswer.TUNE: "✓",
    VerdictAnswer.REPLACE: "✓",
    VerdictAnswer.DO_NOT_TUNE: "✗",
    VerdictAnswer.DO_NOT_REPLACE: "✗",
    VerdictAnswer.INCONCLUSIVE: "?",
}
"""What stands before the verdict, so that it is told at a glance and without colour."""

DRAWN_WITH = ("tuneproof", "matplotlib", "jinja2")

FOLDED_FROM = 600
"""Characters from which a text of the data is folded away after its beginning."""

_CODE = re.compile(r"`([^`\n]+)`")
_KEPT_TOGETHER = re.compile(r"(?<=\bp) (?=[=&])|(?<=[=;]) (?=\d)|(?<=\d) (?=%)|(?<=\d,) (?=[+-]?[\d.]+\])")
"""Spaces at which a line must not end: in `p = 0.04`, in `12 %`, and in `[0.1, 0.3]`."""


def card_page(card: Card, evidence: Evidence) -> str:
    """The content of `card.html`."""
    return _template().render(
        card=card,
        sentence=verdict_sentence(card),
        sign=SIGNS[card.verdict.answer],
        summary=summary_lines(card),
        verify_here=VERIFY_HERE,
        arms=arms_plot(card, evidence),
        sections=page_sections(card, evidence),
        style=Markup((_folder() / STYLE).read_text(encoding="utf-8")),
        generator=", ".join(f"{name} {version(name)}" for name in DRAWN_WITH),
        folded_from=FOLDED_FROM,
    )


def _folder() -> Path:
    return Path(__file__).parent


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_plain,
    )
    environment.filters["code"] = _with_code
    return environment.get_template(TEMPLATE)


def _plain(value: object) -> object:
    """Whatever is put into the page, without control characters and those that reorder text; what is markup already stays."""
    return value if isinstance(value, Markup) else sanitize(str(value))


def _with_code(text: str) -> Markup:
    """A sentence whose names between backticks are set as code."""
    escaped = _KEPT_TOGETHER.sub("\N{NO-BREAK SPACE}", str(escape(sanitize(text))))
    return Markup(_CODE.sub(r"<code>\1</code>", escaped))
