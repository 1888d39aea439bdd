"""A case whose questions are being answered. Every answer is saved at once, so closing the wizard loses nothing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tuneproof.engine.case.load import load_as
from tuneproof.engine.case.plain_words import in_plain_words
from tuneproof.engine.case.route import QUESTIONS, RouteAnswers
from tuneproof.engine.case.schema import SAMPLE, Case, DraftCase
from tuneproof.engine.case.section import CaseSection
from tuneproof.engine.case.yaml import yaml_text
from tuneproof.engine.core.atomic_write import write_atomically
from tuneproof.engine.core.errors import CaseError, UsageError

LATER_SECTIONS = {"method", "training", "evaluate", "risk", "budget"}
"""Sections that a draft file leaves out as long as they have only defaults."""

REQUIRED_ANSWERS = ["private_facts", "format_drift", "stable_task"]
"""Keys of the answers that a route needs. The number of examples can be counted, and the other answers default to no."""

MAX_STEM = 60
"""Characters of a case's name that file names take: at four bytes each, they leave room for suffixes within 255 bytes."""


class Draft:
    """A case file that is being written. `path` is None if there is no file to save it to, as for a run that was opened by its folder."""

    def __init__(self, content: DraftCase, path: Path | None) -> None:
        self.content, self.path = content, path
        self._written: str | None = None

    @classmethod
    def new(cls, folder: Path, name: str) -> Draft:
        """A draft without answers, with a file name that is not taken. Raises CaseError if the name is empty or too long."""
        if not name.strip():
            raise CaseError("a case needs a name", where="name", fix="type a word or two, such as `support tickets`")
        try:
            return cls(DraftCase(name=name.strip()), free_path(folder, name))
        except ValidationError as error:
            raise CaseError(in_plain_words(error.errors()[0]), where="name", fix="type a word or two, such as `support tickets`") from None

    @classmethod
    def open(cls, path: Path) -> Draft:
        """The draft or case in a file. Raises CaseError as `load_case` does."""
        return cls(load_as(DraftCase, path), path)

    @classmethod
    def open_copy(cls, path: Path, folder: Path) -> Draft:
        """A copy of a case in another folder, or the copy made there before. This is how sample cases are opened."""
        content = load_as(DraftCase, path)
        copy = folder / f"{file_stem(content.name)}.yaml"
        if copy.is_file():
            return cls.open(copy)
        draft = cls(content, copy)
        draft.save()
        return draft

    @classmethod
    def copy_to(cls, other: Draft, folder: Path) -> Draft:
        """A draft of the same content, with a file name that is not taken."""
        return cls(other.content, free_path(folder, other.content.name))

    def answer(self, key: str, value: bool | int | None) -> None:
        """Sets one answer and saves; None takes it back. Raises CaseError if the question does not allow the value."""
        self._update({"decision": self.content.decision.model_dump() | {key: value}})

    def choose(self, **sections: Any) -> None:
        """Sets whole sections (`data`, `task`, `model`, `baselines`, `method`, `training`, `target`, `budget`) and saves.

        Raises CaseError if they do not fit together.
        """
        self._update({name: _as_data(value) for name, value in sections.items()})

    def case(self) -> Case:
        """The draft as a case. Raises CaseError, with the first missing answer, if there is one."""
        missing = self.unanswered()
        if missing:
            where = str(self.path or self.content.name)
            raise CaseError(f"`decision.{missing[0]}` is not answered yet", where=where, fix="answer it first")
        # An optional question without an answer gets its default.
        whole = as_given(self.content)
        whole["decision"] = {key: value for key, value in whole["decision"].items() if value is not None}
        return Case.model_validate(whole)

    def unanswered(self) -> list[str]:
        """The keys of the required answers that are missing, in the order of the questions."""
        decision = self.content.decision
        missing = [key for key in REQUIRED_ANSWERS if getattr(decision, key) is None]
        if decision.labeled_examples is None and self.content.data is None:
            missing.append("labeled_examples")
        return missing

    def route_answers(self, counted: int | None = None) -> RouteAnswers | None:
        """The answers, or None if one that the route needs is missing.

        `counted` is the number of examples in the data, for a draft that does not state it.
        """
        decision = self.content.decision
        examples = decision.labeled_examples if decision.labeled_examples is not None else counted
        if any(getattr(decision, key) is None for key in REQUIRED_ANSWERS) or examples is None:
            return None
        given: dict[str, Any] = {q.key: getattr(decision, q.key) or False for q in QUESTIONS}
        return RouteAnswers(**{**given, "labeled_examples": examples})

    def save(self) -> None:
        """Writes the file. If a person has edited it, a copy is kept beside it first, because comments and order would be lost.

        Raises UsageError if it cannot be written.
        """
        if self.path is None:
            return
        text = draft_text(self.content, self.path.parent)
        try:
            if self.path.is_file() and not self._was_written_here(self.path):
                shutil.copyfile(self.path, _backup_path(self.path))
            write_atomically(self.path, text)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise UsageError(
                f"cannot write: {reason}", where=str(self.path), fix="the answers are kept as long as the program runs"
            ) from None
        self._written = text

    def _was_written_here(self, path: Path) -> bool:
        """Whether the file is exactly as this program writes it, so that overwriting it loses no edit."""
        try:
            text = path.read_text(encoding="utf-8")
            return text == self._written or text == draft_text(load_as(DraftCase, path), path.parent)
        except (UnicodeDecodeError, CaseError):
            return False

    def changed(self, **sections: Any) -> DraftCase:
        """The content with other sections, as `choose` would save it; None restores the default. Raises CaseError as `choose` does."""
        return self._changed({name: _as_data(value) for name, value in sections.items()})

    def _changed(self, sections: Mapping[str, Any]) -> DraftCase:
        given = as_given(self.content) | dict(sections)
        try:
            return DraftCase.model_validate({name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"] if not str(part).startswith("function-"))
            raise CaseError(in_plain_words(first), where=where) from None

    def _update(self, sections: Mapping[str, Any]) -> None:
        content = self._changed(sections)
        if content != self.content:
            self.content = content
            self.save()


def as_given(content: DraftCase) -> dict[str, Any]:
    """The draft as data, without baselines that are only the default, which depends on the task."""
    whole = content.model_dump(by_alias=True)
    return whole if content.names_baselines else {key: value for key, value in whole.items() if key != "baselines"}


def draft_text(content: DraftCase, folder: Path) -> str:
    """The draft as YAML: the answers and choices made so far. Paths below the file's folder are relative to it, so the folder can move."""
    whole = content.model_dump(mode="json", by_alias=True, exclude_none=True)
    for name in LATER_SECTIONS:
        if getattr(content, name) == DraftCase.model_fields[name].default:
            del whole[name]
    if not content.names_baselines:
        del whole["baselines"]
    data = whole.get("data", {})
    for key in ("examples", "eval", "documents"):
        if key in data:
            data[key] = _relative(data[key], folder)
    if content.model is not None:
        base = _relative(content.model.base, folder)
        # A folder called `sample` needs a prefix, or it would be read as the sample model.
        whole["model"]["base"] = f"./{base}" if base == SAMPLE != content.model.base else base
    return yaml_text(whole)


def free_path(folder: Path, name: str) -> Path:
    """A path in the folder for a new case file, from the case's name, that is not taken."""
    stem = file_stem(name)
    candidates = [folder / f"{stem}.yaml", *(folder / f"{stem}-{number}.yaml" for number in range(2, 10_000))]
    return next(path for path in candidates if not path.exists())


def file_stem(name: str) -> str:
    """The name of a case as a file name without ending."""
    return re.sub(r"[^\w.-]+", "-", name)[:MAX_STEM].strip("-.") or "case"


def next_run_dir(name: str, folder: Path = Path("runs")) -> Path:
    """The folder for the next run of a case: its name, and one more than the highest number there is."""
    stem = file_stem(name)
    taken = [int(p.name.rpartition("-")[2]) for p in folder.glob(f"{stem}-*") if p.name.rpartition("-")[2].isdecimal()]
    return folder / f"{stem}-{max(taken, default=0) + 1}"


def _backup_path(path: Path) -> Path:
    """A path beside the file for a copy of it that overwrites no earlier copy."""
    first = path.with_name(path.name + ".orig")
    candidates = [first, *(path.with_name(f"{path.name}.orig-{number}") for number in range(2, 10_000))]
    return next(candidate for candidate in candidates if not candidate.exists())


def _relative(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_relative(item, folder) for item in value]
    path = Path(value)
    inside = path.is_absolute() and path.is_relative_to(folder.resolve())
    return str(path.relative_to(folder.resolve())) if inside else value


def _as_data(value: CaseSection | Any) -> Any:
    return value.model_dump(by_alias=True) if isinstance(value, CaseSection) else value
