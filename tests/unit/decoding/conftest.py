"""The sample model and its tokenizer."""

from __future__ import annotations

from typing import Any

import pytest

from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base, load_weights


@pytest.fixture(scope="session")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


@pytest.fixture(scope="session")
def model(base: BaseCheckpoint) -> Any:
    """Shared between tests: copy it before changing it."""
    return load_weights(base)
