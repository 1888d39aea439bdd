"""Every check in its own file; importing this package registers them, in the order in which they run."""

from __future__ import annotations

from importlib import import_module

# What takes rows out comes first, so that later checks see what is left.
_UNUSABLE = ("unreadable", "encoding", "mixed_shapes", "turns", "context")
_MEASURE = ("format", "duplicates", "leakage", "near_duplicates")
_PARTS = ("group_leakage", "template_leakage", "answer_in_prompt")
_LABELS = ("labels", "label_errors")
_PRIVATE = ("secrets", "private_data")
_TEXT = ("placeholders", "characters", "mojibake", "chat_tokens", "outputs", "repetition", "json_style", "languages")

for _name in (*_UNUSABLE, *_MEASURE, *_PARTS, *_LABELS):
    import_module(f"{__name__}.{_name}")
for _name in _PRIVATE:
    import_module(f"tuneproof.engine.audit.pii.{_name}")
for _name in _TEXT:
    import_module(f"{__name__}.{_name}")
