"""What a run stores about a form in which the tuned model was scored."""

from __future__ import annotations

from pydantic import Field

from tuneproof.engine.run.facts import Facts
from tuneproof.engine.run.variants import ServedForm


class FormFacts(Facts):
    """One form: its size, and the forms that were passed over before it."""

    form: ServedForm
    weights_bytes: int
    """The size of its weight files; of an adapter's form, of base and adapter together."""
    sha256: str
    """The digest of its weights: of an adapter's form, of the adapter."""
    not_tried: dict[ServedForm, str] = Field(default={}, exclude_if=lambda forms: not forms)
    """Forms that could not be tried here, each with the reason."""
