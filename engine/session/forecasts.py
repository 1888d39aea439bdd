"""What each method would take on this machine with the settings of the draft, forecast without loading the model."""

from __future__ import annotations

from dataclasses import dataclass

from tuneproof.engine.methods.forecast import Forecast, planned_parameters
from tuneproof.engine.methods.method import MethodSpec
from tuneproof.engine.methods.plan import Plan, make_plans
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.planning.forecasts import forecasts
from tuneproof.engine.run import artifacts
from tuneproof.engine.session.case_session import CaseSession


def method_forecasts(session: CaseSession) -> dict[str, Forecast]:
    """The forecast of each method by its name; empty before the baselines, and if the shape of the model is not known here."""
    return forecasts(session.draft.content, session.store, session.catalogue, session.model, session.method)


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
    known, catalogue = method_forecasts(session), session.catalogue
    entries = {entry.name: entry for entry in catalogue.methods} if catalogue else {}
    return {
        plan.method: _row(plan, entries.get(plan.method), known.get(plan.method)) for plan in make_plans(session.draft.content.training)
    }


def _row(plan: Plan, entry: artifacts.CatalogueEntry | None, forecast: Forecast | None) -> MethodRow:
    method, trained = METHODS[plan.method], planned_parameters(plan, entry)
    if entry is None or trained is None or entry.trained_parameters is None or entry.all_parameters is None:
        return MethodRow(method, None, None, forecast)
    # An adapter is part of all parameters; what trains the weights of the base adds none.
    added = 0 if method.peft_class is None else trained - entry.trained_parameters
    return MethodRow(method, trained, trained / (entry.all_parameters + added), forecast)
