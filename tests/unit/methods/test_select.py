"""Which method is taken, and what is said of the others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.core.errors import ExitCode, GateClosed
from tuneproof.engine.methods.select import MARGIN, AvailableMemory, Candidate, ExecutionOption, execution_options, select_method
from tuneproof.engine.run.artifacts import Memory, Optimizer

LORA_PARAMETERS = 40_000_000


def memory(gb: float) -> Memory:
    return Memory(weights=round(gb * 1e9), adapters=0, gradients=0, optimizer=0, activations=0, logits=0, overhead=0)


def candidate(name: str, *gb: float, trained: int = LORA_PARAMETERS, cannot: str | None = None) -> Candidate:
    """A method that takes so many GB at once, then in two parts, then checkpointed."""
    return Candidate(name, trained, tuple(ExecutionOption(2**n, n == 2, memory(size)) for n, size in enumerate(gb)), cannot)


LORA, QLORA, FULL = candidate("lora", 20, 18, 16), candidate("qlora", 10, 8, 6), candidate("full", 70, 68, 66, trained=8_000_000_000)
ALL = [LORA, QLORA, FULL]
FEW_TOKENS, MANY_TOKENS = 5_000, 100_000_000


def room(gb: float) -> AvailableMemory:
    return AvailableMemory(gb * 1e9, "free on a GPU")


def taken(gb: float, tokens: int = FEW_TOKENS) -> tuple[str, int, bool]:
    chosen = select_method(ALL, room(gb), tokens, {}, named=False)
    return chosen.candidate.name, chosen.option.accumulation, chosen.option.checkpointing


def test_lora_is_taken_where_it_fits_and_full_is_turned_down_for_the_data() -> None:
    chosen = select_method(ALL, room(100), FEW_TOKENS, {}, named=False)
    assert chosen.candidate.name == "lora" and "20.0 GB of 100.0 GB" in chosen.why
    assert "40,000,000 parameters for 5,000 answer tokens" in chosen.rejected["full"]
    assert chosen.rejected["qlora"] == "is not needed where lora fits"


def test_full_is_taken_where_data_and_memory_argue_for_it_and_for_one_of_them_it_is_not() -> None:
    assert taken(100, MANY_TOKENS)[0] == "full" and taken(100, FEW_TOKENS)[0] == "lora"
    chosen = select_method(ALL, room(24), MANY_TOKENS, {}, named=False)
    assert chosen.candidate.name == "lora" and chosen.rejected["full"] == "needs 66.0 GB at least, 21.6 GB may be used"


def test_a_method_is_run_in_parts_and_checkpointed_before_a_heavier_compromise_is_made() -> None:
    assert taken(24) == ("lora", 1, False)
    assert taken(21) == ("lora", 2, False)
    assert taken(18) == ("lora", 4, True)
    assert taken(17) == ("qlora", 1, False)


def test_what_cannot_run_here_is_passed_over_with_its_reason() -> None:
    candidates = [LORA, replace(QLORA, refusal="needs a GPU")]
    assert select_method(candidates, room(100), FEW_TOKENS, {}, named=False).rejected == {"qlora": "needs a GPU"}
    with pytest.raises(GateClosed, match="qlora needs a GPU"):
        select_method(candidates, room(12), FEW_TOKENS, {}, named=False)


def test_where_nothing_fits_the_gate_closes_and_says_what_it_would_take() -> None:
    with pytest.raises(GateClosed) as caught:
        select_method(ALL, room(6), FEW_TOKENS, {}, named=False)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert all(name in caught.value.what for name in ("lora", "qlora", "full")) and "6.7 GB" in caught.value.fix


def test_a_trial_step_that_ran_out_of_memory_overrules_the_prediction() -> None:
    ran_out = {("lora", LORA.options[0]): "ran out of memory in a trial step"}
    again = select_method(ALL, room(100), FEW_TOKENS, ran_out, named=False)
    assert (again.candidate.name, again.option) == ("lora", LORA.options[-1])
    ran_out[("lora", LORA.options[-1])] = "ran out of memory in a trial step"
    third = select_method(ALL, room(100), FEW_TOKENS, ran_out, named=False)
    assert third.candidate.name == "qlora" and third.rejected["lora"] == "ran out of memory in a trial step"


def test_a_named_method_that_seems_too_large_is_tried_once_in_its_lightest_way() -> None:
    chosen = select_method([LORA], room(10), FEW_TOKENS, {}, named=True)
    assert chosen.option == LORA.options[-1]
    with pytest.raises(GateClosed, match="ran out"):
        select_method([LORA], room(10), FEW_TOKENS, {("lora", LORA.options[-1]): "ran out of memory in a trial step"}, named=True)


def test_what_cannot_be_predicted_is_left_to_the_trial_step() -> None:
    unknown = Candidate("lora", LORA_PARAMETERS, (ExecutionOption(1, False, None), ExecutionOption(16, True, None)))
    assert select_method([unknown], room(1), FEW_TOKENS, {}, named=False).option == unknown.options[0]


@given(st.integers(1, 64), st.booleans())
def test_every_way_runs_the_whole_batch_in_equal_parts(batch: int, may_checkpoint: bool) -> None:
    ways = execution_options(batch, may_checkpoint=may_checkpoint)
    assert ways[0] == ExecutionOption(1, checkpointing=False) and all(batch % way.accumulation == 0 for way in ways)
    assert any(way.checkpointing for way in ways) == may_checkpoint


def test_an_optimizer_that_rounds_comes_after_every_way_that_does_not() -> None:
    ways = execution_options(4, smaller_optimizers=[Optimizer.ADAMW_8BIT, Optimizer.PAGED_8BIT])
    assert [way.optimizer for way in ways] == [Optimizer.ADAMW] * 4 + [Optimizer.ADAMW_8BIT, Optimizer.PAGED_8BIT]
    assert ways[-1] == ExecutionOption(4, checkpointing=True, optimizer=Optimizer.PAGED_8BIT)


@given(st.floats(1, 200), st.integers(0, 10**9))
def test_what_is_taken_fits_with_the_margin_and_nothing_is_both_taken_and_turned_down(gb: float, tokens: int) -> None:
    try:
        chosen = select_method(ALL, room(gb), tokens, {}, named=False)
    except GateClosed:
        assert gb * (1 - MARGIN) < 6
        return
    assert chosen.option.memory is not None and chosen.option.memory.total <= gb * 1e9 * (1 - MARGIN)
    assert {chosen.candidate.name, *chosen.rejected} == {"lora", "qlora", "full"} and chosen.candidate.name not in chosen.rejected
