"""Python code that a model folder brings along, and where its configuration asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneproof.engine.core.errors import CaseError

CONFIGS = ("config.json", "tokenizer_config.json", "processor_config.json")
"""The files with an `auto_map`, which names the classes that transformers imports from the folder."""

OTHER_REPOSITORY = "--"
"""What stands between the name of another repository and a class, in an `auto_map`."""


@dataclass(frozen=True)
class CodeReference:
    """One entry of an `auto_map`."""

    file: str
    """The file of the folder that has the entry."""
    target: str
    """Module and class, such as `modeling_mine.MineForCausalLM`; perhaps after another repository and `--`."""


def code_references(folder: Path) -> list[CodeReference]:
    """What the configuration of a model asks to import; files that cannot be read ask for nothing."""
    return [CodeReference(name, target) for name in CONFIGS for target in _targets(_auto_map(folder / name))]


def code_files(folder: Path) -> list[str]:
    """The Python files of a model folder, sorted; paths in the folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py") if path.is_file())


def check_code_is_here(folder: Path) -> None:
    """Raises CaseError if the model would import code that is not in its folder, and so is not part of its digest."""
    for reference in code_references(folder):
        if OTHER_REPOSITORY in reference.target:
            repository = reference.target.split(OTHER_REPOSITORY)[0]
            raise CaseError(
                f"the model imports code from another repository, {repository}",
                where=str(folder / reference.file),
                fix="copy that code into the folder, and name it in `auto_map` without the repository",
            )
        module = reference.target.split(".")[0]
        if not (folder / f"{module}.py").is_file():
            raise CaseError(
                f"the model imports `{reference.target}`, and there is no {module}.py",
                where=str(folder / reference.file),
                fix="download the model again, with its Python files",
            )


def code_question(folder: Path) -> str | None:
    """What to ask a person before code of the model may run; None if its configuration asks for none."""
    references = code_references(folder)
    if not references:
        return None
    asked = ", ".join(dict.fromkeys(reference.target for reference in references))
    return (
        f"This model brings Python code of its own, and asks to run it: {asked}. It would run with your rights: it can read your files and "
        "reach the network. Say yes only if you have read it or trust who wrote it. Without it, the model loads if transformers itself "
        "knows its architecture."
    )


def _auto_map(path: Path) -> object:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content.get("auto_map") if isinstance(content, dict) else None


def _targets(auto_map: Any) -> list[str]:
    """The classes that an `auto_map` names: by purpose, each one name or, for tokenizers, several."""
    values = list(auto_map.values()) if isinstance(auto_map, dict) else auto_map if isinstance(auto_map, list) else []
    flat = [name for value in values for name in (value if isinstance(value, list) else [value])]
    return [name for name in flat if isinstance(name, str)]
