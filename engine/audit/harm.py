"""The order of findings: what harms most comes first."""

from __future__ import annotations

from enum import IntEnum


class Harm(IntEnum):
    """What a finding does if nothing is done about it, the worst first."""

    SCORE = 0
    """The score says something that is not so."""
    PERSONS = 1
    """Somebody's data or keys end up in a model."""
    ROWS = 2
    """Rows are not what they seem, or are lost."""
    BEHAVIOUR = 3
    """The model learns something wrong."""
    WASTE = 4
    """Rows cost time and teach nothing."""
    FORM = 5
    """The model learns a form that somebody may not want."""


_CHECKS: dict[Harm, tuple[str, ...]] = {
    Harm.SCORE: (
        "leakage", "near-leakage", "near-incomplete", "split-groups", "group-leakage", "label-shares", "known-outputs", "template-leakage",
        "unseen-label", "common-requests",
    ),
    Harm.PERSONS: ("secret", "private-data"),
    Harm.ROWS: (
        "not-read", "named-parts", "swallowed-lines", "renamed-columns",
        "by-hand", "no-such-row", "unreadable", "empty", "encoding", "mixed-shapes",
        "turns", "not-to-learn", "answered-twice", "skipped-turns", "turn-order", "empty-turn", "context", "context-train", "format",
        "mojibake", "unused-keys", "unknown-keys",
    ),
    Harm.BEHAVIOUR: (
        "preferences", "annotators",
        "conflict", "near-conflict", "label-variants", "label-error", "second-task", "unfilled-slot", "outside-media", "placeholder",
        "refusal", "echo", "empty-on-purpose", "answer-in-prompt", "rare-label", "imbalance", "repetition", "chat-tokens",
    ),
    Harm.WASTE: ("duplicate", "near-duplicate", "boilerplate"),
    Harm.FORM: ("html-entities", "control-characters", "json-style", "outer-white-space", "script"),
}  # fmt: skip

_HARM = {check: harm for harm, checks in _CHECKS.items() for check in checks}


def harm_of(check: str) -> Harm:
    """What the findings of a check do. Raises KeyError for a check that has no place in the order."""
    return _HARM[check]
