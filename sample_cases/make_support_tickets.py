"""Makes the data of `support_tickets.yaml`: `python -m tuneproof.sample_cases.make_support_tickets --to FOLDER`.

The tickets are new ones from the scene that the sample model has read. Their priority follows a rule of the shop's own, which no ticket
states and only the labels show: the model reads how urgent the customer sounds, and so is right about three tickets in four.
"""

from __future__ import annotations

import json

from tuneproof.sample_cases.rows import Row, different, folder_asked_for, write
from tuneproof.sample_cases.scenes import Scene, ticket

TRAIN_ROWS, EVAL_ROWS, SEED = 120, 80, 20_261_123

PRIORITY_BY_RULE = {"billing": "high", "returns": "low"}
"""Money first and returns last, however they are worded; elsewhere the customer's words count."""


def row(scene: Scene) -> Row:
    """One line of a data file."""
    facts = dict(scene.facts)
    facts["priority"] = PRIORITY_BY_RULE.get(facts["category"], facts["priority"])
    return {"input": scene.text, "output": json.dumps(facts, ensure_ascii=False)}


def main() -> None:
    folder = folder_asked_for(__doc__)
    rows = [row(scene) for scene in different(ticket, TRAIN_ROWS + EVAL_ROWS, SEED)]
    write(rows[:TRAIN_ROWS], folder / "support_tickets.jsonl")
    write(rows[TRAIN_ROWS:], folder / "support_tickets_eval.jsonl")


if __name__ == "__main__":
    main()
