"""The first token at which two encodings of one prompt differ, shown with what stands before and after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tuneproof.engine.export.evidence import TokenDrift

BEFORE, AFTER = 5, 8
"""Tokens that are shown of both prompts, before the difference and from there on."""


def first_drift(case: str, measured: Sequence[int], served: Sequence[int], decode: Callable[[Sequence[int]], str]) -> TokenDrift | None:
    """Where the prompt of a case differs between measuring and serving; None if it is the same tokens.

    `decode` writes token ids as text, special tokens included.
    """
    at = next((at for at, (one, other) in enumerate(zip(measured, served, strict=False)) if one != other), min(len(measured), len(served)))
    if at == len(measured) == len(served):
        return None

    def shown(ids: Sequence[int]) -> str:
        return decode(ids[max(0, at - BEFORE) : at + AFTER])

    return TokenDrift(
        case=case,
        at=at,
        measured=shown(measured),
        served=shown(served),
        measured_token=measured[at] if at < len(measured) else None,
        served_token=served[at] if at < len(served) else None,
    )
