"""`evidence.json` of an export: what was written from which run, and how it answered the frozen cases where it was served."""

from __future__ import annotations

from pydantic import Field

from tuneproof.engine.export.form import ExportForm, NumberType
from tuneproof.engine.run.event import Rate
from tuneproof.engine.run.facts import Facts
from tuneproof.engine.scoring.verdict_schema import PairedDifference

EVIDENCE = "evidence.json"


class TokenDrift(Facts):
    """The first token at which the prompt of a case differs between measuring and serving."""

    case: str
    at: int
    """From 0."""
    measured: str
    """The text of the measured prompt from a few tokens before the difference on, special tokens written out."""
    served: str
    measured_token: int | None
    """None where the measured prompt ends."""
    served_token: int | None


class ServingCheck(Facts):
    """How the exported model answered the frozen cases, beside the answers that were measured."""

    served_by: str
    """The library or server, its version, and the number type that it computed in."""
    cases: int
    equal_answers: int
    """Answers with the measured text."""
    correct_measured: Rate
    correct_served: Rate
    difference: PairedDifference
    """Served minus measured, in the metric that decides."""
    equal_prompts: int | None
    """Prompts with the measured tokens; None where a server does not show its tokens."""
    equal_prompt_lengths: int | None = None
    """Prompts with the measured number of tokens, as a server reports it; None if it does not, and where the tokens are known."""
    first_drift: TokenDrift | None = None
    agrees: bool
    """Whether the answers agree, and no prompt is known to differ."""


class ExportEvidence(Facts):
    """What an export consists of and rests on."""

    tuneproof: str
    form: ExportForm
    number_type: NumberType | None
    """Of the weights that were written; None for an adapter, which is stored in float32."""
    case: str
    case_sha256: str
    eval_sha256: str
    base: str
    base_sha256: str
    weights_sha256: str
    """Of the trained weights in the run."""
    card_sha256: str
    files: dict[str, str]
    """SHA-256 of each file of the export but this one and the README."""
    checks: list[ServingCheck] = Field(default=[])
