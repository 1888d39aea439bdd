"""The published peaks of memory, and what is predicted for each: `measured_memory.yaml` as data.

Printed as a table with `python -m tuneproof.engine.methods.measured`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

import yaml

from tuneproof.engine.methods.memory import Attention, Logits, TrainingShape, Weights, predict
from tuneproof.engine.methods.model_shape import ModelShape, shape_of
from tuneproof.engine.run.artifacts import Memory, Optimizer

UNITS = {"GB": 10**9, "GiB": 1 << 30}
ENUMS: dict[str, type[StrEnum]] = {"weights": Weights, "optimizer": Optimizer, "attention": Attention, "logits": Logits}


@dataclass(frozen=True)
class MeasuredRow:
    """One published peak in bytes; nothing is predicted where the source does not say enough, and `unknown` says what is missing."""

    source: str
    model: str
    name: str
    measured: float
    whole_device: bool
    bound: bool
    predicted: Memory | None
    unknown: str

    @property
    def comparable(self) -> float | None:
        """The predicted peak, of what the source counts."""
        if self.predicted is None:
            return None
        return self.predicted.total if self.whole_device else self.predicted.tensors

    @property
    def error(self) -> float | None:
        """How far the prediction is off, as a share of what was measured: below zero it is too low."""
        return None if self.comparable is None else self.comparable / self.measured - 1


@dataclass(frozen=True)
class FitRow:
    """A training that ran, or did not, on a GPU of so many bytes."""

    name: str
    device: float
    fits: bool
    predicted: Memory


def measured_rows() -> list[MeasuredRow]:
    """Every published peak, in the order of the file."""
    content = _content()
    return [_row(content, group, row) for group in content["groups"] for row in group["rows"]]


def fit_rows() -> list[FitRow]:
    """Every training of which only is known whether it fitted."""
    content, group = _content(), _content()["fits"]
    rows = []
    for row in group["rows"]:
        predicted = _predict(content["models"][row["model"]], {**group["settings"], **row.get("settings", {})})
        rows.append(FitRow(row["name"], row["gpu_gb"] * 1e9, row["fits"], predicted))
    return rows


def _content() -> dict[str, Any]:
    text = (files("tuneproof.engine.methods") / "measured_memory.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def _row(content: Mapping[str, Any], group: Mapping[str, Any], row: Mapping[str, Any]) -> MeasuredRow:
    model = row.get("model", group["model"])
    unknown = row.get("unknown", "")
    settings = {**group["settings"], **row.get("settings", {})}
    return MeasuredRow(
        source=group["source"],
        model=model,
        name=row["name"],
        measured=row["measured"] * UNITS[group["unit"]],
        whole_device=group["counts"] == "device",
        bound=row.get("bound", False),
        predicted=None if unknown else _predict(content["models"][model], settings),
        unknown=unknown,
    )


def _predict(config: Mapping[str, Any], settings: Mapping[str, Any]) -> Memory:
    model = shape_of(config)
    return predict(model, _step(model, settings))


def _step(model: ModelShape, settings: Mapping[str, Any]) -> TrainingShape:
    given = dict(settings)
    rank, targets = given.pop("rank", 0), given.pop("targets", None)
    trained = model.parameters if given.get("full") else model.adapter_parameters(rank, tuple(targets) if targets else None)
    typed: dict[str, Any] = {key: ENUMS[key](value) if key in ENUMS else value for key, value in given.items()}
    return TrainingShape(trained_parameters=trained, **typed)


def table() -> str:
    """Predicted against measured as Markdown, in GB."""
    lines = ["| source | model | row | measured | predicted | error |", "|---|---|---|---|---|---|"]
    for row in measured_rows():
        told = (
            f"{row.comparable / 1e9:.1f} | {100 * row.error:+.0f} %" if row.comparable and row.error is not None else f"– | {row.unknown}"
        )
        lines.append(f"| {row.source.split(':')[0].split(' (')[0]} | {row.model} | {row.name} | {row.measured / 1e9:.1f} | {told} |")
    for fit in fit_rows():
        said = "fits" if fit.fits else "out of memory"
        lines.append(f"| H2O documentation | {fit.name} | {fit.device / 1e9:.0f} GB | {said} | {fit.predicted.total / 1e9:.1f} | |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
