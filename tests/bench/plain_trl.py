"""Plain TRL on a file of prompts and completions, as its quick start has it; run by `tests.bench.training` in a process of its own.

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
    """When each step ended."""

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
    parser.add_argument("--settings", required=True, help="of SFTConfig, as JSON")
    parser.add_argument("--rank", type=int, default=16)
    asked = parser.parse_args()
    clock = Clock()
    trainer = SFTTrainer(
        model=asked.model,
        args=SFTConfig(output_dir=asked.to, report_to="none", save_strategy="no", disable_tqdm=True, seed=0, **json.loads(asked.settings)),
        train_dataset=load_dataset("json", data_files=asked.rows, split="train"),
        peft_config=LoraConfig(r=asked.rank, lora_alpha=2 * asked.rank, target_modules="all-linear", task_type="CAUSAL_LM"),
        callbacks=[clock],
    )
    trainer.train()
    ended = clock.ended
    print(json.dumps({"to_first_step": ended[0] - asked.began, "after_it": ended[-1] - ended[0], "steps": len(ended)}))


if __name__ == "__main__":
    main()
