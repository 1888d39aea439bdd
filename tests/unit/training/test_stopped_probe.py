"""A stop does not wait for the end of a probe, and what is trained afterwards is what would have been trained without it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.training.recorded_training import Recorder, assert_same_weights, trained
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.core.errors import Interrupted
from tuneproof.engine.models.base_model import load_base
from tuneproof.engine.run.event import Event
from tuneproof.engine.run.events import Probed, Progressed
from tuneproof.engine.run.work import Work
from tuneproof.engine.training.checkpoints import sealed_checkpoints


@dataclass
class StoppedInProbe(Recorder):
    """Asks for a stop when a probe begins."""

    probe: int = 1
    begun: int = 0

    def emit(self, event: Event, *, sync: bool = False) -> None:
        super().emit(event, sync=sync)
        if isinstance(event, Progressed) and event.work is Work.PROBING and event.done == 0:
            self.begun += 1
            if self.begun == self.probe:
                self.stop.request()

    @property
    def probed(self) -> list[int]:
        """The steps with a whole probe."""
        return [event.step for event in self.events if isinstance(event, Probed)]


@pytest.mark.long
def test_a_stop_cuts_a_probe_short_and_the_resumed_training_makes_up_for_it(tmp_path: Path) -> None:
    base, parts = load_base(ModelChoice(base="sample")), tmp_path / "parts"
    whole = trained(base, tmp_path / "whole", 1, batch_size=4)
    stopped = StoppedInProbe(probe=1)
    # Two steps, both in one epoch; the probe after the second is the only one, and the training is stopped in it twice.
    for attempt in range(2):
        stopped = StoppedInProbe(probe=1)
        with pytest.raises(Interrupted):
            trained(base, parts, 1, recorder=stopped, batch_size=4)
        assert not stopped.probed, f"attempt {attempt}"
        assert [(each.seal.step, each.seal.probe) for each in sealed_checkpoints(parts / "checkpoints")] == [(2, None)]
    again = StoppedInProbe(probe=-1)
    finished = trained(base, parts, 1, recorder=again, batch_size=4)
    assert again.probed == [2] and not again.steps
    assert (finished.best_step, finished.best_probe) == (whole.best_step, whole.best_probe)
    assert_same_weights(finished, whole)
