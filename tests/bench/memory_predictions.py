"""The published peaks of training memory beside what is predicted for each, as a table: `python -m tests.bench.memory_predictions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from tuneproof.engine.methods.memory import AttentionKernel, LogitStorage, TrainingShape, WeightFormat, predict_memory
from tuneproof.engine.methods.model_shape import ModelShape, shape_of
from tuneproof.engine.run.artifacts import Memory, Optimizer

PEAKS = Path(__file__).with_name("published_memory_peaks.yaml")
UNITS = {"GB": 10**9, "GiB": 1 << 30}
ENUMS: dict[str, type[StrEnum]] = {"weights": WeightFormat, "optimizer": Optimizer, "attention": AttentionKernel, "logits": LogitStorage}


@dataclass(frozen=True)
class PublishedPeak:
    """One published peak, in bytes, and its prediction."""

    source: str
    model: str
    name: str
    measured: float
    counts_device: bool
    """Whether the source counts all memory of the device, not only that of tensors."""
    is_bound: bool
    """Whether the tests hold the prediction to 15 %; the others may not be more than 10 % too low."""
    predicted: Memory | None
    """None if the source does not publish enough to predict it."""
    unknown: str
    """What the source does not publish."""

    @property
    def comparable(self) -> float | None:
        """The predicted bytes of what the source counts."""
        if self.predicted is None:
            return None
        return self.predicted.total if self.counts_device else self.predicted.tensors

    @property
    def error(self) -> float | None:
        """The error of the prediction as a share of the measured peak; negative if it is too low."""
        return None if self.comparable is None else self.comparable / self.measured - 1


@dataclass(frozen=True)
class PublishedFit:
    """A training that fitted, or ran out of memory, on a GPU of `device` bytes."""

    name: str
    device: float
    fits: bool
    predicted: Memory


def published_peaks() -> list[PublishedPeak]:
    """Every published peak, in the order of the file."""
    content = _read()
    return [_peak(content, group, row) for group in content["groups"] for row in group["rows"]]


def published_fits() -> list[PublishedFit]:
    """Every training whose source says only whether it fitted."""
    content = _read()
    group = content["fits"]
    fits = []
    for row in group["rows"]:
        predicted = _predict(content["models"][row["model"]], {**group["settings"], **row.get("settings", {})})
        fits.append(PublishedFit(row["name"], row["gpu_gb"] * 1e9, row["fits"], predicted))
    return fits


def table() -> str:
    """Measured and predicted peaks in GB, as Markdown."""
    lines = ["| source | model | row | measured | predicted | error |", "|---|---|---|---|---|---|"]
    for peak in published_peaks():
        predicted = f"– | {peak.unknown}"
        if peak.comparable is not None and peak.error is not None:
            predicted = f"{peak.comparable / 1e9:.1f} | {100 * peak.error:+.0f} %"
        lines.append(
            f"| {peak.source.split(':')[0].split(' (')[0]} | {peak.model} | {peak.name} | {peak.measured / 1e9:.1f} | {predicted} |"
        )
    for fit in published_fits():
        measured = "fits" if fit.fits else "out of memory"
        lines.append(f"| H2O documentation | {fit.name} | {fit.device / 1e9:.0f} GB | {measured} | {fit.predicted.total / 1e9:.1f} | |")
    return "\n".join(lines)


def _read() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(PEAKS.read_text(encoding="utf-8"))
    return content


def _peak(content: Mapping[str, Any], group: Mapping[str, Any], row: Mapping[str, Any]) -> PublishedPeak:
    model, unknown = row.get("model", group["model"]), row.get("unknown", "")
    settings = {**group["settings"], **row.get("settings", {})}
    return PublishedPeak(
        source=group["source"],
        model=model,
        name=row["name"],
        measured=row["measured"] * UNITS[group["unit"]],
        counts_device=group["counts"] == "device",
        is_bound=row.get("bound", False),
        predicted=None if unknown else _predict(content["models"][model], settings),
        unknown=unknown,
    )


def _predict(config: Mapping[str, Any], settings: Mapping[str, Any]) -> Memory:
    model = shape_of(config)
    return predict_memory(model, _step(model, settings))


def _step(model: ModelShape, settings: Mapping[str, Any]) -> TrainingShape:
    """The step that the settings of a row describe; its keys are fields of `TrainingShape`, or LoRA's `rank` and `targets`."""
    given = dict(settings)
    rank, targets = given.pop("rank", 0), given.pop("targets", None)
    trained = model.parameters if given.get("full") else model.adapter_parameters(rank, tuple(targets) if targets else None)
    typed: dict[str, Any] = {key: ENUMS[key](value) if key in ENUMS else value for key, value in given.items()}
    return TrainingShape(trained_parameters=trained, **typed)


if __name__ == "__main__":
    print(table())
