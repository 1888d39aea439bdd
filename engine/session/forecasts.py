"""What each method would take on this machine with the settings of the draft, forecast without loading the model."""

from __future__ import annotations

from tuneproof.engine.methods.forecast import Forecast, forecast_memory
from tuneproof.engine.methods.model_shape import UnsupportedArchitecture, read_shape
from tuneproof.engine.methods.padding import SequenceLengths
from tuneproof.engine.methods.plan import Plan, make_plans
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
    planned = [(plan, _trained_parameters(plan, entries.get(plan.method))) for plan in make_plans(content.training)]
    known = [(plan, trained) for plan, trained in planned if trained is not None]
    return forecast_memory(known, shape, SequenceLengths(lengths, model.context), content.budget, on_gpu=model.device == "cuda")


def _trained_parameters(plan: Plan, entry: artifacts.CatalogueEntry | None) -> int | None:
    """Parameters that the plan trains: as in the catalogue, scaled if the plan has another rank or number of virtual tokens."""
    if entry is None or entry.trained_parameters is None:
        return None
    size, counted = plan.rank or plan.virtual_tokens, entry.settings.get("rank") or entry.settings.get("virtual_tokens")
    return round(entry.trained_parameters * size / counted) if size and counted else entry.trained_parameters
