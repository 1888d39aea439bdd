"""The JSON Schema of the case file, for editors: they complete keys, show what a key means, and underline what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from tuneproof.engine.case.compare import Compare, RuleSettings, TextRule
from tuneproof.engine.case.evaluate import MethodToCompare
from tuneproof.engine.case.key_meanings import meaning_of
from tuneproof.engine.case.prompts import Prompt
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.section import CaseSection

Schema = dict[str, Any]


def case_schema() -> Schema:
    """The schema, with the meaning of each key. It takes drafts as well: what a stage needs is said when it is asked for."""
    schema = DraftCase.model_json_schema(by_alias=True)
    sections = {model.__name__: model for model in _sections(DraftCase)}
    for name, section in sections.items():
        described = schema if section is DraftCase else schema["$defs"][name]
        for field, info in section.model_fields.items():
            if meaning := meaning_of(section, field):
                described["properties"][info.alias or field]["description"] = meaning
    # A file without a name is named after the file.
    schema["required"] = [key for key in schema.get("required", []) if key != "name"]
    _allow_short_forms(schema)
    _drop_titles(schema)
    head = {"$schema": GenerateJsonSchema.schema_dialect, "title": "A case of tuneproof"}
    return {**head, **{key: value for key, value in schema.items() if key != "title" and (key != "required" or value)}}


def _allow_short_forms(schema: Schema) -> None:
    """Adds what the validators of the sections take besides their own keys: see `of_a_rule`, `of_a_text`, `may_be_a_name`, `as_mapping`."""
    sections: Schema = schema["$defs"]
    text, settings, compare = (sections[each.__name__] for each in (TextRule, RuleSettings, Compare))
    compare["properties"] = {**settings["properties"], **text["properties"], **compare["properties"]}
    settings["properties"] = {**text["properties"], **settings["properties"]}
    rule = {key: value for key, value in compare["properties"]["default"].items() if key != "default"}
    sections[Compare.__name__] = {"anyOf": [rule, compare]}
    sections[MethodToCompare.__name__] = {"anyOf": [{"type": "string"}, sections[MethodToCompare.__name__]]}
    named = schema["properties"]["prompts"]
    prompt = {"anyOf": [{"type": "string"}, {"$ref": f"#/$defs/{Prompt.__name__}"}]}
    meaning = {"description": named["description"]} if "description" in named else {}
    by_name = {"type": "object", "additionalProperties": prompt}
    schema["properties"]["prompts"] = {"anyOf": [{"type": "array", "items": prompt}, by_name], **meaning}


def _sections(model: type[BaseModel]) -> Iterator[type[CaseSection]]:
    """The section, and every section inside it, at any depth."""
    seen: set[type[BaseModel]] = set()
    waiting = [model]
    while waiting:
        section = waiting.pop()
        if section in seen:
            continue
        seen.add(section)
        if issubclass(section, CaseSection):
            yield section
        parts = [part for field in section.model_fields.values() for part in _parts(field.annotation)]
        waiting += [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _drop_titles(schema: Any) -> None:
    """Takes out the titles that pydantic makes of names: an editor would show them in place of the meaning."""
    if isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            del schema["title"]
        for value in schema.values():
            _drop_titles(value)
    elif isinstance(schema, list):
        for value in schema:
            _drop_titles(value)
