"""The speed of training on a CPU, compared with plain TRL: `python -m tests.bench.training`.

The sample model is trained on the first rows of SNIPS, with LoRA of rank 16, for one epoch. All programs train on the same texts, each in
its own process, in alternation. The speed is in tokens without padding, and excludes the first step; the time from the command to the end
of the first step is printed separately. Plain TRL runs with its defaults (with `use_cpu`, and without bfloat16), and without gradient
checkpointing: padded at the batch size of tuneproof, grouped by length, and packed to two lengths.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import COMMAND, REAL_DATA, ROOT, set_options, tuneproof
from tests.waiting import wait_for_event
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.data.example import Message
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import StepLogged
from tuneproof.engine.run.store import EVENTS

ROWS, EVAL_ROWS, ROUNDS, BATCH = 600, 8, 3, 16
INSTRUCTION = "Extract the intent and the slots of the request as JSON."
ON_CPU: dict[str, Any] = {"use_cpu": True, "bf16": False, "num_train_epochs": 1}
LEAN: dict[str, Any] = ON_CPU | {"gradient_checkpointing": False, "dataloader_pin_memory": False}
PLAIN: dict[str, dict[str, Any]] = {
    "TRL, its defaults": ON_CPU,
    "TRL, padded": LEAN | {"per_device_train_batch_size": BATCH},
    "TRL, grouped by length": LEAN | {"per_device_train_batch_size": BATCH, "train_sampling_strategy": "group_by_length"},
    "TRL, packed to 512": LEAN | {"per_device_train_batch_size": 4, "packing": True, "max_length": 512},
    "TRL, packed to 2048": LEAN | {"per_device_train_batch_size": 1, "packing": True, "max_length": 2048},
}

OURS = {"packed": ["training.packing=true"], "padded": [], "grouped by length": ["training.group_by_length=true"]}


@dataclass(frozen=True)
class Timing:
    """Seconds from the command to the end of the first step, and from there to the end of the last; steps, and tokens read."""

    to_first_step: float
    after_it: float
    steps: int
    tokens: int

    @property
    def speed(self) -> float:
        """Tokens per second after the first step."""
        return self.tokens * (self.steps - 1) / self.steps / self.after_it


def main() -> None:
    rows = REAL_DATA / "snips"
    if not rows.is_dir():
        print(f"REAL DATA MISSING: {rows}")
        return
    base = load_base(ModelChoice(base="sample"))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rows_read = [json.loads(line) for line in (rows / "train.jsonl").read_text().splitlines()[:ROWS]]
        tokens = write_plain(rows_read, base, folder / "plain.jsonl")
        prepared = prepare(rows, folder)
        ways: dict[str, Callable[[], Timing]] = {name: plain(folder, settings, tokens) for name, settings in PLAIN.items()}
        ways |= {f"tuneproof, {name}": ours(prepared, base, settings) for name, settings in OURS.items()}
        found: dict[str, list[Timing]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                found[name].append(way())
    print(f"{ROWS} rows of {tokens / ROWS:.0f} tokens, {ROUNDS} rounds; median, lowest and highest")
    for name, took in found.items():
        speeds = sorted(each.speed for each in took)
        begun = statistics.median(each.to_first_step for each in took)
        median = statistics.median(speeds)
        print(f"{name:28} {median:8,.0f} tokens/s [{speeds[0]:,.0f}, {speeds[-1]:,.0f}], {took[0].steps} steps, first after {begun:.1f} s")


def write_plain(rows: list[dict[str, str]], base: BaseCheckpoint, path: Path) -> int:
    """Writes the rows for plain TRL, with the texts that tuneproof trains on; returns the number of their tokens."""
    lines = [json.dumps({"prompt": prompt_of(row, base), "completion": row["output"]}) + "\n" for row in rows]
    path.write_text("".join(lines))
    return tokens_of(rows, base)


def prompt_of(row: dict[str, str], base: BaseCheckpoint) -> str:
    """The prompt of a row."""
    return base.prompt([Message("user", f"{INSTRUCTION}\n\n{row['input']}")])


def tokens_of(rows: list[dict[str, str]], base: BaseCheckpoint) -> int:
    """The number of tokens of prompts, answers and end tokens."""
    return sum(len(base.token_ids(prompt_of(row, base) + row["output"])) + 1 for row in rows)


def prepare(rows: Path, folder: Path) -> Path:
    """Writes a case with its data into the folder; returns the case file."""
    case = yaml.safe_load((ROOT / "tests" / "real" / "snips.yaml").read_text())
    for part, count in (("train", ROWS), ("test", EVAL_ROWS)):
        (folder / f"{part}.jsonl").write_text("".join((rows / f"{part}.jsonl").read_text().splitlines(keepends=True)[:count]))
    case["data"] |= {"examples": "train.jsonl", "eval": "test.jsonl", "split": {"train": 0.99, "validation": 0.01, "eval": 0.0}}
    case["training"] = {"epochs": 1, "rank": 16, "batch_size": BATCH, "probe_every": 100_000}
    case["baselines"] = ["zero_shot"]
    (folder / "case.yaml").write_text(yaml.safe_dump(case))
    return folder / "case.yaml"


def plain(folder: Path, settings: dict[str, Any], tokens: int) -> Callable[[], Timing]:
    """A function that trains with plain TRL in a new process."""

    def train() -> Timing:
        words = ["--model", ROOT / "sample_cases" / "model", "--rows", folder / "plain.jsonl", "--to", folder / "trl"]
        command = [sys.executable, "-m", "tests.bench.plain_trl", *words, "--began", time.time(), "--settings", json.dumps(settings)]
        done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=True)
        return Timing(**json.loads(done.stdout.splitlines()[-1]), tokens=tokens)

    return train


def ours(case: Path, base: BaseCheckpoint, settings: Sequence[str]) -> Callable[[], Timing]:
    """A function that trains with tuneproof, from a planned run to the end of its training, event log included."""

    def train() -> Timing:
        with tempfile.TemporaryDirectory() as place:
            run = Path(place) / "run"
            words = ["--replay", case, "--run-dir", run, *set_options(*settings)]
            before = tuneproof(*words, "--until", "method")
            assert before.code == 0, before.err
            began = time.time()
            subprocess.run([str(COMMAND), *map(str, words), "--resume", "--until", "train"], check=True, capture_output=True)
            ended = [event.ts for event in EventReader(run / EVENTS).read() if isinstance(event, StepLogged)]
            assert wait_for_event(run, StepLogged).ts == ended[0]
            rows_read = [json.loads(line) for line in (run / "splits" / "train.jsonl").read_text().splitlines()]
            return Timing(ended[0] - began, ended[-1] - ended[0], len(ended), tokens_of(rows_read, base))

    return train


if __name__ == "__main__":
    main()
