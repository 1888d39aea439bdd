"""Makes the data of `support_tickets.yaml`: `python -m tuneproof.sample_cases.make_support_tickets --to FOLDER`.

The tickets are new, but of the kind that the sample model was trained on. Their priority follows a rule of this shop, which only the labels
show: the model goes by how urgent the customer sounds, and so is right about three tickets in four.
"""

from __future__ import annotations

import json

from tuneproof.sample_cases.rows import Row, distinct_scenes, output_folder, write_jsonl
from tuneproof.sample_cases.scenes import Scene, ticket

TRAIN_ROWS, EVAL_ROWS, SEED = 120, 80, 20_261_123

PRIORITY_BY_RULE = {"billing": "high", "returns": "low"}
"""Billing comes first and returns come last, whatever the wording; for other categories the wording decides."""


def row(scene: Scene) -> Row:
    """One line of a data file."""
    facts = dict(scene.facts)
    facts["priority"] = PRIORITY_BY_RULE.get(facts["category"], facts["priority"])
    return {"input": scene.text, "output": json.dumps(facts, ensure_ascii=False)}


def main() -> None:
    folder = output_folder(__doc__)
    rows = [row(scene) for scene in distinct_scenes(ticket, TRAIN_ROWS + EVAL_ROWS, SEED)]
    write_jsonl(rows[:TRAIN_ROWS], folder / "support_tickets.jsonl")
    write_jsonl(rows[TRAIN_ROWS:], folder / "support_tickets_eval.jsonl")


if __name__ == "__main__":
    main()
