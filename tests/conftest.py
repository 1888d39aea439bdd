"""Shared by all tests: the real command, the sample case, and finished runs of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml
from filelock import FileLock
from hypothesis import HealthCheck, settings

from tuneproof.engine.core.telemetry import turn_off_telemetry

turn_off_telemetry()
# The settings of whoever runs the tests do not matter to them.
os.environ["XDG_CONFIG_HOME"] = str(Path(tempfile.gettempdir()) / "tuneproof-tests-without-settings")

ROOT = Path(__file__).parents[1]
REAL_DATA = Path(os.environ.get("TUNEPROOF_REAL_DATA", ROOT.parent / "shared" / "data"))
COMMAND = Path(sys.executable).with_name("tuneproof")

# How fast Hypothesis makes examples depends on the machine and its load, not on the program.
settings.register_profile("any machine", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("any machine")


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


OUTSIDE_THE_TASK = ("--set", "risk.minutes=10")
"""Words of a replay that measures what tuning did outside the task."""


def tuneproof(*words: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> Result:
    """Runs the installed command as a user would; a replay that says nothing about `risk` asks for nothing outside the task, for time."""
    given = list(map(str, words))
    if "--replay" in given and not any(word.startswith("risk.") for word in given):
        given += ["--set", "risk.minutes=0"]
    done = subprocess.run([str(COMMAND), *given], cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=900)
    return Result(done.returncode, done.stdout, done.stderr)


def set_options(*settings: str) -> list[str]:
    """Command line arguments that set fields of the case, from `KEY=VALUE` texts."""
    return [word for setting in settings for word in ("--set", setting)]


def sample_case() -> Path:
    """The case file of the sample case `support_tickets`."""
    return ROOT / "sample_cases" / "support_tickets.yaml"


class WriteCase(Protocol):
    """Writes a case file and returns its path."""

    def __call__(self, text: str | dict[str, Any], name: str = "case.yaml") -> Path: ...


class WriteJsonl(Protocol):
    """Writes rows as JSON lines and returns the path of the file."""

    def __call__(self, rows: Sequence[Mapping[str, Any]], name: str = "rows.jsonl") -> Path: ...


@pytest.fixture
def write_case(tmp_path: Path) -> WriteCase:
    """Writes a case file to the test's folder."""

    def write(text: str | dict[str, Any], name: str = "case.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text if isinstance(text, str) else yaml.safe_dump(text, sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_jsonl(tmp_path: Path) -> WriteJsonl:
    """Writes rows as JSON lines to the test's folder."""

    def write(rows: Sequence[Mapping[str, Any]], name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


def replayed_once(tmp_path_factory: pytest.TempPathFactory, name: str, *words: str) -> tuple[Path, Result]:
    """A run folder of the sample case and the output of the command; made once for all test processes."""
    beside_others = "PYTEST_XDIST_WORKER" in os.environ
    place = tmp_path_factory.getbasetemp().parent if beside_others else tmp_path_factory.getbasetemp()
    run, printed = place / f"{name}-run", place / f"{name}.json"
    with FileLock(place / f"{name}.lock"):
        if not printed.exists():
            result = tuneproof("--replay", sample_case(), "--run-dir", run, *words)
            assert result.code == 0, result.err
            printed.write_text(json.dumps(asdict(result)), encoding="utf-8")
    return run, Result(**json.loads(printed.read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the sample case, replayed once up to its baselines. Do not change it; use `run` for a copy."""
    return replayed_once(tmp_path_factory, "measured", "--until", "baselines")[0]


@pytest.fixture
def run(measured: Path, tmp_path: Path) -> Path:
    """A copy of `measured` for one test."""
    return shutil.copytree(measured, tmp_path / "run")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The run folder of the sample case, replayed once to its card, and the output of the command. Do not change it."""
    return replayed_once(tmp_path_factory, "finished")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(disk)], capture_output=True).returncode != 0:
        pytest.skip("only root can mount a file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
