"""`prompts`: your own prompts, each of which becomes an arm."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from tuneproof.engine.case.section import CaseSection
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.core.text_file import TextFileError, read_text_file

INPUT = "{input}"
"""Where the input of a case goes. In a prompt without it, the input follows after an empty line."""

MOST_BYTES = 1 << 20
"""Bytes of a file that has a prompt."""

NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
"""The names of prompts: they are part of file names."""


class Prompt(CaseSection):
    """One prompt: a text of one or several lines, or the file that has it. A loaded case has the text itself."""

    system: str | None = Field(default=None, min_length=1)
    """The system turn. None: the row's own, if it has one."""
    user: str = Field(default=INPUT, min_length=1)
    """The user turn; `{input}` is where the input goes."""

    @property
    def template(self) -> str:
        """The user turn with a place for the input."""
        return self.user if INPUT in self.user else f"{self.user.rstrip()}\n\n{INPUT}"

    def filled(self, text: str) -> str:
        """The user turn for one input."""
        return self.template.replace(INPUT, text)


def as_mapping(given: Any) -> Any:
    """The prompts by name: a list is named by its files, or by numbers, and a plain text is a user turn."""
    if isinstance(given, list):
        given = {_name_of(each, number): each for number, each in enumerate(given, 1)}
    if not isinstance(given, dict):
        return given
    return {name: {"user": each} if isinstance(each, str) else each for name, each in given.items()}


def _name_of(given: Any, number: int) -> str:
    stem = Path(given).stem.lower().replace("-", "_") if isinstance(given, str) and _names_a_file(given) else ""
    return stem or str(number)


def _names_a_file(text: str) -> bool:
    """Whether a text is meant as the name of a file: one word with an ending, and no place for an input."""
    return INPUT not in text and re.fullmatch(r"\S+\.[A-Za-z]{1,8}", text) is not None


def with_texts(prompts: dict[str, Prompt], folder: Path, where: str) -> dict[str, Prompt]:
    """The prompts with every file read; file names start at `folder`. Raises CaseError for a file that cannot be read."""
    return {
        name: prompt.model_copy(
            update={
                "system": None if prompt.system is None else _text(prompt.system, folder, where, name),
                "user": _text(prompt.user, folder, where, name),
            }
        )
        for name, prompt in prompts.items()
    }


def _text(given: str, folder: Path, where: str, name: str) -> str:
    if not _names_a_file(given):
        return given
    fix = "give a text file, or the prompt itself"
    try:
        text = read_text_file(folder / given, MOST_BYTES).strip("\n")
    except FileNotFoundError:
        raise CaseError(f"`prompts.{name}` cannot be read: there is no file {given}", where=where, fix=fix) from None
    except TextFileError as error:
        raise CaseError(f"`prompts.{name}` cannot be read: {error}", where=where, fix=error.fix or fix) from None
    if not text.strip():
        raise CaseError(f"`prompts.{name}` is empty", where=where, fix=f"write the prompt, with {INPUT} where the input goes")
    return text


class WithPrompts(CaseSection):
    """What a case with prompts has."""

    prompts: dict[str, Prompt] = Field(default={}, exclude_if=lambda prompts: not prompts)
    """Your own prompts by name. Each is an arm, `prompt_<name>`."""

    @field_validator("prompts", mode="before")
    @classmethod
    def names_its_prompts(cls, given: Any) -> Any:
        return as_mapping(given)

    @field_validator("prompts")
    @classmethod
    def names_can_be_file_names(cls, prompts: dict[str, Prompt]) -> dict[str, Prompt]:
        for name in prompts:
            if not NAME.fullmatch(name):
                raise ValueError(f"`{name}` is no name of a prompt: use lower-case letters, digits and underscores")
        return prompts
