"""A case that is being answered: kept in a file at every answer, so that closing half-way loses nothing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tuneproof.engine.case.data import Data
from tuneproof.engine.case.load import load_as
from tuneproof.engine.case.route import QUESTIONS, RouteAnswers
from tuneproof.engine.case.schema import SAMPLE, Case, DraftCase, DraftDecisionAnswers, ModelChoice
from tuneproof.engine.case.task import Task
from tuneproof.engine.case.yaml import yaml_text
from tuneproof.engine.core.atomic_write import write_atomically
from tuneproof.engine.core.errors import CaseError, UsageError

LATER_SECTIONS = {"method", "training", "evaluate", "budget"}
"""Sections that a draft file leaves out while nothing in them was chosen."""

ALWAYS_ASKED = ["private_facts", "format_drift", "stable_task"]
"""The answers without which there is no route; the number of examples can be counted, the others default to no."""

LONGEST_STEM = 60
"""Characters of a case's name that its file and its runs are called by: of four bytes each, they leave room for what is put behind them."""


class Draft:
    """A case file in the making; `path` is None where there is nowhere to keep it (a run that was opened by its folder)."""

    def __init__(self, content: DraftCase, path: Path | None) -> None:
        self.content, self.path = content, path
        self._written: str | None = None

    @classmethod
    def new(cls, folder: Path, name: str) -> Draft:
        """A draft with no answer yet, in a file of its own. Raises CaseError for a name that cannot be one."""
        if not name.strip():
            raise CaseError("a case needs a name", where="name", fix="type a word or two, as `support tickets`")
        try:
            return cls(DraftCase(name=name.strip()), free_path(folder, name))
        except ValidationError as error:
            raise CaseError(error.errors()[0]["msg"], where="name", fix="type a word or two, as `support tickets`") from None

    @classmethod
    def open(cls, path: Path) -> Draft:
        """The draft or case that a file holds. Raises CaseError as reading a case does."""
        return cls(load_as(DraftCase, path), path)

    @classmethod
    def own_copy_of(cls, path: Path, folder: Path) -> Draft:
        """A case as a draft of one's own in a folder: how the sample cases are opened; the copy from last time, where there is one."""
        content = load_as(DraftCase, path)
        own = folder / f"{file_stem(content.name)}.yaml"
        if own.is_file():
            return cls.open(own)
        draft = cls(content, own)
        draft.save()
        return draft

    @classmethod
    def copy_into(cls, other: Draft, folder: Path) -> Draft:
        """A draft of the same content in a file of its own."""
        return cls(other.content, free_path(folder, other.content.name))

    def answer(self, key: str, value: bool | int | None) -> None:
        """Takes one answer and saves. Raises CaseError for a value that the question does not have."""
        self._take({"decision": self.content.decision.model_dump() | {key: value}})

    def choose(self, **sections: Any) -> None:
        """Takes whole sections (`data`, `task`, `model`, `baselines`, `method`, `training`, `target`, `budget`) and saves.

        Raises CaseError where they do not fit each other.
        """
        self._take({name: _plain(value) for name, value in sections.items()})

    def case(self) -> Case:
        """The draft as a case. Raises CaseError with the first answer that is missing."""
        missing = self.unanswered()
        if missing:
            where = str(self.path or self.content.name)
            raise CaseError(f"`decision.{missing[0]}` is not answered yet", where=where, fix="answer it first")
        # An answer that was not asked for is left to its default.
        whole = self.content.model_dump(by_alias=True)
        whole["decision"] = {key: value for key, value in whole["decision"].items() if value is not None}
        return Case.model_validate(whole)

    def unanswered(self) -> list[str]:
        """The keys of the answers without which there is no route."""
        decision = self.content.decision
        missing = [key for key in ALWAYS_ASKED if getattr(decision, key) is None]
        if decision.labeled_examples is None and self.content.data is None:
            missing.append("labeled_examples")
        return missing

    def answers(self, counted: int | None = None) -> RouteAnswers | None:
        """The seven answers, once there is a route in them; `counted` stands in for a number of examples that was not told."""
        decision = self.content.decision
        examples = decision.labeled_examples if decision.labeled_examples is not None else counted
        if any(getattr(decision, key) is None for key in ALWAYS_ASKED) or examples is None:
            return None
        given: dict[str, Any] = {q.key: getattr(decision, q.key) or False for q in QUESTIONS}
        return RouteAnswers(**{**given, "labeled_examples": examples})

    def save(self) -> None:
        """Writes the file whole. A file that a person wrote is kept beside it first: its comments and its order would be lost.

        Raises UsageError where it cannot be written.
        """
        if self.path is None:
            return
        text = draft_text(self.content, self.path.parent)
        try:
            if self.path.is_file() and not self._is_ours(self.path):
                shutil.copyfile(self.path, _free_original(self.path))
            write_atomically(self.path, text)
        except OSError as error:
            told = os.strerror(error.errno) if error.errno else str(error)
            raise UsageError(f"cannot write: {told}", where=str(self.path), fix="nothing is lost while this stays open") from None
        self._written = text

    def _is_ours(self, path: Path) -> bool:
        """Whether the file stands as this program writes it, so that nothing of a person's is lost when it is written over."""
        try:
            text = path.read_text(encoding="utf-8")
            return text == self._written or text == draft_text(load_as(DraftCase, path), path.parent)
        except (UnicodeDecodeError, CaseError):
            return False

    def _take(self, sections: Mapping[str, Any]) -> None:
        try:
            content = DraftCase.model_validate(self.content.model_dump(by_alias=True) | dict(sections))
        except ValidationError as error:
            first = error.errors()[0]
            told = first["msg"].removeprefix("Value error, ")
            raise CaseError(told, where=".".join(str(part) for part in first["loc"] if not str(part).startswith("function-"))) from None
        if content != self.content:
            self.content = content
            self.save()


