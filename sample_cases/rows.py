"""What the scripts that make the data of the sample cases share: scenes that differ, rows on disk, the folder they go to."""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from tuneproof.sample_cases.scenes import Scene

Row = dict[str, str]


def different(make: Callable[[random.Random], Scene], count: int, seed: int) -> list[Scene]:
    """So many scenes, no two of which have the same text."""
    rng = random.Random(seed)
    found: dict[str, Scene] = {}
    while len(found) < count:
        scene = make(rng)
        found.setdefault(scene.text.casefold(), scene)
    return list(found.values())


def write(rows: Sequence[Row], path: Path) -> None:
    """The rows as a JSONL file."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def folder_asked_for(about: str | None) -> Path:
    """Where the script is to put its files: beside itself where nothing else is said."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--to", type=Path, default=Path(__file__).parent)
    folder: Path = parser.parse_args().to
    return folder
