"""What torch says of itself on a machine with a GPU, or when it cannot be imported; TEST_TORCH chooses. It computes nothing."""

from __future__ import annotations

import os
from types import SimpleNamespace

KIND = os.environ.get("TEST_TORCH", "h100")
if KIND == "broken":
    raise ImportError("libcudart.so.13: cannot open shared object file")

GPUS = {"h100": 1, "turing": 1, "cpu": 0, "driver": 0}[KIND]
__version__ = "2.13.0+cpu" if KIND == "cpu" else "2.13.0+cu130"
version = SimpleNamespace(cuda=None if KIND == "cpu" else "13.0", hip=None)
cuda = SimpleNamespace(
    is_available=lambda: GPUS > 0,
    device_count=lambda: GPUS,
    get_device_capability=lambda: (9, 0) if KIND == "h100" else (7, 5),
    is_bf16_supported=lambda including_emulation: KIND == "h100",
    nccl=SimpleNamespace(version=lambda: (2, 28, 3)),
)
backends = SimpleNamespace(cuda=SimpleNamespace(is_flash_attention_available=lambda: True))
distributed = SimpleNamespace(is_available=lambda: True, is_nccl_available=lambda: KIND != "cpu")
