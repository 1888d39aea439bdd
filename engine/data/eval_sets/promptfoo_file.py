"""The rows of a configuration of promptfoo in YAML: its tests, each with what `defaultTest` adds.

https://www.promptfoo.dev/docs/configuration/reference/
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from tuneproof.engine.case.case_text import CaseTextError, read_case_text
from tuneproof.engine.case.key_origins import KeyPath, origin_of
from tuneproof.engine.data.notes import NotRead, RowNote
from tuneproof.engine.data.problems import UnreadableRow
from tuneproof.engine.data.raw import InvalidRow, Misnamed, RawRow, RawRows

TESTS, DEFAULT_TEST = "tests", "defaultTest"

NOT_EVAL_SET = "a YAML file is read as the configuration of promptfoo, whose cases are under `tests`"


def promptfoo_rows(content: io.BufferedReader) -> RawRows:
    """The tests of a configuration, or of a file that is a list of tests. Raises Misnamed if there are none in it."""
    try:
        text = content.read().decode("utf-8-sig")
        read = read_case_text(text)
    except UnicodeDecodeError as error:
        raise Misnamed(f"the file is not UTF-8: byte {error.start + 1}", fix="save it as UTF-8") from None
    except CaseTextError as error:
        raise Misnamed(f"line {error.line}: {error.what}", fix=error.fix or NOT_EVAL_SET) from None
    default, notes, at = _default_of(read.value), _not_read(read.value), _place(read.value)
    for number, test in enumerate(_tests(read.value)):
        line = origin_of((*at, number), read.lines)
        line = line if isinstance(line, int) else 1
        if isinstance(test, Mapping):
            yield RawRow(line, _with_default(test, default), notes if number == 0 else ())
        else:
            yield InvalidRow(line, UnreadableRow(_what_it_is(test)))


def _tests(value: Any) -> list[Any]:
    """The list of tests. Raises Misnamed if it is somewhere else."""
    tests = value.get(TESTS) if isinstance(value, Mapping) else value
    if isinstance(tests, list) and tests:
        return tests
    if isinstance(tests, str):
        raise Misnamed(f"its tests are in another file: {tests[:60]}", fix="name that file under data.eval")
    raise Misnamed(f"it has no list `{TESTS}`", fix=NOT_EVAL_SET)


def _place(value: Any) -> KeyPath:
    return (TESTS,) if isinstance(value, Mapping) else ()


def _what_it_is(test: Any) -> str:
    is_file = isinstance(test, str)
    return f"the test is in another file: {test[:60]}; name that file under data.eval" if is_file else "the test is not an object"


def _default_of(value: Any) -> Mapping[str, Any]:
    default = value.get(DEFAULT_TEST) if isinstance(value, Mapping) else None
    return default if isinstance(default, Mapping) else {}


def _with_default(test: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """A test with the variables and assertions of `defaultTest`; its own variables count before those of the default."""
    own, general = test.get("vars") or {}, default.get("vars") or {}
    both = isinstance(own, Mapping) and isinstance(general, Mapping)
    assertions = [each for part in (test, default) for each in (part.get("assert") or [])]
    return {**test, "vars": {**general, **own} if both else own, "assert": assertions}


def _not_read(value: Any) -> tuple[RowNote, ...]:
    """What of a configuration besides its tests says something."""
    if not isinstance(value, Mapping):
        return ()
    notes = []
    if value.get("prompts"):
        count = len(value["prompts"]) if isinstance(value["prompts"], list) else 1
        notes.append(NotRead(f"the prompts of promptfoo ({count}), which can be arms under `prompts` of the case", None))
    if value.get("scenarios"):
        notes.append(NotRead("the scenarios of promptfoo", None))
    return tuple(notes)
