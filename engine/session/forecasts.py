"""What each method would take on this machine with the settings of the draft, forecast without loading the model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuneproof.engine.methods.forecast import Forecast, forecast_memory, planned_parameters
from tuneproof.engine.methods.method import MethodSpec
from tuneproof.engine.methods.model_shape import UnsupportedArchitecture, read_shape
from tuneproof.engine.methods.padding import SequenceLengths
from tuneproof.engine.methods.plan import Plan, make_plans
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.files import config_folder
from tuneproof.engine.run import artifacts
from tuneproof.engine.session.case_session import CaseSession
from tuneproof.engine.stages.run_disk import run_disk


def method_forecasts(session: CaseSession) -> dict[str, Forecast]:
    """The forecast of each method by its name; empty before the baselines, and if the shape of the model is not known here."""
    catalogue, model = session.catalogue, session.model
    folder = config_folder(model.name) if model else None
    if catalogue is None or model is None or folder is None:
        return {}
    try:
        shape = read_shape(folder)
    except UnsupportedArchitecture:
        return {}
    content = session.draft.content
    limit = content.training.max_length or model.context
    lengths = [length for length, rows in catalogue.rows_by_length for _ in range(rows) if length <= limit]
    if not lengths:
        return {}
    entries = {entry.name: entry for entry in catalogue.methods}
    planned = [(plan, planned_parameters(plan, entries.get(plan.method))) for plan in make_plans(content.training)]
    known = [(plan, trained) for plan, trained in planned if trained is not None]
    found = forecast_memory(known, shape, SequenceLengths(lengths, model.context), content.budget, on_gpu=model.device == "cuda")
    if session.store is None:
        return found
    disk, stored = run_disk(session.store, catalogue, folder, len(lengths), content), session.method
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


def _is_of(stored: artifacts.MethodFacts, plan: Plan) -> bool:
    """Whether what the worker has planned is this plan."""
    return stored.name == plan.method and stored.settings == plan.settings


@dataclass(frozen=True)
class MethodRow:
    """One method as the method step lists it, with the settings of the draft."""

    method: MethodSpec
    trained: int | None
    """Parameters that it trains; None if it cannot adapt this base, or as long as that is not counted."""
    share: float | None
    """Their part of all parameters, the adapter's included."""
    forecast: Forecast | None


def method_rows(session: CaseSession) -> dict[str, MethodRow]:
    """Every method by its name, with the settings of the draft."""
    forecasts, catalogue = method_forecasts(session), session.catalogue
    entries = {entry.name: entry for entry in catalogue.methods} if catalogue else {}
    return {
        plan.method: _row(plan, entries.get(plan.method), forecasts.get(plan.method)) for plan in make_plans(session.draft.content.training)
    }


def _row(plan: Plan, entry: artifacts.CatalogueEntry | None, forecast: Forecast | None) -> MethodRow:
    method, trained = METHODS[plan.method], planned_parameters(plan, entry)
    if entry is None or trained is None or entry.trained_parameters is None or entry.all_parameters is None:
        return MethodRow(method, None, None, forecast)
    # An adapter is part of all parameters; what trains the weights of the base adds none.
    added = 0 if method.peft_class is None else trained - entry.trained_parameters
    return MethodRow(method, trained, trained / (entry.all_parameters + added), forecast)
