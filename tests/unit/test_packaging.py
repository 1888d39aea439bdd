"""The package: light commands load nothing heavy, and an install has every file, the licence and the fields of a package index."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from email.message import Message
from email.parser import Parser
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.run.store import RunStore

HEAVY = {"torch", "transformers", "datasets", "trl", "peft", "accelerate", "pandas", "numpy", "pyarrow", "ray", "textual"}
FOLDERS = {"engine", "screens", "tui", "sample_cases"}


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed a copy of the files that git knows."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(target), str(source)]
    subprocess.run(install, check=True, capture_output=True)
    return target


@pytest.fixture(scope="module")
def metadata(installed: Path) -> Message:
    """What a package index shows of the installed copy."""
    [file] = installed.glob("tuneproof-*.dist-info/METADATA")
    return Parser().parsestr(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("words", [["--replay", "sample_cases/route_only.yaml", "--run-dir", "{run}"], ["--version"], ["--help"]])
def test_a_light_command_loads_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    filled = [word.format(run=tmp_path / "run") for word in words]
    command = [sys.executable, "-m", "tests.loaded_modules", *filled]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.rpartition("LOADED ")[2].split())
    assert "tuneproof" in loaded and not loaded & HEAVY


def test_every_package_is_listed_for_setuptools() -> None:
    inits = [init for folder in FOLDERS for init in (ROOT / folder).rglob("__init__.py")]
    found = {".".join(["tuneproof", *init.parent.relative_to(ROOT).parts]) for init in inits}
    assert set(pyproject()["tool"]["setuptools"]["packages"]) == found


def test_the_package_has_the_four_folders_and_no_tests() -> None:
    assert set(pyproject()["tool"]["setuptools"]["package-dir"].values()) == FOLDERS


def test_an_installed_copy_runs_from_any_folder(installed: Path, tmp_path: Path) -> None:
    # Only the copy is to be found, so nothing may add this checkout to the path.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(ROOT / "tests" / "installed_copy.py"), str(installed), "--replay", "route_only.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and done.stdout.startswith("route: RAG first"), done.stderr


def test_an_installed_copy_has_the_screens_and_their_style(installed: Path) -> None:
    assert (installed / "tuneproof" / "tui" / "app.tcss").is_file() and (installed / "tuneproof" / "screens" / "card.py").is_file()


def test_an_installed_copy_has_the_sample_cases_and_the_sample_model(installed: Path) -> None:
    shipped = installed / "tuneproof" / "sample_cases"
    assert {"support_tickets.yaml", "support_tickets.jsonl"} <= {path.name for path in shipped.iterdir()}
    assert 1e6 < (shipped / "model" / "model.safetensors").stat().st_size < 12e6


def test_a_package_index_shows_the_licence_and_ships_its_text(metadata: Message, installed: Path) -> None:
    assert metadata["License-Expression"] == "Apache-2.0"
    [text] = installed.glob("tuneproof-*.dist-info/licenses/LICENSE")
    assert "Apache License" in text.read_text(encoding="utf-8")


def test_a_package_index_shows_what_the_program_is_for(metadata: Message) -> None:
    assert metadata["Summary"] and metadata["Author"] and metadata["Keywords"]
    assert "Programming Language :: Python :: 3.11" in (metadata.get_all("Classifier") or [])
    assert metadata["Description-Content-Type"] == "text/markdown" and "# tuneproof" in str(metadata.get_payload())


def test_the_changelog_has_an_entry_for_this_version() -> None:
    assert f"## {pyproject()['project']['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_constraints_pin_every_direct_dependency() -> None:
    project = pyproject()["project"]
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    assert {re.split(r"[<>\[=]", name)[0].lower() for name in wanted} <= pinned


def test_one_process_at_a_time_holds_a_run(tmp_path: Path) -> None:
    case = Case.model_validate({"name": "x", "decision": {"private_facts": False, "format_drift": True, "stable_task": True}})
    store = RunStore.create(tmp_path / "run", case)
    with store.lock(), pytest.raises(UsageError, match="another process"), RunStore.open(store.path).lock():
        pass
    with store.lock():
        pass
