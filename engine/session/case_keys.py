"""Every key of the case file as the wizard lists it: what it means, which values it takes, its default, and the value of this case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tuneproof.engine.case.draft import as_given
from tuneproof.engine.case.key_meanings import meaning_of
from tuneproof.engine.case.prompts import Prompt
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.section import CaseSection
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.methods.plan import AUTO, make_plan
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.run.store import CHOSEN_LATER

Path = tuple[str, ...]
"""A key with the sections above it, outermost first."""


class KeyKind(Enum):
    """What a person enters for a key."""

    LINE = auto()
    TEXT = auto()
    """A text that may have lines."""
    LIST = auto()
    """Texts, one a line."""
    NUMBER = auto()
    WHOLE = auto()
    YES_NO = auto()
    CHOICE = auto()
    STRUCTURE = auto()
    """Keys and lists below the key, edited as YAML."""
    FIXED = auto()


@dataclass(frozen=True)
class CaseKey:
    """One key."""

    path: Path
    kind: KeyKind
    meaning: str
    value: Any
    """As data; None if the case does not have it."""
    default: Any
    is_required: bool
    """Whether its section cannot be without it."""
    section_is_there: bool
    choices: tuple[str, ...] = ()
    optional_section: Path = ()
    """The section above it that a case may leave out; empty if there is none."""

    @property
    def name(self) -> str:
        """The key as the case file has it, with dots."""
        return ".".join(self.path)

    @property
    def is_own(self) -> bool:
        """Whether the case has another value than the default."""
        return self.value is not None and self.value != self.default


TEXTS_WITH_LINES = {("task", "instruction"), ("task", "output", "pattern")}
SECTIONS_WITH_TEXTS = (Prompt,)
"""Their texts may have lines."""

CHOICES: dict[Path, tuple[str, ...]] = {("method", "name"): (AUTO, *METHODS)}
"""Keys that take one of a few names, which the schema does not list."""


def _order() -> list[str]:
    """The sections in the order of the list: prompts, a field of the class that others are derived from, would come first."""
    names = [name for name in DraftCase.model_fields if name != "prompts"]
    names.insert(names.index("baselines") + 1, "prompts")
    return names


ORDER = _order()


def case_keys(content: DraftCase) -> list[CaseKey]:
    """All keys in the order of the case file; a prompt of the case has its own."""
    keys = _keys_of(DraftCase, (), as_given(content), (), content)
    return sorted(keys, key=lambda key: ORDER.index(key.path[0]))


def _keys_of(
    model: type[CaseSection], above: Path, given: Mapping[str, Any] | None, optional: Path, content: DraftCase
) -> Iterator[CaseKey]:
    """The keys of a section; `optional` is the nearest section above them that a case may leave out."""
    for name, field in model.model_fields.items():
        path, value = (*above, field.alias or name), (given or {}).get(field.alias or name)
        types = _types(field.annotation)
        section = next((each for each in types if _is_section(each)), None)
        if section is not None and len(types) == 1:
            inner = path if _is_optional(field) else optional
            yield from _keys_of(section, path, value, inner, content)
            continue
        kind, choices = _kind(types, path, model)
        yield CaseKey(
            path,
            kind,
            meaning_of(model, name),
            _plain(value),
            _default(field, path, content),
            is_required=field.is_required(),
            section_is_there=given is not None,
            choices=choices,
            optional_section=optional,
        )
        if path == ("prompts",):
            for prompt, text in (value or {}).items():
                yield from _keys_of(Prompt, (*path, prompt), text, (*path, prompt), content)


def _types(annotation: Any) -> list[Any]:
    """The types that a value may have, without None."""
    if get_origin(annotation) is Annotated:
        return _types(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [each for part in get_args(annotation) for each in _types(part)]
    return [] if annotation is type(None) else [annotation]


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_optional(field: FieldInfo) -> bool:
    return field.default is None


def _kind(types: list[Any], path: Path, model: type[CaseSection]) -> tuple[KeyKind, tuple[str, ...]]:
    if path in CHOICES:
        return KeyKind.CHOICE, CHOICES[path]
    if path == ("version",):
        return KeyKind.FIXED, ()
    if any(get_origin(each) is dict or _is_section(each) for each in types):
        return KeyKind.STRUCTURE, ()
    for each in types:
        if get_origin(each) is list:
            inner = _types(get_args(each)[0])
            return (KeyKind.LIST if inner == [str] else KeyKind.STRUCTURE), ()
    kind = types[0]
    if get_origin(kind) is Literal:
        return KeyKind.CHOICE, tuple(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return KeyKind.CHOICE, tuple(each.value for each in kind)
    if kind is str:
        return (KeyKind.TEXT if path in TEXTS_WITH_LINES or model in SECTIONS_WITH_TEXTS else KeyKind.LINE), ()
    return {bool: KeyKind.YES_NO, int: KeyKind.WHOLE, float: KeyKind.NUMBER}[kind], ()


def _default(field: FieldInfo, path: Path, content: DraftCase) -> Any:
    """The default of the schema, or that of the method for a setting that follows it."""
    default = None if field.is_required() else _plain(field.default)
    if default is None and path[0] == "training" and len(path) == 2:
        try:
            plan = make_plan(content.method, content.training.model_copy(update={path[1]: None}))
        except CaseError:
            return None
        return getattr(plan, path[1], None)
    return default


def _plain(value: Any) -> Any:
    """A value as data, without the types of the schema."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.value if isinstance(value, Enum) else value


def with_values(content: DraftCase, values: Mapping[Path, Any]) -> dict[str, Any]:
    """The sections with other values of some keys; None takes a key out, which restores its default."""
    whole = _plain(as_given(content))
    for path, value in values.items():
        section = whole
        for key in path[:-1]:
            if not isinstance(section.get(key), dict):
                section[key] = {}
            section = section[key]
        if value is None:
            section.pop(path[-1], None)
        else:
            section[path[-1]] = value
    if all(value is None for value in values.values()):
        _take_out_empty_sections(whole, content, values)
    return {path[0]: whole.get(path[0]) for path in values}


def _take_out_empty_sections(whole: dict[str, Any], content: DraftCase, taken_out: Mapping[Path, Any]) -> None:
    """Takes out the sections that a case may leave out, and that only have defaults left: `training.slurm` alone asks for a job."""
    keys = case_keys(content)
    for key in keys:
        if key.path not in taken_out or not key.optional_section:
            continue
        depth = len(key.optional_section)
        left = [each for each in keys if each.path[:depth] == key.optional_section and each.path not in taken_out]
        if not any(each.is_own or each.is_required for each in left):
            section = whole
            for part in key.optional_section[:-1]:
                section = section[part]
            section.pop(key.optional_section[-1], None)


def needed_before(key: CaseKey, keys: list[CaseKey]) -> list[CaseKey]:
    """The keys that a section which the case does not have yet cannot be without, other than the key itself."""
    if key.section_is_there or not key.optional_section:
        return []
    return [each for each in keys if each.is_required and each.path[:-1] == key.optional_section and each.path != key.path]


def why_fixed(key: CaseKey, *, is_frozen: bool, has_begun_training: bool) -> str | None:
    """Why a key cannot change now; None if it can."""
    if key.kind is KeyKind.FIXED:
        return "fixed: it says how the file is written"
    if is_frozen and key.path[0] not in CHOSEN_LATER:
        return "fixed: the eval set was frozen with it. Press 4, then e, for a new run with another value"
    if has_begun_training and key.path[0] in ("method", "training"):
        return "fixed: training has begun with it. Press 4, then e, for a new run with another value"
    return None
