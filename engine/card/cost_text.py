"""The section Cost as text: what was spent, the table of the arms, and what the figures do not say."""

from __future__ import annotations

from tuneproof.engine.arms.arm import PRICED_REQUESTS
from tuneproof.engine.card.cost import CostSection, Device, RequestCost, seconds_text, spent_text

TABLE_HEAD = ("for 1,000 requests", "prompt tokens", "new tokens", "seconds", "USD")

MEASURED = (
    "Seconds and tokens are means over the eval cases. The seconds were measured once, while this machine answered the cases in batches: a "
    "server under load, or one request at a time, takes others."
)
NOT_COUNTED = (
    "Not counted: labels, people's time, the audit, loading weights, and the answers to validation cases that choose a prompt. What a run "
    "dropped, because its settings were changed, is not counted either."
)


def cost_lines(section: CostSection) -> list[str]:
    """Everything in the section but its table, as lines."""
    lines = [f"{each.on}: {spent_text(each, section.device)}" for each in section.spent]
    if section.device is Device.CPU and any(each.hours for each in section.spent):
        lines.append("A CPU-hour is an hour of all cores of the machine.")
    lines += _token_lines(section)
    if section.break_even is not None and section.break_even.is_known and not section.break_even.in_usd:
        lines.append("The break-even compares device time as it was measured; at the same price per hour it is the same in money.")
    if any(each.is_external for each in section.requests):
        lines.append(
            "Where a server answers, seconds are those of waiting, several requests at a time; its tokens are those of its own tokenizer."
        )
    return [*lines, MEASURED, NOT_COUNTED]


def cost_table(section: CostSection) -> list[tuple[str, ...]]:
    """A row for each arm under `TABLE_HEAD`: what 1,000 requests take."""
    return [_row(each) for each in section.requests]


def _row(each: RequestCost) -> tuple[str, ...]:
    return (
        each.arm,
        _count(each.prompt_tokens),
        _count(each.new_tokens),
        seconds_text(each.seconds * PRICED_REQUESTS),
        "–" if each.usd_per_1000 is None else f"{each.usd_per_1000:.4g}",
    )


def _count(mean: float | None) -> str:
    return "–" if mean is None else f"{mean * PRICED_REQUESTS:,.0f}"


def _token_lines(section: CostSection) -> list[str]:
    even, tokens = section.break_even, section.trained_tokens
    if tokens is None:
        return []
    line = f"The training read about {tokens:,} tokens"
    if even is None or even.by_tokens is None:
        return [f"{line}."]
    return [
        f"{line}; {even.by_tokens:,} requests have as many fewer in their prompts than with {even.against} ({even.fewer_prompt_tokens:.0f} "
        "each). A token costs about three times as much in training, because of the backward pass (Kaplan et al. 2020, 2.1)."
    ]
