"""A JSON Schema that only knows itself and the drafts, and that no document can keep busy for long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from tuneproof.engine.core.errors import CaseError

WHERE = "task.output.schema"

BACKTRACK_LIMIT = 100_000
"""Most steps that one pattern may go back on one text; patterns without look-around and back-references take none."""

MAX_VISITS = 1_000_000
"""Most visits of a schema's parts for one value; beyond, a schema is refused, and what is wrong in a document is no longer named."""

IN_PLACE = (
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependencies",
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
)
"""Keywords whose schemas apply to the same value as their own."""

BELOW = (
    "prefixItems items additionalItems contains unevaluatedItems patternProperties additionalProperties unevaluatedProperties propertyNames"
).split()
"""Keywords whose schemas may all apply to one value inside; of those under `properties` only one does."""


class SchemaValidator:
    """Validates documents against a schema. References into other files and to other hosts are never followed.

    Raises CaseError if the schema is none, if it refers to anything but itself and the drafts, or if its parts refer to each other in so
    many ways that validating takes exponential time.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        limits = jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACK_LIMIT)
        try:
            self._validator = jsonschema_rs.validator_for(schema, offline=True, pattern_options=limits)
        except jsonschema_rs.ValidationError as error:
            raise _not_usable(error) from None
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise CaseError(f"not a JSON Schema: {error}", where=WHERE) from None
        self._visits = _Visits(schema)
        if self._visits.most() > MAX_VISITS:
            raise CaseError(
                f"its parts refer to each other in more than {MAX_VISITS:,} ways, so validating an answer would not end",
                where=WHERE,
                fix="say each part once",
            )

    def is_valid(self, value: Any) -> bool:
        """Whether a document is valid; a pattern that goes back too often does not match."""
        return self._validator.is_valid(value)

    def wrong_parts(self, value: Any) -> tuple[str, ...]:
        """The paths of what is wrong in a document, `$` for the whole of it; empty if it is valid."""
        if self._validator.is_valid(value):
            return ()
        if self._visits.most(_depth(value)) > MAX_VISITS:
            return ("$",)
        found = []
        for error in self._validator.iter_errors(value):
            path = ".".join(str(part) for part in error.instance_path)
            named = re.match(r'"([^"]+)" is a required property', error.message)
            found.append(f"{path}.{named[1]}".lstrip(".") if named else path or "$")
        return tuple(dict.fromkeys(found))

    def has_slow_pattern(self, value: Any) -> bool:
        """Whether a document is invalid because a pattern would go back too often on one of its texts."""
        if self._validator.is_valid(value) or self._visits.most(_depth(value)) > MAX_VISITS:
            return False
        slow = jsonschema_rs.ValidationErrorKind.BacktrackLimitExceeded
        return any(isinstance(error.kind, slow) for error in self._validator.iter_errors(value))


def _not_usable(error: jsonschema_rs.ValidationError) -> CaseError:
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Referencing):
        return CaseError(
            f"it refers to something that is not in it, and nothing is fetched: {error.message}",
            where=WHERE,
            fix="copy what it needs under `$defs`, refer to that as `#/$defs/NAME`, and let `$schema` be a draft of json-schema.org",
        )
    return CaseError(f"not a JSON Schema: {error.message}", where=WHERE)


class _Visits:
    """How often the parts of a schema are visited for one value, at most, counting each way to come to a part."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._named: dict[str, Any] = {}
        self._find_names(root)
        self._counted: dict[tuple[int, int | None], int] = {}

    def most(self, depth: int | None = None) -> int:
        """The visits for a document of so many levels; None for any, but each part once on the way down."""
        return self._count(self._root, depth)

    def _count(self, node: Any, depth: int | None) -> int:
        if not isinstance(node, dict):
            return 1
        key = (id(node), depth)
        if key not in self._counted:
            # A part that is come to again on the way counts as nothing there, so a circle ends.
            self._counted[key] = 0
            visits = 1 + sum(self._count(other, depth) for word in IN_PLACE if word in node for other in self._parts(word, node[word]))
            if depth != 0:
                below = depth if depth is None else depth - 1
                visits += sum(self._count(inner, below) for word in BELOW if word in node for inner in self._parts(word, node[word]))
                visits += max((self._count(inner, below) for inner in self._parts("properties", node.get("properties"))), default=0)
            # The exact number no longer matters, and would have as many digits as the schema has parts.
            self._counted[key] = min(visits, MAX_VISITS + 1)
        return self._counted[key]

    def _parts(self, word: str, value: Any) -> Iterator[Any]:
        if word.endswith(("$ref", "Ref")):
            yield self._referred(value)
        elif isinstance(value, list):
            yield from value
        elif isinstance(value, dict):
            yield from value.values() if word in ("properties", "patternProperties", "dependentSchemas", "dependencies") else [value]

    def _referred(self, reference: Any) -> Any:
        name, _, pointer = str(reference).partition("#")
        node = self._named.get(name.rpartition("/")[2], self._root) if name else self._root
        if pointer and not pointer.startswith("/"):
            return self._named.get(f"#{pointer}")
        for part in pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            node = node.get(key) if isinstance(node, dict) else node[int(key)] if isinstance(node, list) and key.isdecimal() else None
        return node

    def _find_names(self, node: Any) -> None:
        if isinstance(node, dict):
            for word in ("$anchor", "$dynamicAnchor"):
                if isinstance(node.get(word), str):
                    self._named.setdefault(f"#{node[word]}", node)
            for word in ("$id", "id"):
                if isinstance(node.get(word), str):
                    self._named.setdefault(node[word].rstrip("#").rpartition("/")[2], node)
        for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            self._find_names(inner)


def _depth(value: Any) -> int:
    """How many levels of objects and lists a document has."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inside), default=0) if isinstance(value, dict | list) else 0
