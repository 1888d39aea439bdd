"""What holds the house together: light commands stay light, the packaging is whole, the run folder is locked."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tuneproof.engine.case.schema import Case
from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.run.store import RunStore

HEAVY = {"torch", "transformers", "datasets", "trl", "peft", "accelerate", "pandas", "numpy", "pyarrow", "ray", "textual"}


@pytest.mark.parametrize("words", [["--replay", "sample_cases/route_only.yaml", "--run-dir", "{run}"], ["--version"], ["--help"]])
def test_a_light_command_loads_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    program = (
        "import sys; from tuneproof.tui.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))"
    )
    filled = [word.format(run=tmp_path / "run") for word in words]
    done = subprocess.run([sys.executable, "-c", program, *filled], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.rpartition("LOADED ")[2].split())
    assert "tuneproof" in loaded and not loaded & HEAVY


def test_the_list_of_packages_is_whole() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    listed = set(tools["packages"])
    there = set()
    for folder in ("engine", "screens", "tui", "sample_cases"):
        for init in (ROOT / folder).rglob("__init__.py"):
            there.add(".".join(["tuneproof", *init.parent.relative_to(ROOT).parts]))
    assert listed == there
    assert set(tools["package-dir"].values()) == {"engine", "screens", "tui", "sample_cases"}


def test_an_install_that_is_not_editable_has_everything_and_works_from_anywhere(tmp_path: Path) -> None:
    source, target, elsewhere = tmp_path / "source", tmp_path / "target", tmp_path / "elsewhere"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    elsewhere.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(target), str(source)]
    subprocess.run(install, check=True, capture_output=True)
    # Without the site hook of the editable install, only the copy in the target can be found.
    program = (
        f"import sys; sys.path = [{str(target)!r}] + [p for p in sys.path if '__editable__' not in p]\n"
        "import tuneproof.tui.cli as cli; assert cli.__file__.startswith(sys.path[0]), cli.__file__\n"
        "sys.exit(cli.main(['--replay', 'route_only.yaml']))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=elsewhere, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("route: RAG first"), done.stderr
    assert (target / "tuneproof" / "tui" / "app.tcss").is_file() and (target / "tuneproof" / "screens" / "card.py").is_file()
    shipped = target / "tuneproof" / "sample_cases"
    assert {"support_tickets.yaml", "support_tickets.jsonl"} <= {p.name for p in shipped.iterdir()}
    assert 1e6 < (shipped / "model" / "model.safetensors").stat().st_size < 12e6


def test_constraints_pin_every_direct_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    names = {name.split(">")[0].split("<")[0].split("[")[0].lower() for name in wanted}
    assert names <= pinned


def test_one_process_at_a_time_holds_a_run(tmp_path: Path) -> None:
    case = Case.model_validate({"name": "x", "decision": {"private_facts": False, "format_drift": True, "stable_task": True}})
    store = RunStore.create(tmp_path / "run", case)
    with store.lock(), pytest.raises(UsageError, match="another process"), RunStore.open(store.path).lock():
        pass
    with store.lock():
        pass
