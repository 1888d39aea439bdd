"""A sample of the stored answers of a run, decoded again: evidence that a model gave them. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from tuneproof.engine.core.errors import CaseError, GateClosed
from tuneproof.engine.core.hashing import sha256_data, sha256_text
from tuneproof.engine.models.files import config_folder
from tuneproof.engine.reproduce import NOT_REPRODUCIBLE, AnswerFiles, LoadedModels, Reproduced, Reproduction
from tuneproof.engine.run import artifacts
from tuneproof.engine.run.step_id import StepKind
from tuneproof.engine.run.store import MANIFEST, RunStore
from tuneproof.engine.run.variants import scored_variants
from tuneproof.engine.scoring.predictions import read_predictions

RULE = "the arms in turn, and of each the answers in the order of SHA-256 over the manifest's digest, the arm and the id"
"""How answers are chosen: always the same ones of a run, and others once anything in it changes."""


@dataclass
class Rerun:
    """What came of decoding a sample of the stored answers again."""

    asked: int
    stored: int
    """How many answers the run has, of all arms that can be decoded again."""
    decoded: dict[str, list[Reproduced]] = field(default_factory=dict)
    """By arm or model variant."""
    not_decoded: dict[str, str] = field(default_factory=dict)
    """The arms whose answers could not be decoded on this machine, each with the reason."""
    predictions: dict[str, str] = field(default_factory=dict)
    """The file with the answers of each arm that was decoded; a path in the run folder."""
    changed: list[str] = field(default_factory=list)
    """What differs from when the run was measured and can change an answer: device, number type and versions."""

    @property
    def answers(self) -> int:
        """How many answers were decoded again."""
        return sum(map(len, self.decoded.values()))

    @property
    def differing(self) -> list[tuple[str, Reproduced]]:
        """The answers that are not what is stored, each with its arm."""
        return [(arm, each) for arm, found in self.decoded.items() for each in found if not each.same]


def rerun(store: RunStore, count: int, on_progress: Callable[[int, int], None] = lambda done, of: None) -> Rerun:
    """Decodes `count` answers again, chosen by `RULE`, as far as base and weights are on this machine; nothing is downloaded.

    Raises VerifyFailed or CaseError if the run folder cannot be read.
    """
    manifest = store.manifest
    files = {arm: artifacts.predictions_file(arm) for arm in manifest.names(StepKind.ARM) if arm not in NOT_REPRODUCIBLE}
    files |= {variant.name: variant.predictions for variant in scored_variants(manifest)}
    stored = {arm: [each.id for each in read_predictions(store.read(file))] for arm, file in files.items()}
    chosen = chosen_answers(sha256_text(store.read(MANIFEST)), stored, count)
    result = Rerun(count, sum(map(len, stored.values())))
    result.not_decoded |= {arm: why for arm, why in NOT_REPRODUCIBLE.items() if arm in manifest.names(StepKind.ARM)}
    if (absent := _why_base_is_not_here(store)) is not None:
        result.not_decoded |= dict.fromkeys(chosen, absent)
        return result
    models, done = LoadedModels(), 0
    # Arms that answered with the same weights come one after the other, so that these are loaded once.
    for arm in sorted(chosen, key=lambda name: AnswerFiles.of(store, name).adapter or ""):
        try:
            reproduction = Reproduction(store, arm, models)
        except (GateClosed, CaseError) as error:
            result.not_decoded[arm] = error.what
            continue
        result.changed = result.changed or reproduction.differences()
        result.decoded[arm], _ = reproduction.some(chosen[arm])
        result.predictions[arm] = files[arm]
        done += len(chosen[arm])
        on_progress(done, sum(map(len, chosen.values())))
    return result


def chosen_answers(digest: str, stored: Mapping[str, Sequence[str]], count: int) -> dict[str, list[str]]:
    """The ids that `RULE` chooses of those stored by arm: `count`, or all if there are fewer; `digest` is that of the manifest."""
    in_order = {arm: _in_order(digest, arm, cases) for arm, cases in stored.items()}
    in_turn = [
        (arm, case) for turn in zip_longest(*in_order.values()) for arm, case in zip(in_order, turn, strict=True) if case is not None
    ]
    chosen: dict[str, list[str]] = {}
    for arm, case in in_turn[:count]:
        chosen.setdefault(arm, []).append(case)
    return chosen


def _in_order(digest: str, arm: str, cases: Sequence[str]) -> list[str]:
    return sorted(cases, key=lambda case: sha256_data([digest, arm, case]))


def _why_base_is_not_here(store: RunStore) -> str | None:
    """Why the base cannot be loaded without a network; None if all its recorded files are here."""
    if not store.has(artifacts.MODEL):
        return "the run needed no model"
    model = artifacts.ModelFacts.model_validate_json(store.read(artifacts.MODEL))
    folder = config_folder(model.name)
    if folder is None or not folder.is_dir():
        return f"the base {model.name} is not on this machine"
    missing = [name for name in model.files if not (folder / name).is_file()]
    return f"of the base {model.name}, {missing[0]} is not on this machine" if missing else None
