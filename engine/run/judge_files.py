"""The files of a judge in a run folder, and what `judge.json` holds."""

from __future__ import annotations

from tuneproof.engine.run.facts import Facts
from tuneproof.engine.run.variants import ModelVariant

JUDGE = "judge.json"
KNOWN = "judge/known.jsonl"
"""The pairs whose better answer is known, with the judge's verdicts."""

LABELLED = "judge/labelled.jsonl"
"""The pairs that a person judged, with the judge's verdicts."""

KEPT = "judge/kept.jsonl"
"""The replies of the judge as they come, until the run is evaluated: a resumed run does not ask, and pay, for them again."""


class JudgeFacts(Facts):
    """Who the judge is, and what it is asked. What the check came to follows from the files beside it."""

    model: str
    place: str
    """The address of the server, or `this machine`."""
    sha256: str
    """Digest of everything that a verdict depends on: model, settings, rubric and prompt."""
    rubric: str
    prompt: str
    """The prompt, with placeholders."""
    versions: dict[str, str]


def judgements_file(tuned: str, other: str) -> str:
    """The verdicts on the answers of the tuned arm, or of a model variant by its folder, against those of an untuned arm."""
    return f"{tuned}/judgements_{other}.jsonl"


def tuned_folder(arm: str) -> str:
    """The folder of the answers of a tuned arm."""
    return f"arms/{arm}"


def variant_folder(variant: ModelVariant) -> str:
    """The folder of the answers of a model variant."""
    return variant.folder
