"""Makes the data of `fixed_labels.yaml`: `python -m tuneproof.sample_cases.make_fixed_labels --to FOLDER`.

Tickets and the desk they go to: the sample model knows it, and tells it in whatever shape it likes.
"""

from __future__ import annotations

from tuneproof.sample_cases.rows import Row, different, folder_asked_for, write
from tuneproof.sample_cases.scenes import Scene, ticket

TRAIN_ROWS, EVAL_ROWS, SEED = 100, 80, 11


def row(scene: Scene) -> Row:
    """One line of a data file."""
    return {"input": scene.text, "output": scene.facts["category"]}


def main() -> None:
    folder = folder_asked_for(__doc__)
    rows = [row(scene) for scene in different(ticket, TRAIN_ROWS + EVAL_ROWS, SEED)]
    write(rows[:TRAIN_ROWS], folder / "fixed_labels.jsonl")
    write(rows[TRAIN_ROWS:], folder / "fixed_labels_eval.jsonl")


if __name__ == "__main__":
    main()
