"""What each method would take on this machine with the settings of the draft, forecast without loading the model."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.methods.forecast import Forecast, forecast_memory
from tuneproof.engine.methods.method import MethodSpec
from tuneproof.engine.methods.model_shape import UnsupportedArchitecture, read_shape
from tuneproof.engine.methods.padding import SequenceLengths
from tuneproof.engine.methods.plan import Plan, make_plans, size_of
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.files import config_folder
from tuneproof.engine.run import artifacts
from tuneproof.engine.session.case_session import CaseSession


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
    planned = [(plan, trained_parameters(plan, entries.get(plan.method))) for plan in make_plans(content.training)]
    known = [(plan, trained) for plan, trained in planned if trained is not None]
    return forecast_memory(known, shape, SequenceLengths(lengths, model.context), content.budget, on_gpu=model.device == "cuda")


def trained_parameters(plan: Plan, entry: artifacts.CatalogueEntry | None) -> int | None:
    """Parameters that the plan trains: as counted for the catalogue, for the rank or the number of virtual tokens of the plan."""
    if entry is None or entry.trained_parameters is None:
        return None
    size, counted = size_of(plan), entry.settings.get("rank") or entry.settings.get("virtual_tokens")
    if not size or not counted or size == counted:
        return entry.trained_parameters
    if entry.trained_per_size is None:
        # A catalogue of an earlier version: right for the methods that train nothing beside what the rank sizes.
        return round(entry.trained_parameters * size / counted)
    return round(entry.trained_parameters + (size - counted) * entry.trained_per_size)


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
    method, trained = METHODS[plan.method], trained_parameters(plan, entry)
    if entry is None or trained is None or entry.trained_parameters is None or entry.all_parameters is None:
        return MethodRow(method, None, None, forecast)
    # An adapter is part of all parameters; what trains the weights of the base adds none.
    added = 0 if method.peft_class is None else trained - entry.trained_parameters
    return MethodRow(method, trained, trained / (entry.all_parameters + added), forecast)
