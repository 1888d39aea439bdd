"""What torch and its libraries say of this machine, asked in a process of its own: importing torch takes seconds, and may fail."""

from __future__ import annotations

import subprocess
import sys

from pydantic import BaseModel, ConfigDict, ValidationError

SECONDS = 180.0
"""How long the process may take: importing torch from a network file system takes a minute or more."""


class TorchFacts(BaseModel):
    """The answers; without torch only `problem` is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    problem: str | None = None
    """Why torch cannot be used."""
    version: str = ""
    cuda: str | None = None
    """The version of CUDA that torch was built for; None for a build without."""
    rocm: str | None = None
    gpus: int = 0
    """GPUs that torch can use."""
    capability: tuple[int, int] | None = None
    """The compute capability of the first one."""
    bf16: bool = False
    """Whether the GPU computes in bfloat16 without emulating it."""
    flash_sdpa: bool = False
    """Whether torch's own attention may use its flash kernels here."""
    nccl: str | None = None
    """The version of NCCL; None if torch was built without."""
    bitsandbytes: str | None = None
    """Its version; None if it is not installed."""
    bitsandbytes_problem: str | None = None
    """Why numbers could not be quantised with it on this machine."""
    flash_attention: str | None = None
    """The newest flash attention package that transformers finds."""


def ask_torch() -> TorchFacts:
    """Asks in a new process, which may take as long as importing torch."""
    command = [sys.executable, "-m", "tuneproof.engine.doctor.ask_torch"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return TorchFacts(problem=f"importing it takes longer than {SECONDS:.0f} s")
    # Libraries print what they like before.
    answer = next(iter(done.stdout.strip().splitlines()[-1:]), "")
    try:
        return TorchFacts.model_validate_json(answer)
    except ValidationError:
        last = next(iter(done.stderr.strip().splitlines()[-1:]), f"its process ended with code {done.returncode}")
        return TorchFacts(problem=last)
