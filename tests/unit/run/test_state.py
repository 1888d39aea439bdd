"""The state of a run, as every screen shows it, follows from its events."""

from __future__ import annotations

import pytest

from tests.unit.run.event_samples import RATE, folded, launched, probe, step, training_from
from tuneproof.engine.core.stage import Stage
from tuneproof.engine.run.events import (
    AnyEvent,
    CardWritten,
    CheckpointSaved,
    Failed,
    Finished,
    Progressed,
    StageFinished,
    Stopped,
    StopRequested,
    TrainingSkipped,
    VariantScored,
)
from tuneproof.engine.run.state import RunStatus
from tuneproof.engine.run.work import Work


def test_a_failure_is_shown_until_the_run_is_resumed() -> None:
    failure = Failed(exit_code=4, message="out of memory")
    failed, resumed = folded(launched(1, 0.0), failure), folded(launched(1, 0.0), failure, launched(1, 0.0))
    assert (failed.status, failed.failure) == (RunStatus.FAILED, failure)
    assert (resumed.status, resumed.failure) == (RunStatus.RUNNING, None)


def test_steps_after_the_checkpoint_that_a_run_resumes_from_are_dropped() -> None:
    before: list[AnyEvent] = [
        step(1),
        CheckpointSaved(step=1, path="a"),
        step(2),
        CheckpointSaved(step=2, path="b"),
        probe(2),
        step(3),
        probe(3),
    ]
    state = folded(*before, CheckpointSaved(step=3, path="c"), training_from(2))
    assert list(state.tuned.steps.step) == [1, 2] and [p.step for p in state.tuned.probes] == [2]
    assert state.tuned.last_step is None and state.tuned.checkpoint is None and state.tuned.step == 2
    state.apply(step(3))
    assert list(state.tuned.steps.step) == [1, 2, 3] and state.tuned.last_step == step(3)


def test_only_the_last_two_probes_keep_their_samples() -> None:
    state = folded(*(probe(number) for number in range(1, 6)))
    assert [bool(p.samples) for p in state.tuned.probes] == [False, False, False, True, True]
    assert [p.step for p in state.tuned.probes] == [1, 2, 3, 4, 5]


def test_steps_of_another_model_are_not_taken_for_those_of_the_tuned_one() -> None:
    others: list[AnyEvent] = [training_from(0, of=3, model="tuned_25"), step(1, of=3, model="tuned_25"), step(2, of=3, model="tuned_25")]
    state = folded(training_from(0, of=2), step(1, of=2), step(2, of=2), *others)
    assert list(state.tuned.steps.step) == [1, 2] and state.tuned.started is not None and state.tuned.started.steps == 2
    assert state.variant is state.trainings["tuned_25"] and state.variant.step == 2


@pytest.mark.parametrize("end", [VariantScored(model="tuned_25", n=80, correct=RATE), TrainingSkipped(model="tuned_25", reason="no GPU")])
def test_another_model_is_under_way_until_it_is_scored_or_skipped(end: VariantScored | TrainingSkipped) -> None:
    state = folded(training_from(0), step(1), training_from(0, model="tuned_25"))
    assert state.variant is not None
    state.apply(end)
    assert state.variant is None and not state.arms
    assert end in (state.trainings["tuned_25"].scored, state.trainings["tuned_25"].skipped)


def test_the_tuned_training_is_no_variant() -> None:
    assert folded(training_from(0), step(1)).variant is None


def test_the_time_left_follows_the_pace_of_the_process_that_trains_now() -> None:
    state = folded(launched(1, 0.0), training_from(0, of=100), step(1, ts=10.0, of=100))
    assert state.time_left(10.0) is None
    for number in range(2, 11):
        state.apply(step(number, ts=10.0 + 2 * (number - 1), of=100))
    assert state.time_left(28.0) == pytest.approx(90 * 2)
    for event in (launched(1, 0.0), training_from(10, of=100), step(11, ts=5000.0, of=100)):
        state.apply(event)
    assert state.time_left(5001.0) is None
    state.apply(step(12, ts=5001.0, of=100))
    assert state.time_left(5001.0) == pytest.approx(88)
    state.apply(Failed(exit_code=4, message=""))
    assert state.time_left(5001.0) is None


