"""The part of a plan about the training: what would be trained, why that costs less than training every weight, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tuneproof.engine.case.route import Route
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.methods.candidates import held_by, make_candidate
from tuneproof.engine.methods.forecast import Forecast, planned_parameters
from tuneproof.engine.methods.method import MethodName, MethodSpec
from tuneproof.engine.methods.model_shape import ModelShape
from tuneproof.engine.methods.plan import Plan, make_plan, make_plans, setting_sources
from tuneproof.engine.methods.registry import METHODS
from tuneproof.engine.models.base_facts import folder_facts
from tuneproof.engine.models.weight_files import base_parameters
from tuneproof.engine.planning.forecasts import forecasts, row_lengths
from tuneproof.engine.planning.page import CostPart, HeldByMethod, MethodLine, OnGpu, TrainingPart
from tuneproof.engine.planning.sources import PlanSources
from tuneproof.engine.run import artifacts

SAME_COUNT_AS_LORA = (MethodName.LORA, MethodName.QLORA, MethodName.INT8_LORA, MethodName.RSLORA, MethodName.PISSA)
"""Methods that train LoRA's two matrices for every linear layer, and nothing else."""


@dataclass(frozen=True)
class _Methods:
    """Every method with the settings of the case."""

    plans: dict[str, Plan]
    trained: dict[str, int]
    """Parameters, by the name of the method, where they are known."""
    forecasts: Mapping[str, Forecast]
    entries: Mapping[str, artifacts.CatalogueEntry]


def training_part(sources: PlanSources, route: Route | None) -> tuple[TrainingPart, CostPart]:
    """What would be trained with the method of the case, and what that takes. Raises CaseError for an unknown method."""
    content, stored = sources.content, sources.method
    methods = _methods(sources)
    chosen = make_plan(content.method, content.training)
    name, why = (stored.name, stored.why) if stored else (chosen.method, chosen.why)
    spec, plan = METHODS[name], methods.plans[name]
    trained, parameters = methods.trained.get(name), _base_parameters(sources, methods)
    part = TrainingPart(
        base=content.model.base if content.model else None,
        base_facts=_base_facts(sources),
        device=sources.model.device if sources.model else None,
        parameters=parameters,
        is_expected=route in (Route.FINE_TUNING, None) or content.method.even_if_routed_elsewhere,
        method=name,
        why=why,
        trains=spec.trains,
        good_for=spec.good_for,
        trained=trained,
        share=_share(spec, trained, parameters),
        settings=stored.settings if stored else plan.settings,
        sources=stored.sources if stored else setting_sources(content.method, content.training),
        length=(stored.length if stored else None) or (sources.catalogue.length if sources.catalogue else None),
        skipped=stored.skipped if stored else None,
        held=_held(sources.shape, name, methods) if sources.shape else [],
        on_gpu=_on_gpu(sources, name, methods),
        methods=[_line(each, name, stored, methods) for each in METHODS],
    )
    return part, _cost(sources, methods.forecasts.get(name))


def _methods(sources: PlanSources) -> _Methods:
    content, catalogue, shape = sources.content, sources.catalogue, sources.shape
    entries = {entry.name: entry for entry in catalogue.methods} if catalogue else {}
    plans = {plan.method: plan for plan in make_plans(content.training)}
    counted = {name: planned_parameters(plan, entries.get(name)) for name, plan in plans.items()}
    if catalogue is None and shape is not None:
        # Nothing was counted yet: the shape alone says what LoRA and full fine-tuning train.
        counted |= {name: shape.adapter_parameters(plans[name].rank or 0) for name in SAME_COUNT_AS_LORA}
        counted |= {MethodName.FULL.value: shape.parameters}
    trained = {name: count for name, count in counted.items() if count is not None}
    return _Methods(plans, trained, forecasts(content, sources.store, catalogue, sources.model, sources.method), entries)


def _base_parameters(sources: PlanSources, methods: _Methods) -> int | None:
    """The parameters of the base: as counted with its methods, or else from the headers of its files, or else from its shape."""
    full = methods.entries.get(MethodName.FULL)
    if full is not None and full.all_parameters is not None:
        return full.all_parameters
    if sources.folder is not None:
        try:
            return base_parameters(sources.folder)
        except (CaseError, OSError):
            return sources.shape.parameters if sources.shape else None
    return None


def _base_facts(sources: PlanSources) -> str | None:
    if sources.folder is None:
        return None
    try:
        return folder_facts(sources.folder).describe()
    except (CaseError, OSError):
        return None


def _share(spec: MethodSpec, trained: int | None, parameters: int | None) -> float | None:
    """The trained part of all parameters, those of the adapter included."""
    if trained is None or not parameters:
        return None
    return trained / (parameters + (trained if spec.peft_class else 0))


def _held(shape: ModelShape, chosen: str, methods: _Methods) -> list[HeldByMethod]:
    """Full fine-tuning, then the method of the plan and the two that most people choose between, as they are on a GPU."""
    names = dict.fromkeys([MethodName.FULL.value, chosen, MethodName.LORA.value, MethodName.QLORA.value])
    return [
        HeldByMethod(name, trained, held_by(methods.plans[name], trained, shape, on_gpu=True))
        for name in names
        if (trained := methods.trained.get(name)) is not None
    ]


def _on_gpu(sources: PlanSources, chosen: str, methods: _Methods) -> list[OnGpu]:
    """What a GPU would need for the rows of the case; empty as long as their lengths are not known, or if this machine has one."""
    catalogue, model, shape = sources.catalogue, sources.model, sources.shape
    if catalogue is None or model is None or shape is None or model.device == "cuda":
        return []
    lengths = row_lengths(sources.content, catalogue, model)
    if lengths is None:
        return []
    found = []
    for name in dict.fromkeys([MethodName.FULL.value, chosen, MethodName.LORA.value, MethodName.QLORA.value]):
        trained = methods.trained.get(name)
        if trained is not None:
            options = make_candidate(methods.plans[name], trained, shape, lengths, on_gpu=True).options
            totals = [option.memory.total for option in options if option.memory]
            found.append(OnGpu(name, totals[0], min(totals)))
    return found


def _line(name: str, chosen: str, stored: artifacts.MethodFacts | None, methods: _Methods) -> MethodLine:
    forecast = methods.forecasts.get(name)
    return MethodLine(
        name=name,
        trains=METHODS[name].trains,
        trained=methods.trained.get(name),
        memory=forecast.memory.total if forecast else None,
        why_not="" if name == chosen else _why_not(name, stored, methods),
    )


def _why_not(name: str, stored: artifacts.MethodFacts | None, methods: _Methods) -> str:
    """Why a method is not the one of the plan: as the planner rejected it, what this machine lacks, or else what it is for."""
    rejected = {each.name: each.reason for each in stored.planned.rejected_methods} if stored and stored.planned else {}
    entry, forecast = methods.entries.get(name), methods.forecasts.get(name)
    if name in rejected:
        return rejected[name]
    if entry is not None and entry.unavailable:
        return entry.unavailable
    if forecast is not None and not forecast.fits:
        return "does not fit this machine"
    return f"for {METHODS[name].good_for}"


def _cost(sources: PlanSources, forecast: Forecast | None) -> CostPart:
    planned, rate = sources.method.planned if sources.method else None, sources.content.budget.usd_per_gpu_hour
    return CostPart(
        planned=planned,
        needs=planned.needs if planned else forecast.needs if forecast else None,
        memory=planned.memory if planned else forecast.memory if forecast else None,
        usd=planned.usd if planned else None,
        usd_per_gpu_hour=rate,
    )
