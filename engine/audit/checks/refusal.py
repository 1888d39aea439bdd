"""Check: outputs that decline to answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.scoring.grade import REFUSAL_PATTERN

_HINTS = ("as an ai", "can't", "cannot", "can not", "unable", "able to", "won't")

_CANNOT = r"\bi(?:'m| am)? (?:can(?:no|')t|can not|won't|unable to|not able to|won't be able to)"
_DECLINES = re.compile(
    r"\bas an ai(?: language)?(?: model| assistant| system| chatbot)?[,.;]|\bas an ai(?: language)? (?:model|assistant)\b"
    rf"|{_CANNOT} (?:fully )?(?:help (?:you|with|in)|assist|comply|fulfil\w*|answer (?:that|this|your)"
    r"|provide (?:that|this|you|any|info|assist)|do (?:that|this)"
    r"|(?:create|generate|produce|write|discuss|share|offer|support) (?:that|this|any|content|explicit|such))\b"
    rf"|\bsorry\b.{{0,40}}{_CANNOT}(?: help)?[.!]?\s*\Z"
)
"""A refusal. An answer that apologises, or says "I can't wait", is not one."""


@check("refusal", severity=Severity.WARN)
def refusals(table: Table) -> Iterator[Finding]:
    """Outputs that decline to answer, such as "I'm sorry, but I can't help with that" or "As an AI language model".

    They come from data that another model wrote, and teach the model to decline. An apology inside an answer does not count.
    """
    rows = tuple(FlaggedRow(e.source, note=found) for e in chain(table.examples, table.eval) if (found := _refusal(e.output)))
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'output declines', 'outputs decline')} to answer",
            "write the answers; keep a row if declining is right; or leave these rows out",
            rows,
        )


def _refusal(output: str) -> str:
    """The words of the refusal; empty if the output is an answer."""
    # A refusal has several words.
    if " " not in output:
        return ""
    text = output.replace("\u2019", "'").lower()
    if not any(hint in text for hint in _HINTS) or not REFUSAL_PATTERN.search(text):
        return ""
    match = _DECLINES.search(text)
    return output[match.start() : match.start() + 80].strip() if match else ""
