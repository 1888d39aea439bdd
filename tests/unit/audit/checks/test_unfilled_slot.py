"""Slots of a template in outputs are found, and code, links and lists are not taken for them."""

from __future__ import annotations

import pytest

from tests.unit.audit.checks.text_rows import notes

ASKED = "Where is my order?"


@pytest.mark.parametrize(
    "output",
    [
        "Your order {{Order Number}} is on its way.",
        "Dear [Your Name], thank you.",
        "Call [Company Phone Number] today.",
        "Dear [Customer's Name]",
        "Write to <insert address>.",
        "Best, [NAME]",
        "Meet me at the corner of {street_name}.",
    ],
)
def test_a_slot_that_nobody_filled_in_is_found(output: str) -> None:
    assert len(notes("unfilled-slot", ASKED, output)) == 1


@pytest.mark.parametrize(
    "output",
    [
        "[1, 2, 3]",
        "see [name](https://a.org)",
        "```jinja\n{{ user }}\n```",
        "{% if x %}{{ x }}{% endif %}",
        "[laughs] and then [inaudible]",
        "<div>{{ name }}</div>",
        "x = {{1, 2}, {3, 4}}",
        "[B-PER] [O] [O]",
        "it costs ${{price}}",
        "print(f'{user_name}')",
        "\\frac{a_b}{c}",
    ],
)
def test_code_links_and_lists_are_no_slots(output: str) -> None:
    assert notes("unfilled-slot", ASKED, output) == []


def test_a_slot_that_the_prompt_has_is_repeated_as_asked() -> None:
    assert notes("unfilled-slot", "Translate: Dear [Your Name]", "Lieber [Your Name]") == []


def test_a_slot_in_an_input_is_found() -> None:
    assert notes("unfilled-slot", "Where is order {{Order Number}}?") == ["input: {{Order Number}}"]
    assert notes("unfilled-slot", "Write a template with {{name}} in it.") == []
