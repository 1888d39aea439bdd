"""Turning off what other libraries report about their use: nothing here sends anything that the user did not ask for."""

from __future__ import annotations

import os

OFF = {
    # huggingface_hub, and through it transformers, datasets, PEFT and TRL, which reports every training.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # https://donottrack.sh
    "DO_NOT_TRACK": "1",
    # Ray reports every cluster that it starts.
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""The environment variables that turn the telemetry of each library off."""


def turn_off_telemetry() -> None:
    """Turns it off in this process and those that it starts, where the user has not decided; call it before any of these is imported."""
    for name, value in OFF.items():
        os.environ.setdefault(name, value)
