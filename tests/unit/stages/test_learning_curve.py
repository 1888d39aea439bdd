"""Each share of the learning curve is trained like the whole of train."""

from __future__ import annotations

from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.stages.learning_curve import plan_for_share


def test_every_share_is_trained_for_the_same_epochs() -> None:
    chosen = make_plan(MethodChoice(name="lora"), Training(epochs=4, max_steps=10, probe_every=3))
    quarter = plan_for_share(chosen, 25)
    assert (quarter.epochs, quarter.max_steps, quarter.probe_every) == (4, 3, 1)
    free = make_plan(MethodChoice(name="lora"), Training())
    assert plan_for_share(free, 25) == free
