"""What running a batch in parts, its rows sorted by length, does to the speed of a CPU: `python -m tests.bench.micro_batches`.

The sample model, the first rows of SNIPS, batches of 16 in LoRA training; seconds are those of the processor, so that what else runs
matters less. The same rows make each step, so the losses have to be the same; they are told too.
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
    """Seconds of the processor when each step ended."""

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
    found: dict[int, list[tuple[float, float]]] = {parts: [] for parts in (1, 2, 4, 8, 16)}
    for _ in range(TURNS):
        for parts, took in found.items():
            took.append(train(base, rows, parts))
    for parts, took in found.items():
        seconds, loss = statistics.median(each[0] for each in took), took[0][1]
        print(f"{parts:2} parts: {1000 * seconds:6.0f} ms a step, first loss {loss:.6f}")


def encoded(base: BaseCheckpoint) -> list[EncodedRow]:
    """The rows as they are trained on."""
    rows = []
    for line in (REAL_DATA / "snips" / "train.jsonl").read_text().splitlines()[:ROWS]:
        row = json.loads(line)
        asked = [Message("user", f"{INSTRUCTION}\n\n{row['input']}")]
        prompt, answer = base.token_ids(base.prompt(asked)), base.target_ids(asked, row["output"])
        rows.append(EncodedRow(prompt + answer, [IGNORE_INDEX] * len(prompt) + answer))
    return rows


def train(base: BaseCheckpoint, rows: list[EncodedRow], parts: int) -> tuple[float, float]:
    """Some steps in so many parts: seconds of one in the mean, and the loss of the first."""
    # Only now, because it imports TRL, and with it what was to be left out.
    from tuneproof.engine.training.run import make_trainer

    chosen = replace(make_plan(MethodChoice(name="lora"), Training(batch_size=BATCH, max_steps=STEPS)), accumulation=parts)
    with tempfile.TemporaryDirectory() as folder:
        trainer, clock = make_trainer(base, rows, chosen, Path(folder)), Clock()
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(clock)
        trainer.train()
    return (clock.ended[-1] - clock.ended[WARM - 1]) / (STEPS - WARM), float(trainer.state.log_history[0]["loss"])


if __name__ == "__main__":
    main()
