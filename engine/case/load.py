"""Reading a case from YAML, with errors that name file, line and key, and writing it back whole."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tuneproof.engine.case.schema import SAMPLE, Case, DraftCase
from tuneproof.engine.case.yaml import yaml_text
from tuneproof.engine.core.errors import CaseError

Keys = tuple[str | int, ...]
Read = TypeVar("Read", bound=DraftCase)


def load_case(path: Path, overrides: Sequence[str] = ()) -> Case:
    """The case in a YAML file; relative paths in it are taken from the file's folder.

    `overrides` are `KEY=VALUE` with a dotted key and a YAML value. Raises CaseError for whatever is wrong, with the line where it stands.
    """
    return load_as(Case, path, overrides)


def load_as(model: type[Read], path: Path, overrides: Sequence[str] = ()) -> Read:
    """The file as a whole case or as a draft of one, told apart by the model. Raises CaseError as `load_case` does."""
    node = _parse(path)
    raw = yaml.SafeLoader("").construct_document(node) if node is not None else {}
    if not isinstance(raw, dict):
        raise CaseError("a case is a mapping of keys to values", where=f"{path}:1", fix="start with `name:` and `decision:`")
    lines = _lines(node)
    for override in overrides:
        lines[_override(raw, override)] = override
    raw.setdefault("name", path.stem)
    try:
        case = model.model_validate(raw)
    except ValidationError as error:
        raise _first_error(path, error, lines) from None
    return _resolved(case, path, lines)


def dump_case(case: Case) -> str:
    """The case as YAML with every default written out, in the order of the contract."""
    return yaml_text(case.model_dump(mode="json", by_alias=True))


def _parse(path: Path) -> yaml.Node | None:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CaseError("there is no such case file", where=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"the case file cannot be read: {error}", where=str(path)) from None
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CaseError(f"not YAML: {error.problem}", where=f"{path}:{line}") from None
    except yaml.YAMLError as error:
        raise CaseError(f"not YAML: {error}", where=str(path)) from None


def _lines(node: yaml.Node | None, at: Keys = ()) -> dict[Keys, int | str]:
    """Where each key stands, counted from 1; raises CaseError for a key that stands twice."""
    found: dict[Keys, int | str] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*at, key.value)
            if here in found:
                raise CaseError(f"the key `{key.value}` stands twice", where=f"line {key.start_mark.line + 1}", fix="keep one")
            found[here] = key.start_mark.line + 1
            found |= _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found[(*at, index)] = value.start_mark.line + 1
            found |= _lines(value, (*at, index))
    return found


def _override(raw: dict[str, Any], override: str) -> Keys:
    """Puts `a.b=value` into the raw case and returns its keys."""
    dotted, equals, text = override.partition("=")
    keys = tuple(dotted.split("."))
    if not equals or not all(keys):
        raise CaseError("not of the form KEY=VALUE", where=f"--set {override}", fix="write --set training.epochs=1")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise CaseError("the value is not YAML", where=f"--set {override}") from None
    inner = raw
    for key in keys[:-1]:
        if inner.get(key) is None:
            inner[key] = {}
        inner = inner[key]
        if not isinstance(inner, dict):
            raise CaseError(f"`{key}` has no keys below it", where=f"--set {override}")
    inner[keys[-1]] = value
    return keys


def _first_error(path: Path, error: ValidationError, lines: dict[Keys, int | str]) -> CaseError:
    """The first thing pydantic found, told as a person would: file, line, key, and the right key for a misspelt one."""
    found = min(error.errors(), key=lambda e: (e["type"] != "extra_forbidden", str(_line(e["loc"], lines))))
    loc = tuple(found["loc"])
    key = ".".join(str(part) for part in loc if not str(part).startswith(("function-", "list[", "dict[", "str")))
    line = _line(loc, lines)
    where = str(line) if isinstance(line, str) else f"{path}:{line}" if line else str(path)
    # A key may have been put where it does not belong: of what stands under `endpoint`, no value is shown.
    secret = loc[:1] == ("endpoint",)
    where = f"--set {where.partition('=')[0] if secret else where}" if isinstance(line, str) else where
    if found["type"] == "extra_forbidden":
        allowed = _fields_at(loc[:-1])
        close = difflib.get_close_matches(str(loc[-1]), allowed, n=1, cutoff=0.5)
        fix = f"did you mean `{close[0]}`?" if close else f"allowed here: {', '.join(allowed)}"
        return CaseError(f"unknown key `{key}`", where=where, fix=fix)
    if found["type"] == "missing":
        return CaseError(
            f"`{key}` is missing",
            where=where,
            fix=f"add `{loc[-1]}:` under `{'.'.join(map(str, loc[:-1])) or 'the top'}`",
        )
    message = found["msg"].removeprefix("Value error, ").removeprefix("Input ")
    given = "" if secret or isinstance(found["input"], dict | list) else f", not {json.dumps(found['input'], default=str)}"
    return CaseError(f"`{key}`: {message}{given}" if key else message, where=where)


def _line(loc: Iterable[str | int], lines: dict[Keys, int | str]) -> int | str | None:
    """The line of the key, or of the nearest key above it that is there."""
    keys = tuple(loc)
    while keys and keys not in lines:
        keys = keys[:-1]
    return lines.get(keys)


def _fields_at(loc: Keys) -> list[str]:
    """The keys that the case file knows at a place."""
    model: Any = Case
    for part in loc:
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        candidates = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if model is None:
            return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _resolved(case: Read, path: Path, lines: dict[Keys, int | str]) -> Read:
    """The case with absolute paths and its schema inline."""
    folder = path.resolve().parent
    data = case.data and case.data.model_copy(
        update={
            "examples": _absolute(case.data.examples, folder),
            "eval": _absolute(case.data.eval, folder),
            "documents": _absolute(case.data.documents, folder),
        }
    )
    model = case.model
    if model is not None and model.base != SAMPLE:
        model = model.model_copy(update={"base": _absolute(model.base, folder)})
    task = case.task
    if task is not None and isinstance(task.output.json_schema, str):
        at = f"{path}:{_line(('task', 'output', 'schema'), lines)}"
        schema = _read_schema(folder / task.output.json_schema, at)
        task = task.model_copy(update={"output": task.output.model_copy(update={"json_schema": schema})})
    return case.model_copy(update={"data": data, "model": model, "task": task})


def _absolute(value: Any, folder: Path) -> Any:
    """A path made absolute where such a file exists; anything else may be a hub name and stays."""
    if isinstance(value, list):
        return [_absolute(item, folder) for item in value]
    if isinstance(value, str) and (folder / value).exists():
        return str((folder / value).resolve())
    return value


def _read_schema(path: Path, at: str) -> dict[str, Any]:
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CaseError(f"`task.output.schema` cannot be read: {error}", where=at) from None
    if not isinstance(schema, dict):
        raise CaseError("`task.output.schema` is not a JSON object", where=at)
    return schema
