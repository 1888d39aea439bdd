"""The reading end of `events.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from tuneproof.engine.core.regular_files import open_regular
from tuneproof.engine.run import events_v1
from tuneproof.engine.run.event import VERSION
from tuneproof.engine.run.event_log import CHUNK, whole_lines
from tuneproof.engine.run.events import AnyEvent

PARSER: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
KINDS = frozenset(event.model_fields["kind"].default for event in get_args(get_args(AnyEvent)[0]))


class EventReader:
    """Reads what has been added to a log since the last call; a torn last line is held back until it is whole.

    Events of a newer version are skipped (see `parse`). So is a whole line that is no event, as a power failure can leave one: the log is
    for watching, and what the run is judged by is in files with digests.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self.offset = offset

    def read(self) -> list[AnyEvent]:
        """The events since the last call; an empty list if there is no log yet."""
        return [event for chunk in self.read_chunks() for event in chunk]

    def read_chunks(self) -> Iterator[list[AnyEvent]]:
        """The events since the last call, `CHUNK` bytes of the log at a time, so that a long log is never in memory as objects.

        A chunk is about 5,000 steps, and takes 20 ms.
        A caller that stops early continues after the last chunk it took.
        """
        try:
            file = open_regular(self._path)
        except OSError:
            # Not there yet, or nothing that can be read as a log.
            return
        with file:
            file.seek(self.offset)
            torn = b""
            while more := file.read(CHUNK):
                content = torn + more
                whole = whole_lines(content)
                torn = content[len(whole) :]
                self.offset += len(whole)
                if whole:
                    yield self._parse(whole)

    def _parse(self, whole: bytes) -> list[AnyEvent]:
        events = []
        for line in whole[:-1].split(b"\n"):
            with suppress(ValueError):
                if (event := parse(line)) is not None:
                    events.append(event)
        return events


def parse(line: bytes) -> AnyEvent | None:
    """The event of one line of the log, or None if a newer program wrote something that this one does not know.

    A wizard can be older than the worker it is attached to. Within a format version, a newer program may add kinds and fields, and both
    are skipped. A change in the meaning of what exists raises the version, and events of a newer version are skipped altogether. Kinds
    that only version 1 had are translated. Raises ValueError for a line that is no event.
    """
    try:
        # Straight from the bytes: a fifth of the time of json.loads and validate_python.
        event = PARSER.validate_json(line)
    except ValidationError as error:
        return _parse_unknown(line, error)
    return event if event.v <= VERSION else None


def _parse_unknown(line: bytes, error: ValidationError) -> AnyEvent | None:
    try:
        row: Any = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(row, dict):
        raise error
    version, kind = row.get("v"), row.get("kind")
    if version == 1 and kind in events_v1.KINDS:
        return PARSER.validate_python(events_v1.translate(row))
    if (isinstance(version, int) and version > VERSION) or (isinstance(kind, str) and kind not in KINDS):
        return None
    return PARSER.validate_python(_without_unknown_fields(row, error))


def _without_unknown_fields(row: dict[str, Any], error: ValidationError) -> dict[str, Any]:
    """The row without the fields that the error calls unknown. Raises the error if it has another reason too."""
    for found in error.errors():
        if found["type"] != "extra_forbidden":
            raise error
        _, *way, field = found["loc"]  # the first part is the kind
        holder: Any = row
        for key in way:
            holder = holder[key]
        del holder[field]
    return row
