"""Answers that were decoded again, beside the stored ones: as text, and for `--json`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tuneproof.engine.core.plain_text import rewrite_line, sanitize

if TYPE_CHECKING:
    from tuneproof.engine.reproduce import Reproduced

SHOWN = 5
"""How many differing answers are shown with both texts; --json has all of them."""

DECODE_AS_THEN = "decode with the device and library versions of the run, which model.json names"
"""What to do about an answer that is another."""


def answer_document(each: Reproduced) -> dict[str, object]:
    """An answer for `--json`."""
    stored, again = each.stored, each.again
    return {
        "id": stored.id,
        "same": each.same,
        "output": again.text,
        "output_tokens": again.completion_tokens,
        "truncated": again.truncated,
        "stored": {"output": stored.output, "output_tokens": stored.output_tokens, "truncated": stored.truncated},
    }


def both_texts(each: Reproduced) -> str:
    """The answer of now and the stored one, below each other."""
    return "\n".join(
        f"{name}: {sanitize(text)}{' (cut off)' if cut else ''}"
        for name, text, cut in (("now   ", each.again.text, each.again.truncated), ("stored", each.stored.output, each.stored.truncated))
    )


class AnswerProgress:
    """Shows progress in one line of the terminal; prints nothing if stderr is not a terminal."""

    def __call__(self, done: int, of: int) -> None:
        if sys.stderr.isatty():
            rewrite_line("" if done == of else f"{done:,} of {of:,} answers ")
