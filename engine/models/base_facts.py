"""What the files of a base model say about it, without loading it: architecture, size, context, chat template, licence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.models.folder_check import check_folder
from tuneproof.engine.models.plain_files import read_json
from tuneproof.engine.models.weight_files import weight_files

CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "n_ctx", "seq_length", "max_sequence_length")
"""The keys of a config.json that give the context, by architecture."""

MOST_CARD_BYTES = 1 << 16
"""Bytes of a README.md that are read for its front matter."""

LICENCE = re.compile(r"^license:\s*[\"']?([\w.+-]+)", re.MULTILINE)
FRONT_MATTER = re.compile(r"\A\s*---\n(.*?)\n---\s", re.DOTALL)

BYTES_PER_GB = 1_000_000_000


@dataclass(frozen=True)
class BaseFacts:
    """What is known of a base before it is loaded; None: its files do not say."""

    architecture: str | None
    weight_bytes: int | None
    context: int | None
    has_template: bool | None
    licence: str | None

    def describe(self) -> str:
        """The facts in a line."""
        gb = None if self.weight_bytes is None else self.weight_bytes / BYTES_PER_GB
        parts = [
            self.architecture,
            None if gb is None else f"{gb:.1f} GB of weights" if gb >= 1 else f"{1000 * gb:.3g} MB of weights",
            None if self.context is None else f"context {self.context:,} tokens",
            {True: "with a chat template", False: "no chat template: prompts are plain text", None: None}[self.has_template],
            f"licence {self.licence}" if self.licence else "no licence given",
        ]
        return ", ".join(part for part in parts if part)


def checked_facts(folder: Path) -> BaseFacts:
    """What the files of a folder say. Raises CaseError if the folder is not whole, as `check_folder` does."""
    check_folder(folder)
    return folder_facts(folder)


def folder_facts(folder: Path) -> BaseFacts:
    """What the files of a folder say, without checking that the weights are whole. Raises CaseError if it has no configuration."""
    config = read_json(folder / "config.json")
    return BaseFacts(
        architecture=_architecture(config),
        weight_bytes=sum((folder / name).stat().st_size for name in weight_files(folder)),
        context=_context(config),
        has_template=_has_template(folder),
        licence=_licence(folder),
    )


def _architecture(config: dict[str, Any]) -> str | None:
    kind = config.get("model_type")
    return kind[:60] if isinstance(kind, str) else None


def _context(config: dict[str, Any]) -> int | None:
    """The context of the text model, which may have a configuration within that of the whole."""
    text = config.get("text_config")
    for part in (text if isinstance(text, dict) else {}, config):
        for key in CONTEXT_KEYS:
            if isinstance(part.get(key), int):
                return int(part[key])
    return None


def _has_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    settings = folder / "tokenizer_config.json"
    try:
        return bool(settings.is_file() and read_json(settings).get("chat_template"))
    except CaseError:
        return False


def _licence(folder: Path) -> str | None:
    """The licence as the model card gives it, or that there is a file with one."""
    card = folder / "README.md"
    try:
        with card.open(encoding="utf-8", errors="replace") as file:
            front = FRONT_MATTER.match(file.read(MOST_CARD_BYTES))
    except OSError:
        front = None
    if front is not None and (named := LICENCE.search(front[1])):
        return named[1]
    texts = sorted(path.name for path in folder.glob("LICEN[CS]E*"))
    return f"in {texts[0]}" if texts else None
