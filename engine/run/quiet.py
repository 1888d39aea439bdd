"""Silencing other libraries in a process that is about to load a model."""

from __future__ import annotations

import os
import warnings

from tuneproof.engine.core.telemetry import turn_off_telemetry


def quiet_libraries() -> None:
    """Turns off progress bars, warnings for programmers, and telemetry; call it before transformers is imported."""
    turn_off_telemetry()
    warnings.filterwarnings("ignore", category=FutureWarning)
    # The log is read by people.
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
