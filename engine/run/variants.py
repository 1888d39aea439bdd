"""What answers the frozen cases beside the arms: models that stand beside the tuned one and are asked exactly as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tuneproof.engine.case.arm_names import ArmName
from tuneproof.engine.data.subsets import SHARES


@dataclass(frozen=True)
class Further:
    """One such model: what it is called where arms have their names, its step in the manifest, and where its files lie in the run.

    `made_by` is the step that made what it answers with, an adapter or a whole model, in the folder `model`.
    """

    name: str
    step: str
    made_by: str
    folder: str
    model: str

    @property
    def planned_by(self) -> str:
        """The step that settled how it is trained, where it has a plan of its own."""
        return f"{self.step} method"

    @property
    def plan(self) -> str:
        """Where that plan lies."""
        return f"{self.folder}/method.json"

    @property
    def summary(self) -> str:
        """Where it is told how it was trained."""
        return f"{self.folder}/summary.json"

    @property
    def predictions(self) -> str:
        """Where its answers lie."""
        return f"{self.folder}/predictions.jsonl"

    @property
    def scores(self) -> str:
        """Where its scores lie."""
        return f"{self.folder}/scores.json"


def trained_further(name: str, step: str, folder: str) -> Further:
    """One that is trained anew, in a folder of its own."""
    return Further(name, step, f"{step} train", folder, f"{folder}/adapter")


def curve_point(share: int) -> Further:
    """The point of the learning curve that learned from a share of train, in per cent."""
    return trained_further(f"{ArmName.TUNED}_{share}", f"curve {share}", f"training/curve/{share}")


def compared(method: str) -> Further:
    """The model that another method made of the same rows."""
    return trained_further(f"{ArmName.TUNED}_{method}", f"compared {method}", f"training/compared/{method}")


MERGED = Further(f"{ArmName.TUNED}_merged", "merged", "merge", "training/merged", "training/merged/model")
"""The adapter merged into its base: what will be served."""

CURVE: dict[int, Further] = {share: curve_point(share) for share in SHARES}
"""The points of a learning curve by their share of train."""


def scored(steps: Mapping[str, object], methods: Mapping[str, object]) -> list[Further]:
    """Those that have answered the frozen cases, of a run with these steps; `methods` are all that could have been compared."""
    known = [*CURVE.values(), *map(compared, methods), MERGED]
    return [further for further in known if further.step in steps]
