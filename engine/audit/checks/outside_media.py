"""Check: prompts that need an image or a page that the model does not get."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tuneproof.engine.audit.registry import Finding, FlaggedRow, Severity, check
from tuneproof.engine.audit.table import Table
from tuneproof.engine.audit.text.outside_media import outside_media
from tuneproof.engine.audit.wording import plural
from tuneproof.engine.data.example import prompt_text


@check("outside-media", severity=Severity.WARN)
def prompts_without_their_media(table: Table) -> Iterator[Finding]:
    """Prompts about an image, a file or a page behind a link that is not in the prompt: the model learns to invent what it cannot see.

    A mark such as "<image>" counts, words such as "the attached picture", and a link that the prompt asks to read or summarise with few
    words besides.
    """
    rows = tuple(
        FlaggedRow(e.source, note=f"prompt: {needed[:80]}")
        for e in chain(table.examples, table.eval)
        if (needed := outside_media(prompt_text(e)))
    )
    if rows:
        yield Finding(
            f"{len(rows)} {plural(len(rows), 'prompt needs', 'prompts need')} an image, a file or a page that the model does not get",
            "put its text into the prompt, or leave these rows out",
            rows,
        )
