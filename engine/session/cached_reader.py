"""Reading the typed files of a run folder again only after they have changed: screens ask for them at every event."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar, cast

from pydantic import BaseModel

from tuneproof.engine.run.store import RunStore

Stored = TypeVar("Stored", bound=BaseModel)


class CachedReader:
    """Keeps the last content of every file that was read, with the time and the size it had."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[tuple[int, int], BaseModel]] = {}

    def read(self, store: RunStore | None, name: str, model: type[Stored]) -> Stored | None:
        """The file as its type; None if there is no run, or no such file yet, or nothing of this type in it."""
        if store is None or not store.has(name):
            return None
        path = store.path / name
        try:
            stamp = (path.stat().st_mtime_ns, path.stat().st_size)
            kept = self._kept.get(path)
            if kept is None or kept[0] != stamp:
                kept = self._kept[path] = (stamp, model.model_validate_json(store.read(name)))
        except (OSError, ValueError):
            # `verify` says what is wrong with it; a screen shows what there is.
            return None
        return cast(Stored, kept[1])
