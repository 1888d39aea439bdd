"""The form of the method step: the settings of the chosen method, and what speaks against training at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuneproof.engine.case.route import Route
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.training import MethodChoice
from tuneproof.engine.methods.plan import make_plan, setting_sources
from tuneproof.engine.session.form_input import parse_number

if TYPE_CHECKING:
    from tuneproof.engine.session.case_session import CaseSession

SETTINGS = {
    "epochs": "how often each example is seen",
    "learning_rate": "how far one step goes; if it is too high, the loss jumps",
    "batch_size": "examples in one step",
    "rank": "how much an adapter can learn, and its size",
    "alpha": "how strongly an adapter counts",
    "virtual_tokens": "length of the trained prompt; every request pays for it",
    "warmup": "share of the steps in which the learning rate rises",
    "max_length": "longer rows are not trained on; no row is cut",
    "max_steps": "training ends after this number of steps",
    "probe_every": "steps between two probes on validation cases",
}
"""The settings that the form shows, and what each means."""

FRACTIONAL = ("epochs", "learning_rate", "warmup")
"""Settings whose value need not be a whole number."""


def settings_of(content: DraftCase) -> dict[str, str]:
    """The settings of the chosen method, and what each means. Raises CaseError if there is no such method."""
    known = make_plan(content.method, content.training).settings
    return {name: meaning for name, meaning in SETTINGS.items() if name in known}


@dataclass(frozen=True)
class SettingRow:
    """One setting as the form shows it."""

    name: str
    value: float | int | str | None
    is_own: bool
    """Whether the case sets it; otherwise it has its default."""
    note: str
    """What the setting means, and for a default where it comes from."""


def setting_rows(content: DraftCase) -> list[SettingRow]:
    """The settings of the chosen method with their values. Raises CaseError if there is no such method."""
    chosen, source = make_plan(content.method, content.training), setting_sources(content.method, content.training)
    rows = []
    for name, meaning in settings_of(content).items():
        own = getattr(content.training, name)
        is_own = own is not None
        note = meaning if is_own or name not in source else f"{meaning} ({source[name]})"
        rows.append(SettingRow(name, own if is_own else getattr(chosen, name), is_own, note))
    return rows


def with_setting(content: DraftCase, name: str, text: str) -> dict[str, Any]:
    """The training section with a typed value of a setting; an empty text restores the default. Raises InputError if it is no number."""
    value = parse_number(name, text)
    is_whole = value is not None and value.is_integer() and name not in FRACTIONAL
    return content.training.model_dump() | {name: int(value) if is_whole and value is not None else value}


@dataclass(frozen=True)
class Objection:
    """What the evidence says against training; a setting of the case overrides it."""

    reason: str
    override: str
    """The key of `method` that trains nevertheless."""


def objection_to_training(arms_that_meet_the_target: Sequence[str], route: Route | None) -> Objection | None:
    """The first objection, None if there is none or the route is not known yet."""
    if arms_that_meet_the_target:
        return Objection(f"{arms_that_meet_the_target[0]} is shown to meet the target", "even_if_met")
    if route in (None, Route.FINE_TUNING):
        return None
    return Objection(f"the route is `{route}`", "even_if_routed_elsewhere")


def standing_objection(session: CaseSession) -> Objection | None:
    """The objection because of which a training that is started now would be skipped; None if there is none, or the case overrides it."""
    objection = objection_to_training(session.arms_that_meet_the_target(), session.route_after_measurement())
    return None if objection is None or getattr(session.draft.content.method, objection.override) else objection


def is_overridden(method: MethodChoice) -> bool:
    """Whether the case trains although the evidence speaks against it."""
    return method.even_if_met or method.even_if_routed_elsewhere


def with_override_toggled(method: MethodChoice, objection: Objection) -> MethodChoice:
    """The method with the override of an objection switched on or off."""
    return method.model_copy(update={objection.override: not getattr(method, objection.override)})
