"""Reading a case from YAML, with errors that name file, line and key, and writing it back with every default."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from tuneproof.engine.case.case_text import MOST_BYTES, CaseText, CaseTextError, read_case_text
from tuneproof.engine.case.key_origins import KeyOrigins, origin_of
from tuneproof.engine.case.overrides import apply_override
from tuneproof.engine.case.prompts import with_texts
from tuneproof.engine.case.schema import SAMPLE, Case, DraftCase
from tuneproof.engine.case.schema_errors import first_schema_error
from tuneproof.engine.case.script_metric import ScriptMetric
from tuneproof.engine.case.yaml import yaml_text
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.core.storable import require_storable
from tuneproof.engine.core.text_file import TextFileError, exists, read_text_file

CaseT = TypeVar("CaseT", bound=DraftCase)

MOST_SCHEMA_BYTES = 4 << 20
"""Bytes of a file that has a JSON Schema."""


def load_case(path: Path, overrides: Sequence[str] = ()) -> Case:
    """The case in a YAML file; relative paths in it start at the file's folder.

    `overrides` are `KEY=VALUE` with a dotted key and a YAML value, as of `--set`. Raises CaseError for anything that is wrong, with
    file, line and key.
    """
    return load_as(Case, path, overrides)


def load_as(model: type[CaseT], path: Path, overrides: Sequence[str] = ()) -> CaseT:
    """The file as a whole case or as a draft, by the model. Raises CaseError as `load_case` does."""
    read = _read(path)
    content, origins = read.value if read.value is not None else {}, read.lines
    if not isinstance(content, dict):
        raise CaseError("a case is a mapping of keys to values", where=f"{path}:1", fix="start with `name:` and `decision:`")
    if not content and not overrides:
        # Taken for a draft without answers, it would be written over at the first answer.
        what = "there is no case in this file: it is empty, or has only comments"
        raise CaseError(what, where=str(path), fix="start it with `name:` and `decision:`, or begin a new case in the wizard")
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


def _read(path: Path) -> CaseText:
    try:
        return read_case_text(read_text_file(path, MOST_BYTES))
    except FileNotFoundError:
        raise CaseError("there is no such case file", where=str(path)) from None
    except TextFileError as error:
        raise CaseError(f"the case file cannot be read: {error}", where=str(path), fix=error.fix) from None
    except CaseTextError as error:
        raise CaseError(error.what, where=f"{path}:{error.line}", fix=error.fix) from None


def _resolved(case: CaseT, path: Path, origins: KeyOrigins) -> CaseT:
    """The case with absolute paths, and with the schema and the script of its task read from their files."""
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
    method = case.method.model_copy(update={"trained": _absolute(case.method.trained, folder)})
    judge = case.judge
    if judge is not None:
        model_of_judge = judge.model if judge.model == SAMPLE else _absolute(judge.model, folder)
        judge = judge.model_copy(update={"model": model_of_judge, "labelled": _absolute(judge.labelled, folder)})
    task = case.task
    if task is not None and isinstance(task.output.json_schema, str):
        where = f"{path}:{origin_of(('task', 'output', 'schema'), origins)}"
        schema = _read_schema(folder / task.output.json_schema, where)
        task = task.model_copy(update={"output": task.output.model_copy(update={"json_schema": schema})})
    if task is not None and isinstance(task.metric, ScriptMetric):
        where = f"{path}:{origin_of(('task', 'metric'), origins)}"
        task = task.model_copy(update={"metric": task.metric.with_text(folder, where)})
    prompts = case.prompts and with_texts(case.prompts, folder, f"{path}:{origin_of(('prompts',), origins)}")
    return case.model_copy(update={"data": data, "model": model, "task": task, "prompts": prompts, "judge": judge, "method": method})


def _absolute(value: Any, folder: Path) -> Any:
    """The absolute path, if there is such a file in the folder; anything else may be a name on the hub and stays."""
    if isinstance(value, list):
        return [_absolute(item, folder) for item in value]
    if isinstance(value, str) and exists(folder / value):
        return str((folder / value).resolve())
    return value


def _read_schema(path: Path, where: str) -> dict[str, Any]:
    try:
        schema = json.loads(read_text_file(path, MOST_SCHEMA_BYTES))
        require_storable(schema)
    except FileNotFoundError:
        raise CaseError(f"`task.output.schema`: there is no file {path}", where=where, fix="paths are relative to the case file") from None
    except TextFileError as error:
        raise CaseError(f"`task.output.schema` cannot be read: {error}", where=where, fix=error.fix) from None
    except (ValueError, RecursionError) as error:
        raise CaseError(f"`task.output.schema` is not JSON: {error}", where=where) from None
    if not isinstance(schema, dict):
        raise CaseError("`task.output.schema` is not a JSON object", where=where)
    return schema
