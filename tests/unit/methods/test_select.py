"""Which method is selected, and the reasons for rejecting the others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.engine.core.errors import ExitCode, GateClosed
from tuneproof.engine.methods.select import MARGIN, AvailableMemory, ExecutionOption, MethodCandidate, execution_options, select_method
from tuneproof.engine.run.artifacts import Memory, Optimizer

LORA_PARAMETERS = 40_000_000


def memory(gb: float) -> Memory:
    return Memory(weights=round(gb * 1e9), adapters=0, gradients=0, optimizer=0, activations=0, logits=0, overhead=0)


def candidate(name: str, *gb: float, trained: int = LORA_PARAMETERS, refusal: str | None = None) -> MethodCandidate:
    """A method that needs these GB: with one micro-batch, with two, and with checkpointing."""
    return MethodCandidate(name, trained, tuple(ExecutionOption(2**n, n == 2, memory(size)) for n, size in enumerate(gb)), refusal)


LORA, QLORA, FULL = candidate("lora", 20, 18, 16), candidate("qlora", 10, 8, 6), candidate("full", 70, 68, 66, trained=8_000_000_000)
ALL = [LORA, QLORA, FULL]
FEW_TOKENS, MANY_TOKENS = 5_000, 100_000_000


def available(gb: float) -> AvailableMemory:
    return AvailableMemory(gb * 1e9, "free on a GPU")


def selected(gb: float, tokens: int = FEW_TOKENS) -> tuple[str, int, bool]:
    chosen = select_method(ALL, available(gb), tokens, {}, named=False)
    return chosen.candidate.name, chosen.option.accumulation, chosen.option.checkpointing


def test_lora_is_selected_if_it_fits_and_full_is_rejected_because_of_the_data() -> None:
    chosen = select_method(ALL, available(100), FEW_TOKENS, {}, named=False)
    assert chosen.candidate.name == "lora" and "20.0 GB of 100.0 GB" in chosen.why
    assert "40,000,000 parameters for 5,000 answer tokens" in chosen.rejected["full"]
    assert chosen.rejected["qlora"] == "is not needed, as lora fits"


def test_full_is_selected_only_if_both_the_data_and_the_memory_allow_it() -> None:
    assert selected(100, MANY_TOKENS)[0] == "full" and selected(100, FEW_TOKENS)[0] == "lora"
    chosen = select_method(ALL, available(24), MANY_TOKENS, {}, named=False)
    assert chosen.candidate.name == "lora" and chosen.rejected["full"] == "needs 66.0 GB at least, 21.6 GB may be used"


def test_micro_batches_and_checkpointing_come_before_a_quantised_base() -> None:
    assert selected(24) == ("lora", 1, False)
    assert selected(21) == ("lora", 2, False)
    assert selected(18) == ("lora", 4, True)
    assert selected(17) == ("qlora", 1, False)


def test_a_method_that_cannot_be_trained_here_is_rejected_with_its_reason() -> None:
    candidates = [LORA, replace(QLORA, refusal="needs a GPU")]
    assert select_method(candidates, available(100), FEW_TOKENS, {}, named=False).rejected == {"qlora": "needs a GPU"}
    with pytest.raises(GateClosed, match="qlora needs a GPU"):
        select_method(candidates, available(12), FEW_TOKENS, {}, named=False)


def test_if_nothing_fits_the_error_says_how_much_memory_is_needed() -> None:
    with pytest.raises(GateClosed) as caught:
        select_method(ALL, available(6), FEW_TOKENS, {}, named=False)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert all(name in caught.value.what for name in ("lora", "qlora", "full")) and "6.7 GB" in caught.value.fix


def test_a_trial_step_that_out_of_memory_of_memory_overrides_the_prediction() -> None:
    out_of_memory: dict[tuple[str, ExecutionOption], str] = {("lora", LORA.options[0]): "ran out of memory in a trial step"}
    again = select_method(ALL, available(100), FEW_TOKENS, out_of_memory, named=False)
    assert (again.candidate.name, again.option) == ("lora", LORA.options[-1])
    out_of_memory[("lora", LORA.options[-1])] = "ran out of memory in a trial step"
    third = select_method(ALL, available(100), FEW_TOKENS, out_of_memory, named=False)
    assert third.candidate.name == "qlora" and third.rejected["lora"] == "ran out of memory in a trial step"


def test_a_named_method_that_seems_too_large_is_tried_once_with_its_lightest_option() -> None:
    chosen = select_method([LORA], available(10), FEW_TOKENS, {}, named=True)
    assert chosen.option == LORA.options[-1]
    with pytest.raises(GateClosed, match="ran out"):
        select_method([LORA], available(10), FEW_TOKENS, {("lora", LORA.options[-1]): "ran out of memory in a trial step"}, named=True)


def test_if_memory_cannot_be_predicted_the_trial_step_decides() -> None:
    unknown = MethodCandidate("lora", LORA_PARAMETERS, (ExecutionOption(1, False, None), ExecutionOption(16, True, None)))
    assert select_method([unknown], available(1), FEW_TOKENS, {}, named=False).option == unknown.options[0]


@given(st.integers(1, 64), st.booleans())
def test_every_option_splits_the_batch_into_equal_micro_batches(batch: int, may_checkpoint: bool) -> None:
    options = execution_options(batch, may_checkpoint=may_checkpoint)
    assert options[0] == ExecutionOption(1, checkpointing=False) and all(batch % option.accumulation == 0 for option in options)
    assert any(option.checkpointing for option in options) == may_checkpoint


def test_optimizers_that_round_come_last() -> None:
    options = execution_options(4, smaller_optimizers=[Optimizer.ADAMW_8BIT, Optimizer.PAGED_8BIT])
    assert [option.optimizer for option in options] == [Optimizer.ADAMW] * 4 + [Optimizer.ADAMW_8BIT, Optimizer.PAGED_8BIT]
    assert options[-1] == ExecutionOption(4, checkpointing=True, optimizer=Optimizer.PAGED_8BIT)


@given(st.floats(1, 200), st.integers(0, 10**9))
def test_the_selected_option_leaves_the_margin_free_and_every_method_is_selected_or_rejected(gb: float, tokens: int) -> None:
    try:
        chosen = select_method(ALL, available(gb), tokens, {}, named=False)
    except GateClosed:
        assert gb * (1 - MARGIN) < 6
        return
    assert chosen.option.memory is not None and chosen.option.memory.total <= gb * 1e9 * (1 - MARGIN)
    assert {chosen.candidate.name, *chosen.rejected} == {"lora", "qlora", "full"} and chosen.candidate.name not in chosen.rejected
