"""A probe comes when it should, and its loss is that of the answers."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.training.tiny_training import training_of
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import Metric, OutputFormat, OutputKind, Task
from tuneproof.engine.case.training import MethodChoice, Training
from tuneproof.engine.methods.plan import make_plan
from tuneproof.engine.models.base_model import load_base
from tuneproof.engine.scoring.graders import make_grader
from tuneproof.engine.scoring.measure import Measure
from tuneproof.engine.training.probe_steps import PROBES, is_probe_step, next_probe
from tuneproof.engine.training.run import make_trainer
from tuneproof.engine.training.tokenize import IGNORE_INDEX, EncodedRow
from tuneproof.engine.training.validation_probe import MAX_LOSS_ROWS


@given(st.integers(1, 5000))
def test_probes_are_spread_evenly_and_one_follows_the_last_step(of: int) -> None:
    steps = [0, *(step for step in range(1, of + 1) if is_probe_step(step, of, None))]
    assert len(steps) - 1 == min(PROBES, of)
    assert steps[-1] == of
    gaps = [later - sooner for sooner, later in pairwise(steps)]
    assert max(gaps) - min(gaps) <= 1


@given(st.integers(1, 300), st.none() | st.integers(1, 60))
def test_the_next_probe_is_known_before_it_comes(of: int, every: int | None) -> None:
    probes = [step for step in range(1, of + 1) if is_probe_step(step, of, every)]
    for step in range(of + 1):
        assert next_probe(step, of, every) == next((probe for probe in probes if probe > step), None)


def test_probes_come_as_often_as_the_case_says_and_at_the_end() -> None:
    assert [step for step in range(1, 11) if is_probe_step(step, 10, 4)] == [4, 8, 10]


@pytest.mark.parametrize("at_once", [None, 1])
def test_the_loss_of_a_probe_is_the_mean_over_all_answers(at_once: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if at_once:
        monkeypatch.setattr("tuneproof.engine.training.validation_probe.MAX_LOGITS_PER_CALL", at_once)
    base = load_base(ModelChoice())
    rows, probe = training_of(base)
    many = [*rows, *rows[: MAX_LOSS_ROWS // 2]]
    trainer = make_trainer(base, rows, make_plan(MethodChoice(name="lora"), Training()), tmp_path)
    model = trainer.model.eval()
    found, _ = type(probe)(base, probe.measure, probe.cases, probe.prompts, many, probe.max_new_tokens).run(model)
    alone = [loss_alone(model, row) for row in many]
    assert found.loss == pytest.approx(sum(loss for loss, _ in alone) / sum(tokens for _, tokens in alone), rel=1e-5)


def test_a_probe_has_the_metric_that_decides_where_it_is_not_the_share_of_correct_answers(tmp_path: Path) -> None:
    base = load_base(ModelChoice())
    rows, probe = training_of(base)
    outputs = [case.output for _, case in probe.cases]
    task = Task(output=OutputFormat(kind=OutputKind.CHOICE, choices=sorted(set(outputs))), metric=Metric.MACRO_F1)
    model = make_trainer(base, rows, make_plan(MethodChoice(name="lora"), Training()), tmp_path).model.eval()
    found, _ = replace(probe, measure=Measure(task, None, make_grader(task, outputs))).run(model)
    assert found.score is not None and probe.run(model)[0].score is None


@torch.no_grad()
def loss_alone(model: Any, row: EncodedRow) -> tuple[float, int]:
    """The summed loss of a row, and over how many tokens."""
    labels = torch.tensor(row.labels)[1:]
    logits = model(input_ids=torch.tensor([row.input_ids]), use_cache=False).logits[0, :-1]
    return torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item(), int((labels != IGNORE_INDEX).sum())
