"""What tests share: the real command, the shipped cases, and one finished run of the sample case."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]
REAL_DATA = Path(os.environ.get("TUNEPROOF_REAL_DATA", ROOT.parent / "shared" / "data"))
COMMAND = Path(sys.executable).with_name("tuneproof")

# How fast examples are made tells of the machine and of what else runs on it, not of the program.
settings.register_profile("any machine", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("any machine")


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


def tuneproof(*words: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> Result:
    """Runs the installed command as a user would."""
    done = subprocess.run(
        [str(COMMAND), *map(str, words)], cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=900
    )
    return Result(done.returncode, done.stdout, done.stderr)


def set_to(*settings: str) -> list[str]:
    """The words that set fields of the case."""
    return [word for setting in settings for word in ("--set", setting)]


def sample_case() -> Path:
    """The shipped case as it stands in the repository."""
    return ROOT / "sample_cases" / "support_tickets.yaml"


@pytest.fixture
def write_case(tmp_path: Path) -> Any:
    """Writes a case file and returns its path."""

    def write(text: str | dict[str, Any], name: str = "case.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text if isinstance(text, str) else yaml.safe_dump(text, sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture
def write_jsonl(tmp_path: Path) -> Any:
    """Writes rows as JSON lines and returns the path."""

    def write(rows: list[dict[str, Any]], name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


def replayed_once(tmp_path_factory: pytest.TempPathFactory, name: str, *words: str) -> tuple[Path, Result]:
    """A run folder of the sample case made by the real command, and what that printed; made once for all processes that run tests."""
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
    """The run folder of the sample case, replayed once up to its baselines; whoever goes on with it takes a copy."""
    return replayed_once(tmp_path_factory, "measured", "--until", "baselines")[0]


@pytest.fixture
def run(measured: Path, tmp_path: Path) -> Path:
    """A copy of one's own of the run that has its baselines."""
    return shutil.copytree(measured, tmp_path / "run")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The run folder of the sample case, replayed once by the real command, and what the command printed."""
    return replayed_once(tmp_path_factory, "finished")
