"""The checks, one file each, named after the check. Importing this package registers them in the order in which they run."""

from __future__ import annotations

from importlib import import_module

from tuneproof.engine.audit.registry import CHECKS as CHECKS

SPLIT_GROUPS = "split-groups"
"""The check whose findings depend on how the case keeps rows together in the split."""

# Checks that take rows out come first, so that later checks see what is left.
CHOSEN = ("by-hand", "no-such-row")
BROKEN = ("unreadable", "empty", "encoding", "mixed-shapes", "turns", "not-to-learn", "answered-twice")
UNUSABLE = ("turn-order", "empty-turn", "context", "context-train", "format")
READ = ("not-read", "named-parts", "swallowed-lines", "renamed-columns")
HOW_READ = ("preferences", "annotators", "skipped-turns", "unused-keys", "unknown-keys")
SENSITIVE = ("private-data", "secret")
REPEATED = (
    "conflict",
    "duplicate",
    "leakage",
    "common-requests",
    "near-leakage",
    "near-incomplete",
    "near-duplicate",
    "near-conflict",
    "boilerplate",
)
RELATED = (SPLIT_GROUPS, "group-leakage", "template-leakage", "known-outputs", "answer-in-prompt")
LABELS = ("label-variants", "rare-label", "imbalance", "unseen-label", "label-shares", "label-error")
TEXT = ("placeholder", "html-entities", "control-characters", "outer-white-space", "mojibake", "chat-tokens")
ASKED = ("unfilled-slot", "second-task", "outside-media")
OUTPUTS = ("refusal", "echo", "empty-on-purpose", "repetition", "json-style", "script")

for _name in (*CHOSEN, *BROKEN, *UNUSABLE, *READ, *HOW_READ, *SENSITIVE, *REPEATED, *RELATED, *LABELS, *TEXT, *ASKED, *OUTPUTS):
    import_module(f"{__name__}.{_name.replace('-', '_')}")
