"""Makes the data of `support_tickets.yaml`: `python -m tuneproof.sample_cases.make_support_tickets --to FOLDER`.

The tickets are new ones from the scene that the sample model has read: no ticket stands in both files, nor twice in one.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from tuneproof.sample_cases.scenes import Scene, ticket

TRAIN_ROWS, EVAL_ROWS, SEED = 120, 80, 20_261_123


def tickets(count: int) -> list[Scene]:
    """So many different tickets."""
    rng = random.Random(SEED)
    found: dict[str, Scene] = {}
    while len(found) < count:
        scene = ticket(rng)
        found.setdefault(scene.text.casefold(), scene)
    return list(found.values())


def row(scene: Scene) -> dict[str, str]:
    """One line of a data file."""
    return {"input": scene.text, "output": json.dumps(scene.facts, ensure_ascii=False)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--to", type=Path, default=Path(__file__).parent)
    folder = parser.parse_args().to
    scenes = tickets(TRAIN_ROWS + EVAL_ROWS)
    for name, part in (
        ("support_tickets.jsonl", scenes[:TRAIN_ROWS]),
        ("support_tickets_eval.jsonl", scenes[TRAIN_ROWS:]),
    ):
        lines = [json.dumps(row(scene), ensure_ascii=False) + "\n" for scene in part]
        (folder / name).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