def progressed(work: Work, done: int = 0, of: int | None = None, about: str = "", ts: float = 0.0) -> Progressed:
    return Progressed(work=work, about=about, done=done, of=of, ts=ts)


def test_work_inside_other_work_takes_its_place_until_it_has_ended() -> None:
    state = folded(launched(1, 0.0), progressed(Work.ANSWERING, 0, 9, "zero_shot", ts=1.0), progressed(Work.WEIGHTS, ts=2.0))
    assert state.work is not None and (state.work.work, state.work.share, state.work.elapsed(5.0)) == (Work.WEIGHTS, None, 3.0)
    for event in (progressed(Work.WEIGHTS, 1, 1, ts=7.0), progressed(Work.ANSWERING, 3, 9, "zero_shot", ts=13.0)):
        state.apply(event)
    answering = state.reported[-1]
    assert answering.work is Work.ANSWERING and answering.elapsed(13.0) == 12.0
    assert answering.rate == pytest.approx(1 / 4) and answering.left(15.0) == pytest.approx(22.0)
    assert answering.left(999.0) == pytest.approx(20.0), "five of the six have not even begun"
    state.apply(progressed(Work.ANSWERING, 9, 9, "zero_shot"))
    assert state.work is not None and state.work.work is Work.STARTING


def test_answers_of_an_earlier_process_do_not_count_for_the_rate() -> None:
    first, later = progressed(Work.ANSWERING, 50, 60, "zero_shot", ts=1.0), progressed(Work.ANSWERING, 52, 60, "zero_shot", ts=5.0)
    state = folded(launched(1, 0.0), first, later)
    assert state.work is not None and state.work.rate == pytest.approx(0.5) and state.work.left(5.0) == pytest.approx(16.0)


def test_a_training_is_work_in_progress_until_a_probe_takes_its_place() -> None:
    state = folded(
        launched(1, 0.0), progressed(Work.PREPARING), training_from(0, of=20), *(step(n, ts=float(n), of=20) for n in range(1, 11))
    )
    assert state.work is not None and (state.work.work, state.work.done, state.work.of) == (Work.TRAINING, 10, 20)
    assert state.work.left(10.0) == state.time_left(10.0) == pytest.approx(10.0)
    state.apply(progressed(Work.PROBING, 2, 8))
    assert state.reported[-1].work is Work.PROBING


@pytest.mark.parametrize("end", [Stopped(), Finished(), Failed(exit_code=4, message="full")])
def test_a_run_that_is_stopping_does_so_until_its_worker_ends(end: AnyEvent) -> None:
    state = folded(launched(1, 0.0), progressed(Work.ANSWERING, 1, 9, "zero_shot"), StopRequested())
    assert state.stopping
    state.apply(end)
    assert not state.stopping and state.work is None
    state.apply(StopRequested())
    assert not state.stopping


def test_a_stage_that_is_reused_keeps_the_time_it_took() -> None:
    stages = [StageFinished(stage=Stage.SPLIT, seconds=0.1, reused=True), StageFinished(stage=Stage.TRAIN, seconds=9.0)]
    state = folded(launched(1, 0.0, ts=5.0), StageFinished(stage=Stage.SPLIT, seconds=3.0), launched(1, 0.0, ts=50.0), *stages)
    assert state.started_at == 5.0 and state.stage_seconds == {Stage.SPLIT: 3.0, Stage.TRAIN: 9.0}


def test_a_card_is_that_of_the_last_launch() -> None:
    state = folded(launched(1, 0.0), CardWritten(answer="tune", reason=""))
    assert state.card is not None
    state.apply(launched(1, 0.0))
    assert state.card is None
