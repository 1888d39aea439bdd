"""A case of a few rows, as far as its split or with a training of two steps, and what its run comes to."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from tests.faults.commands import Ended, run
from tuneproof.engine.core.stage import Stage

CASE: dict[str, Any] = {
    "version": 1,
    "name": "small",
    "decision": {"private_facts": False, "format_drift": True, "stable_task": True, "labeled_examples": 60},
    "task": {"instruction": "Is the number even?", "output": {"kind": "choice", "choices": ["yes", "no"]}},
    "data": {"examples": "rows.jsonl", "eval": "eval.jsonl", "split": {"train": 0.8, "validation": 0.2, "eval": 0.0, "seed": 0}},
}
"""Up to the split; it loads no model."""

TRAINING: dict[str, Any] = {
    "model": {"base": "sample"},
    "baselines": ["zero_shot"],
    "method": {"name": "lora"},
    "training": {"batch_size": 2, "max_steps": 2},
    "risk": {"minutes": 0},
    "evaluate": {"max_new_tokens": 4, "merged": False},
}
"""The rest of it, up to the card."""

RESULT_FILES = ("route.json", "splits/*", "arms/*/predictions.jsonl", "failures.jsonl", "training/adapter/*")
"""What two runs of one case have in common to the byte."""


@dataclass(frozen=True)
class SmallCase:
    """The case in a folder, with what an undisturbed run of it came to."""

    path: Path
    until: Stage
    seconds: float
    """How long the undisturbed run took."""
    undisturbed: dict[str, object]

    @classmethod
    def measured(cls, folder: Path, *, trains: bool) -> SmallCase:
        """Writes the case and runs it once: to its card, or only to its split."""
        path, undisturbed = written(folder, TRAINING if trains else {}), folder / "undisturbed"
        until, begun = Stage.CARD if trains else Stage.SPLIT, time.monotonic()
        ended = run(*replay_words(path, undisturbed, until))
        assert ended.code == 0, ended.err
        return cls(path, until, time.monotonic() - begun, result_of(undisturbed))

    def words(self, run_dir: Path, *options: object) -> list[object]:
        """The words of the command that runs the case in a folder."""
        return [*replay_words(self.path, run_dir, self.until), *options]

    def finish(self, run_dir: Path) -> Ended:
        """Goes on with a disturbed run the way a user would: with --resume where there is something to resume."""
        return run(*self.words(run_dir, *(["--resume"] if run_dir.exists() else [])))


def written(folder: Path, more: Mapping[str, Any] = MappingProxyType(TRAINING)) -> Path:
    """The case file, with its data beside it, and with these sections."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, numbers in {"rows.jsonl": range(16), "eval.jsonl": range(100, 103)}.items():
        rows = [{"input": f"Is {number} even?", "output": ("yes", "no")[number % 2]} for number in numbers]
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    path = folder / "case.yaml"
    path.write_text(yaml.safe_dump(CASE | dict(more), sort_keys=False), encoding="utf-8")
    return path


def replay_words(case: Path, run_dir: Path, until: Stage) -> list[object]:
    """The words of the command for a case, a run folder and the last stage."""
    return ["--replay", case, "--run-dir", run_dir, "--until", until]


def result_of(run_dir: Path) -> dict[str, object]:
    """What a run came to: its data, answers and weights to the byte, and the verdict and scores of its card."""
    files = sorted(path for pattern in RESULT_FILES for path in run_dir.glob(pattern) if path.is_file())
    found: dict[str, object] = {str(path.relative_to(run_dir)): path.read_bytes() for path in files}
    card = run_dir / "card.json"
    if card.exists():
        content = json.loads(card.read_text(encoding="utf-8"))
        found["card"] = content["verdict"]
    return found
