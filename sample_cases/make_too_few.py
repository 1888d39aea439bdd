"""Makes the data of `too_few.yaml`: `python -m tuneproof.sample_cases.make_too_few --to FOLDER`.

Two dozen sensor reports, about as many as a team labels in an afternoon.
"""

from __future__ import annotations

import json
import random

from tuneproof.sample_cases.rows import Row, distinct_scenes, output_folder, write_jsonl
from tuneproof.sample_cases.scenes import FORMS, Scene, form

ROWS, SEED = 24, 1
KIND = [instruction for instruction, _, _ in FORMS].index("Read the sensor report.")


def report(rng: random.Random) -> Scene:
    """One sensor report, with all of its facts in the answer."""
    return form(rng, KIND)


def row(scene: Scene) -> Row:
    """One line of the data file."""
    return {"input": scene.text, "output": json.dumps(scene.facts, ensure_ascii=False)}


def main() -> None:
    write_jsonl([row(scene) for scene in distinct_scenes(report, ROWS, SEED)], output_folder(__doc__) / "too_few.jsonl")


if __name__ == "__main__":
    main()
