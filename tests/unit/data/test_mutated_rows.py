"""Whatever a row of a known format has in place of what it should have, it is an example or a problem, and nothing else happens."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from tests.unit.data.test_exports import (
    OPTIONS,
    argilla,
    argilla_feedback,
    argilla_nested,
    argilla_old,
    choices,
    flat,
    label_studio,
    prodigy,
)
from tuneproof.engine.data.cells import RowError
from tuneproof.engine.data.example import Source
from tuneproof.engine.data.notes import RowNotes
from tuneproof.engine.data.row_shape import RowShape
from tuneproof.engine.data.shapes import detect_shape

JUNK: list[Any] = [
    None,
    1,
    -1.5,
    True,
    "",
    "x",
    "[1]",
    "{",
    [],
    {},
    [1],
    [None],
    ["a"],
    {"a": 1},
    [{}],
    [[]],
    [[1, 2]],
    [[1, 2, 3]],
    {"name": []},
]

CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}

ROWS: list[dict[str, Any]] = [
    label_studio(choices("a"), choices("b", ground_truth=True)),
    flat({"choices": ["a", "b"]}),
    argilla("a", ["b"]),
    argilla_nested("a", "b"),
    argilla_feedback("a"),
    argilla_old([["TIME", 4, 8]]),
    {"id": 1, "text": "Too late.", "label": [[4, 8, "TIME"]], "Comments": [], "relations": [1]},
    {"id": 1, "text": "Too late.", "entities": [{"label": "TIME", "start_offset": 4, "end_offset": 8}], "relations": [], "Comments": []},
    prodigy(options=OPTIONS, accept=["delivery"], config={"choice_style": "multiple"}),
    prodigy(spans=[{"start": 4, "end": 8, "label": "TIME"}]),
    {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}, CALL, {"role": "tool", "content": "b"}, CALL],
        "tools": [{"name": "f"}],
    },
    {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b", "weight": 0}], "system": "s", "kto_tag": True},
    {
        "contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "b"}]}],
        "systemInstruction": {"parts": []},
    },
    {"instruction": "a", "input": "b", "output": "c", "history": [["d", "e"]], "tools": "[]", "thinking": "f"},
    {"question": "a", "context": "b", "answers": {"text": ["c"], "answer_start": [1]}},
    {"prompt": [{"role": "user", "content": "a"}], "chosen": [{"role": "assistant", "content": "b"}], "rejected": "c"},
    {"text": "a", "label": ["b", "c"]},
]


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return ([at] if at else []) + [place for key, part in inside for place in places(part, (*at, key))]


def mutated(row: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    row = copy.deepcopy(row)
    for _ in range(rng.choice([1, 1, 2, 3])):
        *way, last = rng.choice(places(row) or [("x",)])
        inside: Any = row
        for key in way:
            inside = inside[key]
        if isinstance(inside, dict) and rng.random() < 0.2:
            inside.pop(last, None)
        else:
            inside[last] = copy.deepcopy(rng.choice(JUNK))
    return row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row)[:40])
def test_a_mutated_row_is_an_example_or_a_problem(row: dict[str, Any]) -> None:
    rng, notes = random.Random(7), RowNotes()
    by_shape: dict[str, tuple[RowShape, list[Any]]] = {}
    for number in range(150):
        changed = mutated(row, rng)
        if (shape := detect_shape(changed)) is None:
            continue
        try:
            examples = shape.examples(changed, Source("rows.jsonl", number), notes)
        except RowError as error:
            assert error.problem().message
            continue
        notes.keep(examples[0].source)
        by_shape.setdefault(shape.name, (shape, []))[1].extend(examples)
    for shape, examples in by_shape.values():
        settled = shape.settle(examples, [], notes) if shape.settle else examples
        assert all(type(part) is str for example in settled for part in (example.input, example.output, example.system))
        assert len({(example.history, example.tool_use, example.content_hash) for example in settled}) <= len(examples)
