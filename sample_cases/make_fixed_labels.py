"""Makes the data of `fixed_labels.yaml`: `python -m tuneproof.sample_cases.make_fixed_labels --to FOLDER`.

Tickets and the desk that each one goes to. The sample model knows the desk, but answers in varying formats.
"""

from __future__ import annotations

from tuneproof.sample_cases.rows import Row, distinct_scenes, output_folder, write_jsonl
from tuneproof.sample_cases.scenes import Scene, ticket

TRAIN_ROWS, EVAL_ROWS, SEED = 100, 80, 11


def row(scene: Scene) -> Row:
    """One line of a data file."""
    return {"input": scene.text, "output": scene.facts["category"]}


def main() -> None:
    folder = output_folder(__doc__)
    rows = [row(scene) for scene in distinct_scenes(ticket, TRAIN_ROWS + EVAL_ROWS, SEED)]
    write_jsonl(rows[:TRAIN_ROWS], folder / "fixed_labels.jsonl")
    write_jsonl(rows[TRAIN_ROWS:], folder / "fixed_labels_eval.jsonl")


if __name__ == "__main__":
    main()
