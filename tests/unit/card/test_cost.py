"""The card says what was spent, what requests take, and when the training is paid for; nothing that was not measured."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.manifests import write_manifest
from tests.snapshots.record import FINISHED, TRAINING
from tuneproof.engine.card.build import make_card
from tuneproof.engine.card.cost import CostSection, Device, RequestCost, Spent, SpentOn, break_even, spent_text
from tuneproof.engine.card.cost_text import cost_lines, cost_table
from tuneproof.engine.card.markdown import OptionalSection, card_text
from tuneproof.engine.run.step_id import StepKind
from tuneproof.engine.run.store import RunStore

MERGED = (StepKind.MERGE, StepKind.MERGED_SCORES)

TRAINED = Spent(on=SpentOn.TRAINING, hours=0.5, usd=1.5)


def request(arm: str, seconds: float, prompt_tokens: float | None = 50, usd: float | None = None, *, external: bool = False) -> RequestCost:
    return RequestCost(arm=arm, is_external=external, prompt_tokens=prompt_tokens, new_tokens=10, seconds=seconds, usd_per_1000=usd)


def recorded(tmp_path: Path, run: Path, usd_per_gpu_hour: float | None = None) -> CostSection:
    store = RunStore(Path(shutil.copytree(run, tmp_path / "run")))
    manifest, text = store.manifest, store.read("case.yaml")
    # The recording has no merged model.
    write_manifest(store, manifest.model_copy(update={"steps": {s: r for s, r in manifest.steps.items() if s.kind not in MERGED}}))
    store.write("case.yaml", text.replace("usd_per_gpu_hour: null", f"usd_per_gpu_hour: {usd_per_gpu_hour or 'null'}"))
    card = make_card(store)
    assert card.cost is not None and f"## Cost\n\n{card.cost.summary}" in card_text(card)
    return card.cost


def test_the_training_is_paid_for_after_as_many_requests_as_save_its_time() -> None:
    found = break_even(request("tuned", 0.1, 50), request("few_shot", 0.3, 250), TRAINED, 40_000)
    assert (found.requests, found.by_tokens, found.in_usd, found.is_known) == (9_000, 200, False, True)


def test_a_training_is_never_paid_for_if_its_requests_are_not_cheaper() -> None:
    found = break_even(request("tuned", 0.3, 50), request("zero_shot", 0.3, 40), TRAINED, 40_000)
    assert (found.requests, found.by_tokens, found.is_known) == (None, None, True)


def test_an_endpoint_is_compared_by_money_and_never_by_time_or_tokens() -> None:
    endpoint = request("endpoint", 0.001, 900, 0.5, external=True)
    found = break_even(request("tuned", 0.1, 50, 0.2), endpoint, TRAINED, 40_000)
    assert (found.requests, found.by_tokens, found.in_usd) == (5_000, None, True)


@pytest.mark.parametrize(
    ("tuned", "training"),
    [
        (request("tuned", 0.1), TRAINED),
        (request("tuned", 0.1, usd=0.2), Spent(on=SpentOn.TRAINING, hours=0.5, usd=None)),
        (request("tuned", 0.1, usd=0.2), None),
    ],
)
def test_without_a_price_the_break_even_is_not_known_rather_than_never(tuned: RequestCost, training: Spent | None) -> None:
    found = break_even(tuned, request("endpoint", 0.001, 900, 0.5, external=True), training, None)
    assert found.requests is None and not found.is_known


def test_a_run_says_what_it_spent_and_what_requests_take(tmp_path: Path) -> None:
    found = recorded(tmp_path, FINISHED, 2)
    training, *others = found.spent
    assert found.device is Device.CPU and training.on is SpentOn.TRAINING
    assert [each.on for each in others] == [SpentOn.ANSWERS, SpentOn.RISK]
    assert training.hours and training.usd == pytest.approx(2 * training.hours, abs=1e-6)
    by_arm = {each.arm: each for each in found.requests}
    assert by_arm["few_shot"].prompt_tokens == 352.7 and all(each.usd_per_1000 for each in found.requests)
    assert found.break_even is not None and found.break_even.against == "constrained"
    assert found.trained_tokens is not None and 94 * 8 * 60 < found.trained_tokens < 94 * 8 * 89
    assert found.summary.startswith("The training took ") and "CPU-hours" in found.summary
    assert any("A CPU-hour is an hour of all cores" in line for line in cost_lines(found))
    assert cost_table(found)[0][:3] == ("zero_shot", "102,700", "21,738")


def test_a_run_without_a_training_says_no_break_even_and_without_a_price_no_money(tmp_path: Path) -> None:
    found = recorded(tmp_path, TRAINING)
    assert found.break_even is None and [each.on for each in found.spent] == [SpentOn.ANSWERS]
    assert all(each.usd is None for each in found.spent) and all(row[-1] == "–" for row in cost_table(found))


def test_money_without_hours_and_hours_without_money_are_said_as_they_are() -> None:
    assert spent_text(Spent(on=SpentOn.ENDPOINT, hours=None, usd=12.5), Device.GPU) == "$12.50"
    assert spent_text(Spent(on=SpentOn.TRAINING, hours=3.25, usd=None), Device.GPU) == "3.2 GPU-hours"
    assert spent_text(Spent(on=SpentOn.TRAINING, hours=0.01, usd=0.02), Device.GPU) == "0.01 GPU-hours (36 s), $0.02"


def test_where_there_is_no_room_for_a_table_its_rows_are_sentences() -> None:
    section = OptionalSection("Cost", "", [], [("arm", "tokens", "seconds"), ("few_shot", "12", "–")])
    assert section.rows == ["few_shot: tokens 12"] and OptionalSection("Judge", "", []).rows == []
