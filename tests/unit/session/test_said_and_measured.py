"""What the arms measured stands beside the answers that it bears on."""

from __future__ import annotations

import pytest

from tuneproof.engine.case.evaluate import Target
from tuneproof.engine.case.schema import DraftCase
from tuneproof.engine.case.task import Metric, OutputFormat, OutputKind, Task
from tuneproof.engine.run.event import Rate
from tuneproof.engine.run.events import ArmScored
from tuneproof.engine.run.state import RunState
from tuneproof.engine.session.said_and_measured import said_and_measured


def _state(**arms: tuple[float, float]) -> RunState:
    """A run with arms: their format-valid and their correct rate."""
    state = RunState()
    for name, (valid, correct) in arms.items():
        rates = [Rate(rate=rate, low=max(0, rate - 0.1), high=min(1, rate + 0.1)) for rate in (valid, correct)]
        state.arms[name] = ArmScored(arm=name, n=50, format_valid=rates[0], correct=rates[1], tokens_per_case=9, seconds_per_case=1)
    return state


def _content(**answers: bool) -> DraftCase:
    return DraftCase.model_validate({"name": "c", "decision": answers}).model_copy(update={"target": Target(at_least=0.9)})


@pytest.mark.parametrize(
    ("key", "said", "arms", "text", "agrees"),
    [
        ("format_drift", True, {"zero_shot": (0.42, 0.3)}, "zero-shot is valid in 42 % [32–52] of the cases", True),
        ("format_drift", True, {"zero_shot": (1.0, 0.3)}, "zero-shot is valid in 100 % [90–100] of the cases", False),
        ("needs_actions", True, {"constrained": (1.0, 0.6)}, "under a grammar 60 % [50–70] are right: values are wrong, too", False),
        ("private_facts", False, {"zero_shot": (1, 0.1), "retrieval": (1, 0.9)}, "with retrieval 90 % [80–100] are right", False),
        ("prompt_falls_short", True, {"few_shot": (1, 0.95)}, "the best untuned arm, few_shot, is right in 95 % [85–100]", False),
    ],
)
def test_a_measurement_agrees_with_an_answer_or_does_not(
    key: str, said: bool, arms: dict[str, tuple[float, float]], text: str, agrees: bool
) -> None:
    found = said_and_measured(key, _content(**{key: said}), _state(**arms))
    assert found is not None and text in found.text and found.agrees is agrees


def test_nothing_is_said_of_an_answer_that_no_arm_bears_on() -> None:
    assert said_and_measured("stable_task", _content(stable_task=True), _state(zero_shot=(1, 1))) is None
    assert said_and_measured("format_drift", _content(format_drift=True), RunState()) is None


def test_a_target_in_another_metric_than_the_one_that_decides_is_not_compared_with_it() -> None:
    content = _content(prompt_falls_short=True).model_copy(
        update={"task": Task(output=OutputFormat(kind=OutputKind.JSON)), "target": Target(metric=Metric.FIELD_ACCURACY, at_least=0.9)}
    )
    assert said_and_measured("prompt_falls_short", content, _state(few_shot=(1, 0.95))) is None
