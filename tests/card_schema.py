"""Writes the JSON Schema of `card.json` to the documentation: `python -m tests.card_schema`."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from tests.conftest import ROOT
from tuneproof.engine.card.schema import Card

PUBLISHED = ROOT / "docs" / "card.schema.json"


def main() -> None:
    """Writes the schema as it is now."""
    PUBLISHED.write_text(schema_text(), encoding="utf-8")
    print(PUBLISHED.relative_to(ROOT))


def schema_text() -> str:
    """The schema as it is published: of what is in the file, with the meaning of each key as the model has it."""
    schema = Card.model_json_schema(by_alias=True, mode="validation")
    for name, model in {model.__name__: model for model in models_in(Card)}.items():
        described = schema if model is Card else schema["$defs"].get(name, {})
        for key, meaning in meanings(model).items():
            described["properties"][key]["description"] = meaning
    head = {"$schema": GenerateJsonSchema.schema_dialect, "title": "card.json", "description": " ".join((Card.__doc__ or "").split())}
    return json.dumps({**schema, **head}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model, and every model that its fields have, at any depth."""
    yield model
    for field in model.model_fields.values():
        for part in _parts(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from models_in(part)


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """The text under each field of a model and of those that it extends, by the key in the file."""
    found = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel:
            found.update(_texts(one))
    return {model.model_fields[name].alias or name: text for name, text in found.items() if name in model.model_fields}


def _texts(model: type[BaseModel]) -> dict[str, str]:
    definition = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in pairwise(definition.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            value = text.value.value if isinstance(text.value, ast.Constant) else None
            found |= {field.target.id: " ".join(value.split())} if isinstance(value, str) else {}
    return found


def stored_card(run: Path) -> Any:
    """The `card.json` of a run folder."""
    return json.loads((run / "card.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
