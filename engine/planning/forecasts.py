"""What each method would take on this machine with the settings of a case, forecast without loading the model."""

from __future__ import annotations

from dataclasses import replace

from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.methods.forecast import Forecast, forecast_memory, planned_parameters
from tuneproof.engine.methods.model_shape import known_shape
from tuneproof.engine.methods.padding import SequenceLengths
from tuneproof.engine.methods.plan import Plan, make_plans
from tuneproof.engine.models.files import config_folder
from tuneproof.engine.planning.run_disk import run_disk
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.store import RunStore


def forecasts(
    content: DraftCase,
    store: RunStore | None,
    catalogue: artifacts.Catalogue | None,
    model: artifacts.ModelFacts | None,
    stored: artifacts.MethodFacts | None,
) -> dict[str, Forecast]:
    """The forecast of each method by its name; empty before there is a catalogue, and if the shape of the model is not known here."""
    folder = config_folder(model.name) if model else None
    if catalogue is None or model is None or folder is None:
        return {}
    shape, lengths = known_shape(folder), row_lengths(content, catalogue, model)
    if shape is None or lengths is None:
        return {}
    entries = {entry.name: entry for entry in catalogue.methods}
    planned = [(plan, planned_parameters(plan, entries.get(plan.method))) for plan in make_plans(content.training)]
    known = [(plan, trained) for plan, trained in planned if trained is not None]
    found = forecast_memory(known, shape, lengths, content.budget, on_gpu=model.device == "cuda")
    if store is None:
        return found
    disk = run_disk(store, catalogue, folder, len(lengths.row_tokens), content)
    free, plans = disk.free, {plan.method: plan for plan, _ in known}
    return {
        name: replace(
            each,
            disk=disk.predict(replace(plans[name], optimizer=each.option.optimizer)),
            free_disk=free,
            hours=stored.planned.hours if stored and stored.planned and _is_of(stored, plans[name]) else None,
        )
        for name, each in found.items()
    }


def row_lengths(content: DraftCase, catalogue: artifacts.Catalogue, model: artifacts.ModelFacts) -> SequenceLengths | None:
    """The lengths of the rows that would be trained on; None if none is known, or none is short enough."""
    limit = content.training.max_length or model.context
    lengths = [length for length, rows in catalogue.rows_by_length for _ in range(rows) if length <= limit]
    return SequenceLengths(lengths, model.context) if lengths else None


def _is_of(stored: artifacts.MethodFacts, plan: Plan) -> bool:
    """Whether what the worker has planned is this plan."""
    return stored.name == plan.method and stored.settings == plan.settings
