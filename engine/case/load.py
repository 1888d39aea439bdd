"""Reading a case from YAML, with errors that name file, line and key, and writing it back with every default."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from tuneproof.engine.case.key_lines import KeyOrigins, key_lines, origin_of
from tuneproof.engine.case.overrides import apply_override
from tuneproof.engine.case.prompts import with_texts
from tuneproof.engine.case.schema import SAMPLE, Case, DraftCase
from tuneproof.engine.case.schema_errors import first_schema_error
from tuneproof.engine.case.yaml import yaml_text
from tuneproof.engine.core.errors import CaseError

CaseT = TypeVar("CaseT", bound=DraftCase)


def load_case(path: Path, overrides: Sequence[str] = ()) -> Case:
    """The case in a YAML file; relative paths in it start at the file's folder.

    `overrides` are `KEY=VALUE` with a dotted key and a YAML value, as of `--set`. Raises CaseError for anything that is wrong, with
    file, line and key.
    """
    return load_as(Case, path, overrides)


def load_as(model: type[CaseT], path: Path, overrides: Sequence[str] = ()) -> CaseT:
    """The file as a whole case or as a draft, by the model. Raises CaseError as `load_case` does."""
    node = _parse(path)
    content = yaml.SafeLoader("").construct_document(node) if node is not None else {}
    if not isinstance(content, dict):
        raise CaseError("a case is a mapping of keys to values", where=f"{path}:1", fix="start with `name:` and `decision:`")
    origins = key_lines(node)
    for override in overrides:
        origins[apply_override(content, override)] = override
    content.setdefault("name", path.stem)
    try:
        case = model.model_validate(content)
    except ValidationError as error:
        raise first_schema_error(path, error, origins) from None
    return _resolved(case, path, origins)


def dump_case(case: Case) -> str:
    """The case as YAML with every default written out, in the order of the schema."""
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


def _resolved(case: CaseT, path: Path, origins: KeyOrigins) -> CaseT:
    """The case with absolute paths, and with the schema of its task read from its file."""
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
        where = f"{path}:{origin_of(('task', 'output', 'schema'), origins)}"
        schema = _read_schema(folder / task.output.json_schema, where)
        task = task.model_copy(update={"output": task.output.model_copy(update={"json_schema": schema})})
    prompts = case.prompts and with_texts(case.prompts, folder, f"{path}:{origin_of(('prompts',), origins)}")
    return case.model_copy(update={"data": data, "model": model, "task": task, "prompts": prompts})


def _absolute(value: Any, folder: Path) -> Any:
    """The absolute path, if there is such a file in the folder; anything else may be a name on the hub and stays."""
    if isinstance(value, list):
        return [_absolute(item, folder) for item in value]
    if isinstance(value, str) and (folder / value).exists():
        return str((folder / value).resolve())
    return value


def _read_schema(path: Path, where: str) -> dict[str, Any]:
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CaseError(f"`task.output.schema` cannot be read: {error}", where=where) from None
    if not isinstance(schema, dict):
        raise CaseError("`task.output.schema` is not a JSON object", where=where)
    return schema
