"""The text of a case file as plain data: mappings with text keys, lists, texts and numbers, and nothing else that YAML can hold."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from tuneproof.engine.case.key_origins import KeyOrigins, KeyPath
from tuneproof.engine.case.scalars import SCALAR_TAGS, plain_scalar, tagged_scalar
from tuneproof.engine.core.storable import SURROGATE

MOST_BYTES = 1 << 20
"""Bytes of a case file: long choices and schemas fit many times over, and reading takes a few seconds at most."""

MOST_DEPTH = 64
"""Sections and lists inside each other."""

MOST_VALUES = 50_000
"""Values in a case, those that an alias stands for counted each time."""

_MAPPING_TAGS = {None, "!", "tag:yaml.org,2002:map"}
_LIST_TAGS = {None, "!", "tag:yaml.org,2002:seq"}


class CaseTextError(ValueError):
    """The text is not the YAML of a case: what is wrong, on which line of the text, and what to do."""

    def __init__(self, what: str, line: int = 1, fix: str = "") -> None:
        super().__init__(what)
        self.what, self.line, self.fix = what, line, fix


@dataclass
class CaseText:
    """What the text holds, and where each key comes from."""

    value: Any = None
    """None for a text without a value."""
    lines: KeyOrigins = field(default_factory=dict)


def read_case_text(text: str) -> CaseText:
    """The one value of a YAML text, by the core schema of YAML 1.2. Raises CaseTextError for everything that a case cannot hold."""
    try:
        return _Reader(text).read()
    except yaml.MarkedYAMLError as error:
        raise CaseTextError(f"not YAML: {error.problem}", error.problem_mark.line + 1 if error.problem_mark else 1) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise CaseTextError(f"the character U+{error.character:04X} is not allowed in YAML", line, "remove it") from None


@dataclass
class _Anchored:
    """The value that an anchor names, and how many values are in it."""

    value: Any
    size: int


class _Reader:
    """Builds the value from the events of PyYAML's parser, so that no object of any other type is ever made."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._anchors: dict[str, _Anchored] = {}
        self._found = CaseText()
        self._values = 0

    def read(self) -> CaseText:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._found.value = self._value(next(self._events), ())
                break
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                raise CaseTextError("a second document begins", _line(event), "keep one, and remove the line `---` before the other")
        return self._found

    def _value(self, event: yaml.Event, at: KeyPath) -> Any:
        self._count(1, event)
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event)
        if len(at) > MOST_DEPTH:
            raise CaseTextError(f"more than {MOST_DEPTH} levels inside each other", _line(event))
        before, anchor = self._values, getattr(event, "anchor", None)
        if isinstance(event, yaml.MappingStartEvent):
            value: Any = self._mapping(event, at)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._list(event, at)
        else:
            value = _scalar(event)
        if anchor is not None:
            self._anchors[anchor] = _Anchored(value, self._values - before + 1)
        return value

    def _aliased(self, event: yaml.AliasEvent) -> Any:
        """A copy of the value that the alias stands for, so that a change to one of them does not change the other."""
        anchored = self._anchors.get(str(event.anchor))
        if anchored is None:
            fix = "write the value out"
            raise CaseTextError(f"`*{event.anchor}` is an alias of a value that does not end before it", _line(event), fix)
        self._count(anchored.size, event)
        return copy.deepcopy(anchored.value)

    def _mapping(self, start: yaml.MappingStartEvent, at: KeyPath) -> dict[str, Any]:
        _require_tag(start, _MAPPING_TAGS)
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event)
            if key in found:
                raise CaseTextError(f"the key `{_shown(key)}` occurs twice", _line(event), "keep one")
            self._found.lines[*at, key] = _line(event)
            found[key] = self._value(next(self._events), (*at, key))
        return found

    def _key(self, event: yaml.Event) -> str:
        if isinstance(event, yaml.ScalarEvent):
            key = _scalar(event)
            if key == "<<" and event.style is None:
                raise CaseTextError("merging with `<<` is not part of YAML 1.2", _line(event), "write the keys out")
            if isinstance(key, str):
                return key
            # `null` and `12` are keys that somebody means as words.
            raise CaseTextError(f"the key `{_shown(event.value)}` is not a text", _line(event), f'write "{_shown(event.value)}"')
        raise CaseTextError("a key is not a text", _line(event), "put a text that has brackets, `&` or `*` in it in quotes")

    def _list(self, start: yaml.SequenceStartEvent, at: KeyPath) -> list[Any]:
        _require_tag(start, _LIST_TAGS)
        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            place = (*at, len(found))
            self._found.lines[place] = _line(event)
            found.append(self._value(event, place))
        return found

    def _count(self, values: int, event: yaml.Event) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            fix = "put rows and schemas into their own files"
            raise CaseTextError(f"more than {MOST_VALUES:,} values, aliases included", _line(event), fix)


def _scalar(event: yaml.Event) -> Any:
    assert isinstance(event, yaml.ScalarEvent)
    if event.tag not in {None, "!"}:
        _require_tag(event, SCALAR_TAGS)
    try:
        if event.tag in {None, "!"}:
            is_plain = event.style is None and event.tag is None
            value = plain_scalar(event.value) if is_plain else event.value
        else:
            value = tagged_scalar(event.value, event.tag)
    except ValueError as error:
        raise CaseTextError(str(error), _line(event), "put it in quotes if it is a text") from None
    if isinstance(value, str) and SURROGATE.search(value):
        raise CaseTextError("a text has half a surrogate pair in it, which is not a character", _line(event), "remove it")
    return value


def _require_tag(event: Any, allowed: set[str | None] | set[str]) -> None:
    if event.tag not in allowed:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        raise CaseTextError(f"the tag `{_shown(tag)}` is not one that a case has", _line(event), "remove it")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _shown(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
