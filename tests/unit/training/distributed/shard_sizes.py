"""One rank that trains three steps and writes what it stores after each, its losses and its dtypes.

`python -m tests.unit.training.distributed.shard_sizes RANK PROCESSES PORT METHOD PRECISION FOLDER`. With the precision `half`, dtypes are
those of a GPU: a base in bfloat16 under adapters in float32, or float32 under autocast.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch
from torch.distributed.tensor import DTensor
from transformers import TrainerCallback
from trl import SFTConfig

from tests.unit.training.tiny_training import training_of
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.models import base_model
from tuneproof.engine.models.base_model import load_base
from tuneproof.engine.training import run
from tuneproof.engine.training.distributed import collectives, fsdp
from tuneproof.engine.training.distributed.torchrun import LOOPBACK


class SizeRecorder(TrainerCallback):
    """Records the bytes of weights and optimizer state after each step: those that this rank stores, and those that all ranks do."""

    def __init__(self) -> None:
        self.trainer: Any = None
        self.steps: list[dict[str, int]] = []

    def on_step_end(self, *_: object, **__: object) -> None:
        weights = list(self.trainer.model.parameters())
        state = [value for each in self.trainer.optimizer.state.values() for value in each.values() if value.dim()]
        self.steps.append(
            {
                "weights": sum(stored_bytes(each) for each in weights),
                "all weights": sum(each.numel() * each.element_size() for each in weights),
                "state": sum(stored_bytes(each) for each in state),
                "all state": sum(each.numel() * each.element_size() for each in state),
            }
        )


def stored_bytes(tensor: torch.Tensor) -> int:
    """Bytes of the tensor in this process."""
    return int((tensor.to_local() if isinstance(tensor, DTensor) else tensor).untyped_storage().nbytes())


def use_half_precision() -> None:
    for module in (base_model, run, fsdp, collectives):
        vars(module)["best_device"] = lambda: (torch.device("cpu"), torch.bfloat16)
    # transformers accepts bfloat16 on a CPU only with this.
    vars(run)["SFTConfig"] = lambda **settings: SFTConfig(**{**settings, "use_cpu": True})


def main() -> None:
    rank, processes, port, method, precision, folder = sys.argv[1:]
    if precision == "half":
        use_half_precision()
    if int(processes) > 1:
        os.environ |= {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "GLOO_SOCKET_IFNAME": LOOPBACK}
        os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": port}
        collectives.init_process_group()
    settings = {"batch_size": 4, "max_steps": 3, "processes": int(processes), "sharding": "full" if int(processes) > 1 else "none"}
    plan = make_plan(MethodChoice(name=method), Training.model_validate(settings))
    base = load_base(ModelChoice(base="sample"))
    trainer = run.make_trainer(base, training_of(base)[0], plan, Path(folder, rank))
    trainer.add_callback(recorder := SizeRecorder())
    recorder.trainer = trainer
    trainer.train()
    losses = [logged["loss"] for logged in trainer.state.log_history if "loss" in logged]
    dtypes = sorted({str(parameter.dtype) for parameter in trainer.model.parameters()})
    Path(folder, f"{rank}.json").write_text(json.dumps({"steps": recorder.steps, "losses": losses, "dtypes": dtypes}))


if __name__ == "__main__":
    main()
