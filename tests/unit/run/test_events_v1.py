"""A log of format version 1, in which further trainings have kinds of their own, still shows what it showed."""

from __future__ import annotations

from pathlib import Path

from tests.unit.run.event_samples import folded
from tuneproof.engine.run.event_reader import EventReader
from tuneproof.engine.run.events import AnyEvent

LOG = Path(__file__).parent / "events_v1.jsonl"
"""The main events of a run with a learning curve, two compared methods and a merge."""


def events() -> list[AnyEvent]:
    return EventReader(LOG).read()


def test_every_line_is_read() -> None:
    assert [event.seq for event in events()] == list(range(len(LOG.read_text().splitlines())))


def test_only_the_steps_of_the_tuned_training_are_its_own() -> None:
    state = folded(*events())
    assert list(state.tuned.steps.step) == [1, 2] and list(state.tuned.steps.loss) == [2.0, 1.5]
    assert state.tuned.started is not None and state.tuned.started.method == "lora"
    assert list(state.trainings["tuned_25"].steps.loss) == [2.5] and list(state.trainings["tuned_full"].steps.loss) == [2.25]


def test_each_model_has_its_score_or_the_reason_why_it_was_not_trained() -> None:
    trainings = folded(*events()).trainings
    scored = {model: training.scored.correct.rate for model, training in trainings.items() if training.scored}
    assert scored == {"tuned_25": 0.25, "tuned_full": 0.5, "tuned_merged": 0.75}
    skipped = trainings["tuned_qlora"].skipped
    assert skipped is not None and skipped.reason == "needs a GPU"


def test_a_training_that_is_under_way_is_shown() -> None:
    log = events()
    started = next(at for at, event in enumerate(log) if event.kind == "training_started" and event.model == "tuned_25")
    variant = folded(*log[: started + 2]).variant
    assert variant is not None and variant.started is not None
    assert (variant.started.examples, variant.started.steps, variant.step) == (24, 2, 1)


def test_a_failure_has_only_its_message() -> None:
    failure = folded(*events()).failure
    assert failure is not None and failure.message == "/run: out of memory; free memory and add --resume"
