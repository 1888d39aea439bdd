"""How the number of micro-batches per step changes the speed of a training on a CPU: `python -m tests.bench.micro_batches`.

LoRA on the sample model and the first rows of SNIPS, in batches of 16 that are sorted by length. Times are CPU seconds, so that other
programs matter less. Each step has the same rows, so the first losses, which are printed too, must be equal.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback

from tests.bench.training import BATCH, INSTRUCTION, ROWS
from tests.conftest import REAL_DATA
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.core.hardware import block_import
from tuneproof.engine.data.example import Message
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base
from tuneproof.engine.run.quiet import quiet_libraries
from tuneproof.engine.training.tokenize import IGNORE_INDEX, EncodedRow

STEPS, TURNS, WARM = 12, 3, 2


class Clock(TrainerCallback):
    """The CPU time at the end of each step, in seconds."""

    def __init__(self) -> None:
        self.ended: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ended.append(time.process_time())


def main() -> None:
    if not (REAL_DATA / "snips").is_dir():
        print(f"REAL DATA MISSING: {REAL_DATA / 'snips'}")
        return
    quiet_libraries()
    block_import("bitsandbytes")
    torch.set_num_threads(1)
    base = load_base(ModelChoice(base="sample"))
    rows = encoded(base)
    found: dict[int, list[tuple[float, float]]] = {accumulation: [] for accumulation in (1, 2, 4, 8, 16)}
    for _ in range(TURNS):
        for accumulation, measured in found.items():
            measured.append(train(base, rows, accumulation))
    for accumulation, measured in found.items():
        seconds, loss = statistics.median(each[0] for each in measured), measured[0][1]
        print(f"{accumulation:2} micro-batches: {1000 * seconds:6.0f} ms a step, first loss {loss:.6f}")


def encoded(base: BaseCheckpoint) -> list[EncodedRow]:
    """The tokenized train rows."""
    rows = []
    for line in (REAL_DATA / "snips" / "train.jsonl").read_text().splitlines()[:ROWS]:
        row = json.loads(line)
        messages = [Message("user", f"{INSTRUCTION}\n\n{row['input']}")]
        prompt, answer = base.token_ids(base.prompt(messages)), base.target_ids(messages, row["output"])
        rows.append(EncodedRow(prompt + answer, [IGNORE_INDEX] * len(prompt) + answer))
    return rows


def train(base: BaseCheckpoint, rows: list[EncodedRow], accumulation: int) -> tuple[float, float]:
    """The mean CPU seconds per step with this many micro-batches, and the loss of the first step."""
    # Imported after `leave_out`, because TRL imports bitsandbytes.
    from tuneproof.engine.training.run import make_trainer

    chosen = replace(make_plan(MethodChoice(name="lora"), Training(batch_size=BATCH, max_steps=STEPS)), accumulation=accumulation)
    with tempfile.TemporaryDirectory() as folder:
        trainer, clock = make_trainer(base, rows, chosen, Path(folder)), Clock()
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(clock)
        trainer.train()
    return (clock.ended[-1] - clock.ended[WARM - 1]) / (STEPS - WARM), float(trainer.state.log_history[0]["loss"])


if __name__ == "__main__":
    main()
