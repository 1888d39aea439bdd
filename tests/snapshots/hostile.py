"""Data that tries to do something to the program or the terminal that shows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from tuneproof.engine.audit.report import Report
from tuneproof.engine.card.schema import CARD_JSON, Card
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.artifacts import ArmFacts, MethodFacts
from tuneproof.engine.run.event_reader import parse

Row = dict[str, Any]

MARKUP = '[@click=app.quit]x[/] [red]red[/red] [link="file:///etc/passwd"]l[/link]'
BROKEN = "[/red] [link=file:///etc/passwd]l {app.session} $primary ["
ESCAPES = "\x1b[31mred\x1b[0m \x1b[2J\x1b[H \x1b]52;c;aGVsbG8=\x07 \x1b]0;title\x1b\\ \x9b1m \x90q\x9c"
CONTROLS = "nul \x00 bell \x07 tab \t back \x08 feed \x0c return \rover delete \x7f next \x85 line \u2028 mark \ufeff"
DIRECTIONS = "\u05e9\u05dc\u05d5\u05dd \u202eevil\u202c \u0645\u0631\u062d\u0628\u0627 \u2066in\u2069 \u200fmark\u200e"
WIDE = "漢字かな交じり文 \uff46\uff55\uff4c\uff4c 👩\u200d👩\u200d👧 🇩🇪 ❤\ufe0f 🧪 e\u0301\u0301\u0301 \U000e0041 \ue000"
LONG = "x" * 5000
EVERYTHING = " ".join((MARKUP, BROKEN, ESCAPES, CONTROLS, DIRECTIONS, WIDE))
NAME = "a [red]b \x1b[31m\u202e [@click=app.quit]x"
"""For texts that have to fit into a line or be a file name."""

CATEGORIES = ("billing", "shipping", "returns")


def write_case(folder: Path) -> Path:
    """Writes a case without a base model, with rows that have every kind of hostile text; returns the case file."""
    rows = [_row(EVERYTHING, "billing"), _row(f"{MARKUP} {LONG}", "shipping"), _row(ESCAPES, MARKUP)]
    rows += [_row(f"Where is order {number}?", CATEGORIES[number % 3]) for number in range(20)]
    rows += [_row(EVERYTHING, "returns"), _row(f"{MARKUP} {LONG}", "shipping"), _row(WIDE, f"{DIRECTIONS}\x1b[31m")]
    lines = [json.dumps(row).encode() for row in rows]
    lines += [b'{"input": "\x1b[31m [red]torn [/', b'{"input": "not \xff UTF-8", "output": "billing"}', json.dumps(NAME).encode()]
    (folder / "tickets.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    case = {
        "version": 1,
        "name": "hostile",
        "decision": {"private_facts": False, "format_drift": True, "stable_task": True},
        "task": {"output": {"kind": "choice", "choices": [*CATEGORIES]}},
        "data": {"examples": "tickets.jsonl"},
    }
    path = folder / "tickets.yaml"
    path.write_text(yaml.safe_dump(case), encoding="utf-8")
    return path


def poison_run(run: Path) -> None:
    """Adds hostile text wherever a run folder has text from data, from a model or from a library."""
    for predictions in run.glob("arms/*/predictions.jsonl"):
        _change_lines(predictions, _poison_predictions)
    _change_lines(run / "events.jsonl", _poison_events)
    _change_json(run / "data.json", _poison_data)
    if (run / "card.json").is_file():
        _change_json(run / "card.json", _poison_card)
    case = yaml.safe_load((run / "case.yaml").read_text(encoding="utf-8"))
    case["name"] = NAME
    case["task"]["instruction"] = EVERYTHING
    case["task"]["output"]["schema"]["properties"][NAME] = {"type": "string"}
    case["data"] |= {"examples": f"/data/{NAME}.jsonl", "columns": {"input": NAME, "output": MARKUP}}
    (run / "case.yaml").write_text(yaml.safe_dump(case), encoding="utf-8")
    (run / "worker.log").write_bytes(EVERYTHING.encode() + b"\n\xff\xfe" + MARKUP.encode() + b"\n")


def poison_every_text(run: Path) -> None:
    """Replaces each text of a run's files that may be any text, whatever it is for."""
    models: dict[str, type[BaseModel]] = {CARD_JSON: Card, artifacts.AUDIT: Report, artifacts.METHOD: MethodFacts}
    for name, model in models.items():
        if (run / name).is_file():
            _change_json(run / name, partial(_replace_texts, is_valid=partial(_is_valid, model)))
    for arm in run.glob("arms/*/arm.json"):
        _change_json(arm, partial(_replace_texts, is_valid=partial(_is_valid, ArmFacts)))
    _change_lines(run / "events.jsonl", _replace_texts_of_events)


NAMES = ("kind", "arm", "model", "host", "slurm_job", "error", "boot", "name")
"""What is a name of something that has to exist."""


def _replace_texts_of_events(events: list[Row]) -> None:
    for event in events:
        _replace_texts(event, _is_event)


def _replace_texts(value: Row, is_valid: Callable[[Row], bool]) -> None:
    for holder, key in list(_texts(value)):
        before = holder[key]
        holder[key] = f"{NAME} {ESCAPES} {BROKEN}"
        if not is_valid(value):
            holder[key] = before


def _texts(value: Any) -> Iterator[tuple[Any, Any]]:
    """Where the texts in a value of JSON are, but for names."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, (dict, list)):
            yield from _texts(each)
        elif isinstance(each, str) and key not in NAMES:
            yield value, key


def _is_valid(model: type[BaseModel], value: Row) -> bool:
    try:
        model.model_validate(value)
    except ValidationError:
        return False
    return True


def _is_event(value: Row) -> bool:
    try:
        return parse(json.dumps(value).encode()) is not None
    except ValueError:
        return False


def _poison_predictions(rows: list[Row]) -> None:
    for row, text in zip(rows, (EVERYTHING, f"{MARKUP} {LONG}", ESCAPES, DIRECTIONS, WIDE), strict=False):
        row.update(prompt=text, output=text, expected=text, fields=[NAME])


def _poison_events(events: list[Row]) -> None:
    for event in events:
        if event["kind"] == "shape_detected":
            event.update(file=NAME, shape=MARKUP)
        if event["kind"] == "probed":
            wrong = {"id": "0" * 16, "expected": EVERYTHING, "output": EVERYTHING, "correct": False}
            event["samples"] = [wrong, {"id": "1" * 16, "expected": LONG, "output": LONG, "correct": True}]


def _poison_data(data: Row) -> None:
    for row in data["rows"]:
        row.update(file=NAME, prompt=EVERYTHING, answer=EVERYTHING)


def _poison_card(card: Row) -> None:
    card["risk"]["items"].append(EVERYTHING)
    card["data_shape"]["summary"] = EVERYTHING


def _row(request: str, answer: str) -> Row:
    return {"input": request, "output": answer}


def _change_lines(path: Path, change: Callable[[list[Row]], None]) -> None:
    rows: list[Row] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    change(rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _change_json(path: Path, change: Callable[[Row], None]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