def draft_text(content: DraftCase, folder: Path) -> str:
    """The draft as YAML: what was answered and chosen, with paths below the file's folder relative to it."""
    whole = content.model_dump(mode="json", by_alias=True, exclude_none=True)
    for name in LATER_SECTIONS:
        if getattr(content, name) == DraftCase.model_fields[name].default:
            del whole[name]
    data = whole.get("data", {})
    for key in ("examples", "eval", "documents"):
        if key in data:
            data[key] = _relative(data[key], folder)
    if content.model is not None:
        base = _relative(content.model.base, folder)
        # A folder of that name is not the model that ships.
        whole["model"]["base"] = f"./{base}" if base == SAMPLE != content.model.base else base
    return yaml_text(whole)


def free_path(folder: Path, name: str) -> Path:
    """A file name for a case that is not taken in the folder."""
    stem = file_stem(name)
    candidates = [folder / f"{stem}.yaml", *(folder / f"{stem}-{number}.yaml" for number in range(2, 10_000))]
    return next(path for path in candidates if not path.exists())


def file_stem(name: str) -> str:
    """The name of a case as a file name."""
    return re.sub(r"[^\w.-]+", "-", name)[:LONGEST_STEM].strip("-.") or "case"


def next_run_dir(name: str, folder: Path = Path("runs")) -> Path:
    """The folder for the next run of a case: its name and the first number after those that are there."""
    stem = file_stem(name)
    taken = [int(p.name.rpartition("-")[2]) for p in folder.glob(f"{stem}-*") if p.name.rpartition("-")[2].isdigit()]
    return folder / f"{stem}-{max(taken, default=0) + 1}"


def _free_original(path: Path) -> Path:
    """Where a file that a person wrote is kept: beside it, and never over one that was kept before."""
    first = path.with_name(path.name + ".orig")
    candidates = [first, *(path.with_name(f"{path.name}.orig-{number}") for number in range(2, 10_000))]
    return next(candidate for candidate in candidates if not candidate.exists())


def _relative(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_relative(item, folder) for item in value]
    path = Path(value)
    inside = path.is_absolute() and path.is_relative_to(folder.resolve())
    return str(path.relative_to(folder.resolve())) if inside else value


def _plain(value: DraftDecisionAnswers | Data | Task | ModelChoice | Any) -> Any:
    return value.model_dump(by_alias=True) if hasattr(value, "model_dump") else value
