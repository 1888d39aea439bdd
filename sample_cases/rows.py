"""What the scripts for the sample cases' data have in common: distinct scenes, writing JSONL, the output folder."""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from tuneproof.sample_cases.scenes import Scene

Row = dict[str, str]


def distinct_scenes(make: Callable[[random.Random], Scene], count: int, seed: int) -> list[Scene]:
    """A number of scenes with different texts."""
    rng = random.Random(seed)
    found: dict[str, Scene] = {}
    while len(found) < count:
        scene = make(rng)
        found.setdefault(scene.text.casefold(), scene)
    return list(found.values())


def write_jsonl(rows: Sequence[Row], path: Path) -> None:
    """Writes the rows as JSONL."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def output_folder(about: str | None) -> Path:
    """The folder of `--to`, by default that of the script. `about` is the text of `--help`."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--to", type=Path, default=Path(__file__).parent)
    folder: Path = parser.parse_args().to
    return folder
