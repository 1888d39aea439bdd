"""Makes the data of `too_few.yaml`: `python -m tuneproof.sample_cases.make_too_few --to FOLDER`.

Two dozen sensor reports, as a team has them that labelled for an afternoon.
"""

from __future__ import annotations

import json
import random

from tuneproof.sample_cases.rows import Row, different, folder_asked_for, write
from tuneproof.sample_cases.scenes import FORMS, Scene, form

ROWS, SEED = 24, 1
KIND = [instruction for instruction, _, _ in FORMS].index("Read the sensor report.")


def report(rng: random.Random) -> Scene:
    """One sensor report, all of its facts asked for."""
    return form(rng, KIND)


def row(scene: Scene) -> Row:
    """One line of the data file."""
    return {"input": scene.text, "output": json.dumps(scene.facts, ensure_ascii=False)}


def main() -> None:
    write([row(scene) for scene in different(report, ROWS, SEED)], folder_asked_for(__doc__) / "too_few.jsonl")


if __name__ == "__main__":
    main()
