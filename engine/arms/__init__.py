"""The arms: the systems that are scored on the frozen cases, one file each. `ArmName` spells their names."""

from __future__ import annotations

from tuneproof.engine.arms.arm import Arm, ArmContext, Request
from tuneproof.engine.arms.constrained import Constrained, FewShotConstrained, TunedConstrained
from tuneproof.engine.arms.endpoint import EndpointArm
from tuneproof.engine.arms.few_shot import FewShot
from tuneproof.engine.arms.retrieval import Retrieval
from tuneproof.engine.arms.tuned import Tuned
from tuneproof.engine.arms.zero_shot import ZeroShot

UNTUNED_ARMS: dict[str, type[Arm]] = {arm.name: arm for arm in (ZeroShot, FewShot, Retrieval, Constrained, FewShotConstrained, EndpointArm)}
"""The arms that a case can list under `baselines`, lightest first."""

TUNED_ARMS: dict[str, type[Arm]] = {arm.name: arm for arm in (Tuned, TunedConstrained)}
"""The arms that need a trained adapter, lightest first; training uses the prompt of the first."""

__all__ = ["TUNED_ARMS", "UNTUNED_ARMS", "Arm", "ArmContext", "Request"]
