"""The files behind a name in a case: which of a folder are data, what they are called in sources, and which part they are."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.core.text_file import exists, reason_of
from tuneproof.engine.data.files import FORMATS, FORMATS_IN_FOLDERS, file_type
from tuneproof.engine.data.parts import Part, parts_of

QUARANTINE_SUFFIX = ".quarantine.jsonl"
"""The suffix of files that the audit writes rows to that it takes out; they are never read as data."""

ABOUT_DATA = frozenset({"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"})
"""Files in a folder that say something about its data: those of `datasets` and of the hub, and LLaMA-Factory's list of data sets."""

SAVED_STATE = "state.json"
"""In a folder that `save_to_disk` wrote: which Arrow files are the data. Others beside them are a cache."""


OTHER_FOLDERS = (
    frozenset({"events.jsonl", "manifest.json"}),
    frozenset({"tokenizer_config.json"}),
    frozenset({"adapter_config.json"}),
)
"""Files by which a folder inside a folder of data is known to be a run, a model or an adapter."""

NO_DATA = (
    ".md",
    ".rst",
    ".txt",
    ".py",
    ".sh",
    ".ipynb",
    ".yaml",
    ".yml",
    ".toml",
    ".lock",
    ".cfg",
    ".ini",
    ".log",
    ".html",
    ".svg",
    ".png",
)
"""Endings of files that often are beside data and hold none."""


def source_files(named: str | list[str], apart_from: Collection[str] = ()) -> dict[str, Path]:
    """The files of a case's examples, by the names that sources have for them. Data sets on the hub have no files."""
    paths = list(_parts(named))
    return dict(zip(_source_names(paths, apart_from), paths, strict=True))


def source_parts(named: str | list[str], apart_from: Collection[str] = ()) -> dict[str, Part]:
    """The part of each of these files. Files of a folder take the part that their name or their folder's says; others are for training."""
    parts = _parts(named)
    return dict(zip(_source_names(list(parts), apart_from), parts.values(), strict=True))


def _parts(named: str | list[str]) -> dict[Path, Part]:
    """The files of all names, each with its part, in order."""
    found: dict[Path, Part] = {}
    for name in [named] if isinstance(named, str) else named:
        path = Path(name)
        if exists(path) and path.is_dir():
            found |= _of_folder(path)
        elif exists(path):
            found[path] = Part.TRAIN
    return found


def _of_folder(folder: Path) -> dict[Path, Part]:
    """The data files of a folder with their parts. Raises DataRefused if there are none."""
    found = sorted(path for path in _files(folder) if file_type(path).format in FORMATS_IN_FOLDERS and _is_data(path))
    if not found:
        known = f"known formats: {', '.join(FORMATS_IN_FOLDERS)}"
        raise DataRefused("the folder has no file of a known format", where=str(folder), fix=known)
    return parts_of({path: (path.name, *reversed(path.relative_to(folder).parts[:-1])) for path in found})


def files_not_read(named: str | list[str]) -> list[Path]:
    """The files of the folders among the names that may be data, but whose format is not known."""
    folders = [Path(name) for name in ([named] if isinstance(named, str) else named) if exists(Path(name)) and Path(name).is_dir()]
    files = (path for folder in folders for path in _files(folder))
    return sorted(path for path in files if path.suffix and file_type(path).format not in (*FORMATS, *NO_DATA))


def _files(folder: Path) -> Iterator[Path]:
    """The files in a folder and those inside it, but for hidden ones and folders that are something else."""
    for at, folders, names in os.walk(folder, onerror=_refuse):
        here = Path(at)
        if here != folder and any(mark <= set(names) for mark in OTHER_FOLDERS):
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (here / name for name in names if not name.startswith(".") and (here / name).is_file())


def _refuse(error: OSError) -> None:
    where = str(error.filename)
    raise DataRefused(f"the folder cannot be read: {reason_of(error)}", where=where, fix="check that you may read it") from None


def _is_data(path: Path) -> bool:
    if path.name in ABOUT_DATA or path.name.endswith(QUARANTINE_SUFFIX):
        return False
    return path.suffix != ".arrow" or path.name in (_saved_files(path.parent) or {path.name})


def _saved_files(folder: Path) -> set[str]:
    """The Arrow files that a folder which `save_to_disk` wrote has its data in; empty for another folder."""
    try:
        state = json.loads((folder / SAVED_STATE).read_text("utf-8"))
        return {file["filename"] for file in state["_data_files"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def _source_names(paths: list[Path], taken: Collection[str]) -> list[str]:
    """File names, with as many folders before them as are needed to tell the files apart."""
    for depth in range(1, max((len(p.parts) for p in paths), default=1) + 1):
        names = ["/".join(p.parts[-depth:]) for p in paths]
        if len(set(names)) == len(names) and not set(names) & set(taken):
            return names
    return [str(p) for p in paths]
