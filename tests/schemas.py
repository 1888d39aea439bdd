"""Forty schemas that cover the features of JSON Schema's own test suite; none was written for the sample model."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def object_schema(properties: Schema, required: list[str] | None = None, **more: Any) -> Schema:
    """An object; all properties are required unless `required` names some."""
    return {"type": "object", "properties": properties, "required": list(properties) if required is None else required, **more}


def short_string(max_length: int = 8) -> Schema:
    """A string of few characters, so that an answer ends soon."""
    return {"type": "string", "maxLength": max_length}


SCHEMAS: dict[str, Schema] = {
    "flat": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 12}, "b": {"type": "boolean"}}, "required": ["a", "b"]},
    "bounds": {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 3, "maximum": 17}, "x": {"type": "number", "exclusiveMinimum": 0, "maximum": 1}},
        "required": ["n", "x"],
        "additionalProperties": False,
    },
    "nested": {
        "type": "object",
        "properties": {"a": {"type": "object", "properties": {"b": {"enum": ["x", "ÿ☃"]}}, "required": ["b"]}, "c": {"const": None}},
        "required": ["a", "c"],
    },
    "array": {"type": "array", "items": {"enum": ["red", "green", 3, None]}, "minItems": 2, "maxItems": 4},
    "objects": {
        "type": "array",
        "items": {"type": "object", "properties": {"id": {"type": "string", "pattern": "^[A-Z][0-9]{4}$"}}, "required": ["id"]},
        "minItems": 1,
        "maxItems": 3,
    },
    "union": {
        "type": "object",
        "properties": {"v": {"anyOf": [{"type": "integer", "maximum": 9}, {"type": "string", "maxLength": 5}, {"type": "null"}]}},
        "required": ["v"],
    },
    "reference": {
        "$defs": {"code": {"type": "string", "pattern": "[0-9]{2}"}},
        "type": "object",
        "properties": {"from": {"$ref": "#/$defs/code"}, "to": {"$ref": "#/$defs/code"}},
        "required": ["from", "to"],
    },
    "all of": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]},
            {"properties": {"b": {"enum": [1, 2]}}, "required": ["b"]},
        ],
    },
    "optional": {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "boolean"}, "c": {"type": "boolean"}}},
    "tuple": {"type": "array", "prefixItems": [{"type": "boolean"}, {"enum": ["yes", "no"]}], "items": False, "minItems": 2},
    "number": {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"], "additionalProperties": False},
    "date": {"type": "object", "properties": {"on": {"type": "string", "format": "date"}}, "required": ["on"]},
    "three levels": object_schema({"a": object_schema({"b": object_schema({"c": {"type": "boolean"}})}), "d": short_string()}),
    "empty object": {"type": "object", "properties": {}, "additionalProperties": False},
    "map": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 99}},
    "pattern properties": {"type": "object", "patternProperties": {"^x[0-9]$": {"type": "boolean"}}, "additionalProperties": False},
    "one required of many": object_schema({name: short_string(5) for name in "abcdefgh"}, ["c"], additionalProperties=False),
    "keys with escapes": object_schema(
        {'with "quotes"': short_string(5), "back\\slash": {"type": "boolean"}, "a/b~c": {"enum": [1]}, "": short_string(3)}
    ),
    "unicode keys": object_schema({"größe": {"enum": ["klein", "groß"]}, "名前": {"enum": ["山", "川"]}, "🙂": {"type": "boolean"}}),
    "unicode values": {"enum": ["é", "e\u0301", "ß", "語", "👩‍🚀", "\u200b", "\u2028"]},
    "escapes in values": {"enum": ['"', "\\", "/", "\n", "\t", "\u0001", 'a"b']},
    "many labels": object_schema({"label": {"enum": [f"label_{n:03d}" for n in range(200)]}}),
    "labels with a common prefix": {"enum": ["a", "ab", "abc", "abcd", "b"]},
    "values of every type": {"enum": ["1", 1, 1.5, True, False, None, [], {}, [1, "x"], {"k": None}]},
    "constant object": object_schema({"kind": {"const": {"name": "fixed", "version": [1, 2]}}, "ok": {"type": "boolean"}}),
    "negative bounds": object_schema({"t": {"type": "integer", "minimum": -40, "maximum": -1}}),
    "exclusive bounds": object_schema({"n": {"type": "integer", "exclusiveMinimum": 9, "exclusiveMaximum": 12}}),
    "multiples": object_schema({"n": {"type": "integer", "minimum": 0, "maximum": 100, "multipleOf": 5}}),
    "length of strings": object_schema({"code": {"type": "string", "minLength": 3, "maxLength": 5}}),
    "formats": object_schema({"at": {"type": "string", "format": "date-time"}, "id": {"type": "string", "format": "uuid"}}),
    "address": object_schema({"host": {"type": "string", "format": "ipv4"}, "from": {"type": "string", "format": "time"}}),
    "list of types": object_schema({"v": {"type": ["boolean", "null", "integer"], "minimum": 0, "maximum": 9}}),
    "one of, by kind": {
        "oneOf": [
            object_schema({"kind": {"const": "circle"}, "r": {"type": "integer", "minimum": 1, "maximum": 9}}, additionalProperties=False),
            object_schema({"kind": {"const": "box"}, "w": {"enum": [1, 2]}, "h": {"enum": [1, 2]}}, additionalProperties=False),
        ]
    },
    "any of objects": {
        "anyOf": [object_schema({"a": short_string(4)}, additionalProperties=False), object_schema({"b": {"type": "boolean"}})]
    },
    "arrays in arrays": {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "boolean"}},
    },
    "union in an array": {
        "type": "array",
        "minItems": 1,
        "maxItems": 3,
        "items": {"anyOf": [{"enum": ["x"]}, object_schema({"y": {"enum": [0]}})]},
    },
    "tuple with further items": {"type": "array", "prefixItems": [{"enum": ["head"]}], "items": {"type": "boolean"}, "maxItems": 4},
    "a list that refers to itself": {
        "$defs": {"node": object_schema({"v": {"enum": [1, 2]}, "next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]}})},
        "$ref": "#/$defs/node",
    },
    "a bare integer": {"type": "integer", "minimum": 100, "maximum": 999},
    "annotations change nothing": object_schema(
        {"a": {"type": "boolean", "title": "A", "description": "yes or no", "default": True}}, title="T"
    ),
}
