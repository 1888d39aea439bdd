"""The audit of the data: every check in its own file; importing them registers them, in the order in which they run."""

from __future__ import annotations

from importlib import import_module

for _name in ("unreadable", "format", "duplicates", "leakage", "context"):
    import_module(f"{__name__}.{_name}")
