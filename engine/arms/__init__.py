"""The systems that are scored on the frozen cases: one file each, listed here, and nothing else knows their names."""

from __future__ import annotations

from collections.abc import Callable

from tuneproof.engine.arms.arm import Arm, Setting
from tuneproof.engine.arms.few_shot import FewShot
from tuneproof.engine.arms.tuned import Tuned
from tuneproof.engine.arms.zero_shot import ZeroShot

UNTUNED: dict[str, Callable[[Setting], Arm]] = {"zero_shot": ZeroShot, "few_shot": FewShot}
"""The arms that can stand under `baselines`, lightest first."""

TUNED: dict[str, Callable[[Setting], Arm]] = {"tuned": Tuned}
"""The arms that need a trained adapter."""

__all__ = ["TUNED", "UNTUNED", "Arm", "Setting"]
