"""A schema reads nothing but itself, and no schema or document keeps the grader busy."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tuneproof.engine.arms.closed_schema import closed_schema
from tuneproof.engine.case.task import Task
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.scoring.grade import FailureClass
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.json_schema import SchemaValidator

SECONDS = 2
"""More than any of these takes, and far less than exponential time."""


@pytest.fixture
def requested() -> Iterator[tuple[str, list[str]]]:
    """The address of a server that serves a schema, and the paths that were asked of it."""
    paths: list[str] = []

    class Schemas(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"type": "object"}')

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Schemas)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    server.server_close()


OUTSIDE: list[dict[str, Any]] = [
    {"$ref": "HOST/part.json"},
    {"$dynamicRef": "HOST/part.json"},
    {"$schema": "HOST/draft.json", "type": "object"},
    {"$id": "HOST/folder/", "$ref": "part.json"},
    {"properties": {"a": {"$id": "HOST/b/", "items": {"$ref": "c.json"}}}},
    {"$ref": "FILE"},
    {"$id": "FILE", "properties": {"a": {"$ref": "./other.json"}}},
    {"$ref": "file:///dev/zero"},
    {"$ref": "part.json"},
    {"$ref": "urn:part"},
    {"$ref": "#/$defs/missing"},
]


@pytest.mark.parametrize("schema", OUTSIDE, ids=map(json.dumps, OUTSIDE))
def test_a_reference_out_of_the_schema_is_a_mistake_of_the_case_and_is_never_followed(
    schema: dict[str, Any], requested: tuple[str, list[str]], tmp_path: Path
) -> None:
    host, paths = requested
    for name in ("part.json", "other.json"):
        (tmp_path / name).write_text('{"type": "object"}')
    named = json.loads(json.dumps(schema).replace("HOST", host).replace("FILE", (tmp_path / "part.json").as_uri()))
    with pytest.raises(CaseError) as refused:
        make_grader(Task.model_validate({"output": {"kind": "json", "schema": named}}), [])
    assert refused.value.where == "task.output.schema" and "$defs" in refused.value.fix
    assert paths == []


def test_references_inside_the_schema_and_to_the_drafts_stay_possible() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://example.com/order.json",
        "definitions": {"id": {"$id": "id.json", "type": "integer"}},
        "properties": {
            "a": {"$ref": "id.json"},
            "b": {"$ref": "#/definitions/id"},
            "c": {"$ref": "http://json-schema.org/draft-07/schema#"},
        },
    }
    assert SchemaValidator(schema).wrong_parts({"a": "x", "b": 1, "c": {"type": 3}}) == ("a", "c.type")


def _lists_of(*names: str) -> dict[str, Any]:
    return {"anyOf": [{"type": "array", "items": {"$ref": f"#/$defs/{name}"}} for name in names]}


def _nested(levels: int) -> list[Any]:
    return [_nested(levels - 1)] if levels else []


def test_a_schema_with_exponentially_many_ways_through_it_is_refused() -> None:
    for step in ({"anyOf": [{"$ref": "#/$defs/NEXT"}] * 2}, {"allOf": [{"$ref": "#/$defs/NEXT"}] * 2}, _lists_of("NEXT", "NEXT")):
        parts = {str(at): json.loads(json.dumps(step).replace("NEXT", str(at + 1))) for at in range(60)}
        started = time.monotonic()
        with pytest.raises(CaseError, match="more than 1,000,000 ways"):
            SchemaValidator({"$ref": "#/$defs/0", "$defs": {**parts, "60": {"type": "string"}}})
        assert time.monotonic() - started < SECONDS


def test_a_deep_document_under_a_schema_that_refers_to_itself_is_judged_at_once() -> None:
    schema = {"$ref": "#/$defs/a", "$defs": {"a": _lists_of("a", "a", "b"), "b": _lists_of("b", "a")}}
    document = json.dumps([*_nested(60), 3])
    started = time.monotonic()
    judged = make_grader(Task.model_validate({"output": {"kind": "json", "schema": schema}}), []).grade(document, document)
    closed_schema(schema, [_nested(60)])
    assert judged.failure is FailureClass.WRONG_SHAPE and time.monotonic() - started < SECONDS


def test_a_pattern_of_a_schema_that_takes_too_many_steps_is_named_with_its_field() -> None:
    schema = {"properties": {"code": {"pattern": r"^(?:(a*)*)*\1c$"}}}
    grader = make_grader(Task.model_validate({"output": {"kind": "json", "schema": schema}}), [])
    started = time.monotonic()
    problem = grader.problem(json.dumps({"code": "a" * 5000}))
    assert problem is not None and "too many steps" in problem and "code" in problem
    assert time.monotonic() - started < SECONDS
