"""The arms: the systems that are scored on the frozen cases, one file each. `ArmName` spells their names."""

from __future__ import annotations

from tuneproof.engine.arms.arm import Arm, ArmContext, Request
from tuneproof.engine.arms.constrained import Constrained, FewShotConstrained, TunedConstrained
from tuneproof.engine.arms.endpoint import EndpointArm
from tuneproof.engine.arms.few_shot import FewShot
from tuneproof.engine.arms.optimised_prompt import OptimisedPrompt
from tuneproof.engine.arms.own_prompt import own_prompt_arms
from tuneproof.engine.arms.retrieval import Retrieval
from tuneproof.engine.arms.tuned import Tuned
from tuneproof.engine.arms.zero_shot import ZeroShot
from tuneproof.engine.case.schema import DraftCase

UNTUNED_ARMS: dict[str, type[Arm]] = {
    arm.name: arm for arm in (ZeroShot, FewShot, OptimisedPrompt, Retrieval, Constrained, FewShotConstrained, EndpointArm)
}
"""The arms that a case can list under `baselines`, lightest first."""

TUNED_ARMS: dict[str, type[Arm]] = {arm.name: arm for arm in (Tuned, TunedConstrained)}
"""The arms that need a trained adapter, lightest first; training uses the prompt of the first."""


def untuned_arms(case: DraftCase) -> dict[str, type[Arm]]:
    """The untuned arms that a case can have, lightest first: a prompt of the case is as light as zero_shot."""
    first, *others = UNTUNED_ARMS.items()
    return dict([first]) | own_prompt_arms(case) | dict(others)


def requested_arms(case: DraftCase) -> dict[str, type[Arm]]:
    """The untuned arms that a case asks for, lightest first."""
    return {name: arm for name, arm in untuned_arms(case).items() if arm.is_requested(case)}


def arms_of(case: DraftCase) -> dict[str, type[Arm]]:
    """Every arm that a case can have, lightest first."""
    return untuned_arms(case) | TUNED_ARMS


__all__ = ["TUNED_ARMS", "UNTUNED_ARMS", "Arm", "ArmContext", "Request", "arms_of", "requested_arms", "untuned_arms"]
