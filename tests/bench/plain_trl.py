"""Plain TRL on a file of prompts and completions, as its quick start has it; run by `tests.bench.training` in a new process.

Prints one JSON line: seconds from the given time to the end of the first step, and from there to the end of the last.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from datasets import load_dataset
from peft import LoraConfig
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer


class Clock(TrainerCallback):
    """The time at the end of each step."""

    def __init__(self) -> None:
        self.ended: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.ended.append(time.time())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--rows", required=True)
    parser.add_argument("--to", required=True)
    parser.add_argument("--began", type=float, required=True)
    parser.add_argument("--settings", required=True, help="arguments of SFTConfig, as JSON")
    parser.add_argument("--rank", type=int, default=16)
    options = parser.parse_args()
    clock = Clock()
    trainer = SFTTrainer(
        model=options.model,
        args=SFTConfig(
            output_dir=options.to, report_to="none", save_strategy="no", disable_tqdm=True, seed=0, **json.loads(options.settings)
        ),
        train_dataset=load_dataset("json", data_files=options.rows, split="train"),
        peft_config=LoraConfig(r=options.rank, lora_alpha=2 * options.rank, target_modules="all-linear", task_type="CAUSAL_LM"),
        callbacks=[clock],
    )
    trainer.train()
    ended = clock.ended
    print(json.dumps({"to_first_step": ended[0] - options.began, "after_it": ended[-1] - ended[0], "steps": len(ended)}))


if __name__ == "__main__":
    main()
