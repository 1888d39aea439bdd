"""The disk of a run of the sample case, for plans that are made without a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tuneproof.engine.case.evaluate import Evaluate
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.methods.model_shape import known_shape
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.base_model import BaseCheckpoint
from tuneproof.engine.models.files import tokenizer_bytes
from tuneproof.engine.planning.run_disk import RunDisk
from tuneproof.engine.run import artifacts


def disk_of(base: BaseCheckpoint, folder: Path, trained: Mapping[str, int], evaluate: Evaluate | None = None) -> RunDisk:
    """The disk of `folder` for methods that train so many parameters each."""
    return RunDisk(
        run=folder,
        within="training",
        catalogue={name: _entry(name, parameters) for name, parameters in trained.items()},
        rows=94,
        tokenizer=tokenizer_bytes(base.folder),
        shape=known_shape(base.folder),
        evaluate=evaluate,
        training=Training(),
        scored_arms=1,
        predictions=50_000,
    )


def _entry(name: str, parameters: int) -> artifacts.CatalogueEntry:
    method = METHODS[name]
    settings = make_plan(MethodChoice(name=name), Training()).settings
    return artifacts.CatalogueEntry(
        name=name,
        trains=method.trains,
        good_for=method.good_for,
        trained_parameters=parameters,
        all_parameters=parameters if name == "full" else None,
        settings=settings,
        unavailable=None,
    )
