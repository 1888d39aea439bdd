"""A trace fits 80 columns, whatever the row is, and folds what is long."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tuneproof.engine.models.token_fault import FoundFault, TokenFault
from tuneproof.engine.trace.report import (
    AnswerPosition,
    Attended,
    Attention,
    ContextUse,
    NextToken,
    NextTokens,
    TokenAttention,
    TracedAnswer,
    TracedRow,
    TracedToken,
    TraceReport,
)
from tuneproof.tui.trace_text import trace_text

TEXTS = {
    "long": "a" * 900,
    "wide": "東京は晴れ " * 90,
    "lines": "one\n" * 100,
    "escape": "\x1b[31mred\x1b[0m " * 60,
    "joined": "👩‍👩‍👧 " * 40,
}


def report_on(text: str, answer_tokens: int = 60) -> TraceReport:
    """A trace of a row whose every text is the same."""
    expects = NextTokens(likeliest=[NextToken(id=at, text=text[:30], probability=0.2) for at in range(5)], expected=0.2, rank=7)
    tokens = [
        TracedToken(position=at + 1, id=at, text=text[at : at + 3] or text[:3], special=False, in_loss=at >= 400)
        for at in range(400 + answer_tokens)
    ]
    positions = [AnswerPosition(position=401 + at, base=expects, tuned=expects) for at in range(answer_tokens)]
    attended = [Attended(position=at + 1, last_layer=0.1, all_layers=0.05) for at in range(10)]
    answer = TracedAnswer(
        arm="tuned", tuned=True, stored=True, output=text, prompt_tokens=400, output_tokens=9, decoded=["greedy"], format_valid=False,
        correct=False, failure_class=None, fields=[], reason=f"fails: {text}",
    )  # fmt: skip
    attention = Attention(model="the base", layers=4, heads=6, tokens=[TokenAttention(position=401, attended=attended)])
    return TraceReport(
        row=TracedRow(number=1, case_id=None, part=None, place="rows.jsonl:1", request=text, system=text, history=[text], expected=text),
        base=text[:60], tuned=text[:200], own_template=False, prompt=text, answer=text, tokens=tokens,
        context=ContextUse(prompt_tokens=400, answer_tokens=answer_tokens, limit=200, limit_is="the context of the base", answer_room=9),
        positions=positions, attention=attention,
        answers=[answer], faults=[FoundFault(TokenFault.SPECIAL_IN_TEXT, True, text, text)],
    )  # fmt: skip


@pytest.mark.parametrize("kind", TEXTS)
def test_no_line_is_wider_than_80_columns_or_has_a_control_character(kind: str) -> None:
    report = report_on(TEXTS[kind], answer_tokens=8)
    for shown in (trace_text(report, None, whole=False), trace_text(report, 401, whole=True)):
        assert max(cell_len(line) for line in shown.split("\n")) <= 80
        assert "\x1b" not in shown


def test_long_texts_are_folded_unless_all_is_wanted() -> None:
    report = report_on("word " * 600)
    folded, whole = (trace_text(report, None, whole=whole) for whole in (False, True))
    assert "(--all shows them)" in folded
    assert "(--all shows them)" not in whole
    assert len(folded) < len(whole) / 2
