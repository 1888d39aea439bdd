"""What a person enters for a key of the case file: as text to edit, and read back into a value."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from tuneproof.engine.arms import untuned_arms
from tuneproof.engine.case.case_text import CaseTextError, read_case_text
from tuneproof.engine.case.scalars import plain_scalar
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.task import Task
from tuneproof.engine.case.yaml import yaml_text
from tuneproof.engine.session.base_check import check_base
from tuneproof.engine.session.case_keys import CaseKey, KeyKind
from tuneproof.engine.session.form_input import (
    InputDoubt,
    InputError,
    base_model,
    examples_named,
    number_text,
    parse_schema,
    path_or_hub_name,
)
from tuneproof.engine.session.script_form import script_entered

DEFAULT, YES, NO = "default", "yes", "no"
"""The words that are chosen for a key that is yes or no; the first also for one of a few names."""

OF_SECTIONS = (("prompts",), ("evaluate", "compare"), ("task", "output", "bounds"))
"""Structures of sections: what is none there is not given. Elsewhere none is a value."""

DOCUMENT_ENDINGS = (".txt", ".md")

BASE, DOCUMENTS, BASELINES, SCHEMA = ("model", "base"), ("data", "documents"), ("baselines",), ("task", "output", "schema")
METRIC = ("task", "metric")
FILES = (("data", "examples"), ("data", "eval"))


def shown_value(value: Any) -> str:
    """A value in a line."""
    match value:
        case None:
            return "none"
        case bool():
            return YES if value else NO
        case float():
            return number_text(value)
        case int() | str():
            return str(value)
        case list() if all(isinstance(each, str) for each in value):
            return ", ".join(value) or "none"
        case dict() | list():
            return f"{len(value)}: {', '.join(map(str, value))}" if value else "none"
    return str(value)


def text_to_edit(key: CaseKey) -> str:
    """The value as the text that is edited; empty if the case does not have it."""
    value = key.value
    if value is None or (not key.is_own and key.kind is not KeyKind.STRUCTURE):
        return ""
    match key.kind:
        case KeyKind.LIST:
            return "\n".join([value] if isinstance(value, str) else value)
        case KeyKind.STRUCTURE:
            shown = _without_none(value) if key.path in OF_SECTIONS else value
            return shown if isinstance(shown, str) else yaml_text(shown, blocks=True) if shown else ""
        case KeyKind.NUMBER:
            return f"{value:g}"
    return shown_value(value)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(each) for key, each in value.items() if each is not None}
    return [_without_none(each) for each in value] if isinstance(value, list) else value


def read_value(key: CaseKey, text: str, content: DraftCase) -> Any:
    """The value of a typed text or chosen word; None for the default. Raises InputError if it is none that the key takes."""
    stripped = text.strip()
    if not stripped or (key.kind in (KeyKind.YES_NO, KeyKind.CHOICE) and stripped == DEFAULT):
        return None
    match key.kind:
        case KeyKind.YES_NO:
            return stripped == YES
        case KeyKind.NUMBER | KeyKind.WHOLE:
            return _number(stripped, is_whole=key.kind is KeyKind.WHOLE)
        case KeyKind.STRUCTURE:
            return _structure(key, text)
        case KeyKind.LIST:
            return _listed(key, text, content)
        case KeyKind.TEXT:
            return text.strip("\n")
    if key.path == DOCUMENTS:
        return path_or_hub_name(stripped)
    return base_model(stripped) if key.path == BASE else stripped


def says(key: CaseKey, text: str) -> str:
    """What there is to say about a text that can be read; may take seconds for a base. Raises InputError if the files are not right."""
    if not text.strip():
        if key.is_required and key.optional_section and key.section_is_there:
            return f"takes the whole section `{'.'.join(key.optional_section)}` out"
        return "" if key.default is None else f"the default: {shown_value(key.default)}"
    if key.path == BASE:
        return check_base(text)
    if key.path == DOCUMENTS:
        return _about_documents(Path(text.strip()).expanduser())
    return ""


def is_slow(key: CaseKey) -> bool:
    """Whether it may take seconds to check the key."""
    return key.path == BASE


def _number(text: str, *, is_whole: bool) -> float | int:
    plain = text.replace("_", "").replace(",", "") if text.count(",") != 1 or is_whole else text.replace(",", ".")
    try:
        value = plain_scalar(plain)
    except ValueError as error:
        raise InputError(str(error)) from None
    if isinstance(value, float) and is_whole and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int if is_whole else int | float):
        raise InputError("write a whole number, such as 8" if is_whole else "write a number, such as 0.5 or 2e-4")
    return value if is_whole else float(value)


def _structure(key: CaseKey, text: str) -> Any:
    if key.path == SCHEMA:
        return parse_schema(text) if text.lstrip().startswith("{") else _yaml(text)
    value = _yaml(text)
    if key.path == METRIC and isinstance(value, dict) and isinstance(value.get("script"), str):
        value["script"] = script_entered(value["script"], Path.cwd(), Task()).script
    return value


def _yaml(text: str) -> Any:
    try:
        return read_case_text(text).value
    except CaseTextError as error:
        raise InputError(f"line {error.line}: {error}; {error.fix}".rstrip("; "), line=error.line) from None


def _listed(key: CaseKey, text: str, content: DraftCase) -> Any:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if key.path == BASELINES:
        known = untuned_arms(content)
        for number, arm in enumerate(lines, start=1):
            if arm not in known:
                near = difflib.get_close_matches(arm, known, n=1)
                raise InputError(f"there is no arm `{arm[:40]}`; {f'did you mean {near[0]}?' if near else ', '.join(known)}", line=number)
    if key.path in FILES:
        named = [examples_named(line) for line in lines]
        return named[0] if len(named) == 1 else named
    return lines


def _about_documents(folder: Path) -> str:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}: name the one that has the documents, as .txt or .md files")
    found = sum(1 for path in folder.rglob("*") if path.suffix.lower() in DOCUMENT_ENDINGS)
    if not found:
        raise InputDoubt(f"{folder} has no .txt or .md file, and retrieval reads only those")
    return f"{found:,} {'document' if found == 1 else 'documents'}"
