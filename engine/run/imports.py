"""Importing the large libraries without Python's collector going through what they make again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def large_imports() -> Iterator[None]:
    """Holds the collector off while a library such as torch or TRL is imported, of which nothing is garbage.

    With it, a fifth of the time until training begins went to looking for garbage among classes and functions that stay for good.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def freeze_heap() -> None:
    """Takes what there is now for staying to the end, so that no later collection goes through it: to be called before the work begins."""
    gc.freeze()
