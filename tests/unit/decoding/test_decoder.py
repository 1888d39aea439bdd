"""However rows are batched and whatever model decodes them, they say what plain generate says of each prompt alone."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, PromptTuningConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from tuneproof.engine.arms import ArmContext
from tuneproof.engine.arms.few_shot import FewShot, ShotSelection
from tuneproof.engine.arms.grammar import grammar_of
from tuneproof.engine.arms.zero_shot import ZeroShot
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.case.task import OutputFormat, OutputKind, Task
from tuneproof.engine.data.readers import read_examples
from tuneproof.engine.decoding.continuous_batch import matches_hf_greedy
from tuneproof.engine.decoding.decoder import GPU_MEMORY_SHARE, MAX_BATCH_SIZE, Decoder, fitting_batch_size
from tuneproof.engine.decoding.prefix_sharing import MIN_PREFIX_TOKENS, MIN_TOKENS_SAVED, group_by_prefix
from tuneproof.engine.models.base_model import BaseCheckpoint, load_base, load_weights
from tuneproof.engine.models.soft_prompt import with_soft_prompt
from tuneproof.engine.scoring.judges import make_judge

SAMPLE = Path(__file__).parents[3] / "sample_cases"
TRAIN, CASES = (read_examples(str(SAMPLE / f"support_tickets{name}.jsonl")).examples for name in ("", "_eval"))
TASK = Task.model_validate({"instruction": "Triage the ticket.", "output": {"kind": "json", "schema": {"properties": {"category": {}}}}})
SETTING = ArmContext("Triage the ticket.", make_judge(TASK, []), TRAIN, lambda _: True, 0, TASK.output)


@pytest.fixture(scope="module")
def base() -> BaseCheckpoint:
    return load_base(ModelChoice(base="sample"))


@pytest.fixture(scope="module")
def model(base: BaseCheckpoint) -> Any:
    return load_weights(base)


def alone(base: BaseCheckpoint, model: Any, prompt: str, room: int) -> tuple[int, ...]:
    """The tokens that generate writes after one prompt."""
    ids = torch.tensor([base.token_ids(prompt)])
    out = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=room,
        do_sample=False,
        pad_token_id=0,
        eos_token_id=base.eos_token_ids,
    )
    return tuple(out[0, ids.shape[1] :].tolist())


def equal(base: BaseCheckpoint, model: Any, prompts: Sequence[str], room: int, rows: int) -> None:
    """Holds the decoder to generate with one prompt at a time."""
    told: list[int] = []
    completions, _ = Decoder(base, model, rows).complete(prompts, room, on_progress=lambda done, _: told.append(done))
    assert [c.output_ids for c in completions] == [alone(base, model, prompt, room) for prompt in prompts]
    assert told[-1] == len(prompts) and all(a < b for a, b in pairwise(told))


ARMS = {
    "zero-shot": ZeroShot(SETTING),
    "8 fixed": FewShot(SETTING, 8),
    "8 nearest": FewShot(SETTING, 8, ShotSelection.NEAREST),
}


@pytest.mark.parametrize("arm", ARMS)
def test_real_prompts_in_any_batch_are_answered_as_by_plain_generate(base: BaseCheckpoint, model: Any, arm: str) -> None:
    prompts = [base.prompt(request.messages) for request in ARMS[arm].requests(CASES[:14])]
    assert matches_hf_greedy(model)
    equal(base, model, prompts, 60, rows=4)


def few(base: BaseCheckpoint) -> list[str]:
    """Prompts of many lengths: two sets that share a beginning, and some that share nothing."""
    asked = [base.prompt(request.messages) for arm in ("zero-shot", "8 fixed") for request in ARMS[arm].requests(CASES[:4])]
    return [*asked, "a", "The order", *(case.input for case in CASES[4:6])]


def random_model(base: BaseCheckpoint, kind: str, **settings: Any) -> Any:
    """An untrained model of another architecture, for the tokenizer of the sample model."""
    torch.manual_seed(0)
    small = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 2048}
    config = AutoConfig.for_model(kind, **(small | {"vocab_size": 1536, "initializer_range": 0.2, "pad_token_id": 0} | settings))
    return AutoModelForCausalLM.from_config(config, attn_implementation=settings.get("attention", "sdpa")).eval()


@pytest.mark.parametrize(
    ("kind", "settings", "ours"),
    [
        ("qwen2", {"num_key_value_heads": 2}, True),
        ("qwen2", {"num_key_value_heads": 2, "attention": "eager"}, True),
        ("qwen3", {"num_key_value_heads": 2, "head_dim": 32}, True),
        ("gpt2", {"n_positions": 2048}, True),
        ("bloom", {"attention": "eager"}, False),
        ("gemma2", {"num_key_value_heads": 2, "head_dim": 16, "sliding_window": 32, "attention": "eager"}, False),
        ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}}, False),
    ],
)
def test_other_architectures_are_decoded_as_by_plain_generate(
    base: BaseCheckpoint, kind: str, settings: dict[str, Any], ours: bool
) -> None:
    model = random_model(base, kind, **settings)
    assert matches_hf_greedy(model) == ours
    equal(base, model, few(base), 12, rows=3)


def test_a_penalty_that_the_model_brings_is_kept(base: BaseCheckpoint, model: Any) -> None:
    own = copy.deepcopy(model)
    own.generation_config.repetition_penalty = 1.3
    prompts = few(base)[:4]
    assert not matches_hf_greedy(own)
    assert [alone(base, own, p, 20) for p in prompts] != [alone(base, model, p, 20) for p in prompts]
    completions, _ = Decoder(base, own, 1).complete(prompts, 20)
    assert [c.output_ids for c in completions] == [alone(base, own, p, 20) for p in prompts]


ADAPTERS = {
    "lora": LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", init_lora_weights=False),
    "prompt tuning": PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=6),
}


@pytest.mark.parametrize("kind", ADAPTERS)
def test_a_model_with_an_adapter_is_decoded_as_by_plain_generate(base: BaseCheckpoint, model: Any, kind: str) -> None:
    torch.manual_seed(0)
    tuned = with_soft_prompt(get_peft_model(copy.deepcopy(model), ADAPTERS[kind]).eval())
    assert matches_hf_greedy(tuned) == (kind == "lora")
    equal(base, tuned, few(base), 16, rows=3)


def test_answers_under_a_grammar_do_not_depend_on_what_else_is_in_the_batch(base: BaseCheckpoint, model: Any) -> None:
    grammar, _ = grammar_of(OutputFormat(kind=OutputKind.CHOICE, choices=["billing", "shipping", "a longer label than those"]), [])
    together, _ = Decoder(base, model, 3).complete(few(base), 20, grammar=grammar)
    for prompt, completion in zip(few(base), together, strict=True):
        assert Decoder(base, model, 1).complete([prompt], 20, grammar=grammar)[0] == [completion]


LABELS = ["billing", "shipping", "ship", "a longer label than those", "ÿ☃"]


def likelihood(base: BaseCheckpoint, model: Any, prompt: str, label: str) -> float:
    """The log-likelihood of one label as the whole answer, by one plain pass."""
    asked, written = base.token_ids(prompt), base.token_ids(label)
    with torch.inference_mode():
        scores = model(torch.tensor([[*asked, *written]])).logits[0].log_softmax(-1)
    after = scores[len(asked) - 1 :] if len(scores) == len(asked) + len(written) else scores[-len(written) - 1 :]
    ending = after[-1, base.eos_token_ids].logsumexp(-1)
    return float(sum(after[at, token] for at, token in enumerate(written)) + ending)


@pytest.mark.parametrize("kind", ["sample", "lora", "prompt tuning", "qwen2", "eager", "gemma2"])
def test_a_choice_is_the_label_that_is_likeliest_as_a_whole(base: BaseCheckpoint, model: Any, kind: str) -> None:
    torch.manual_seed(0)
    if kind in ADAPTERS:
        model = get_peft_model(copy.deepcopy(model), ADAPTERS[kind]).eval()
    elif kind == "gemma2":
        model = random_model(base, kind, num_key_value_heads=2, head_dim=16, sliding_window=32, attention="eager")
    elif kind != "sample":
        model = random_model(base, "qwen2", num_key_value_heads=2, attention="eager" if kind == "eager" else "sdpa")
    decoder, prompts = Decoder(base, with_soft_prompt(model), 3), few(base)
    scores = decoder.score_labels(prompts, LABELS)
    plain = [[likelihood(base, model, prompt, label) for label in LABELS] for prompt in prompts]
    torch.testing.assert_close(torch.tensor(scores), torch.tensor(plain), rtol=1e-4, atol=1e-3)
    completions, _ = decoder.choose_labels(prompts, LABELS)
    assert [c.text for c in completions] == [LABELS[row.index(max(row))] for row in plain]
    assert not any(c.truncated for c in completions)


def test_a_prompt_that_leaves_no_room_for_a_label_is_truncated(base: BaseCheckpoint, model: Any) -> None:
    (none, some), _ = Decoder(base, model).choose_labels(["x " * base.context_length, "x"], LABELS)
    assert none.truncated and none.text == "" and some.text in LABELS


@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=12), max_size=12), st.lists(st.integers(0, 2), max_size=12))
def test_prompts_share_only_what_they_begin_with_and_keep_a_token(tails: list[list[int]], heads: list[int]) -> None:
    prompts = [[head] * (MIN_PREFIX_TOKENS * 40 * head) + tail for head, tail in zip(heads, tails, strict=False)]
    sets = group_by_prefix(prompts)
    assert sorted(at for sharing in sets for at in sharing.indices) == list(range(len(prompts)))
    for sharing in sets:
        assert len({tuple(prompts[at][: sharing.prefix_length]) for at in sharing.indices}) == 1
        assert sharing.prefix_length == 0 or all(len(prompts[at]) > sharing.prefix_length >= MIN_PREFIX_TOKENS for at in sharing.indices)


def test_a_few_prompts_that_show_other_examples_do_not_keep_the_rest_from_sharing() -> None:
    instruction = [7] * 100
    alike = [[*instruction, *[1] * 900, at] for at in range(2, 12)]
    others = [[*instruction, *[at] * 50] for at in (20, 21)]
    sets = {tuple(sorted(sharing.indices)): sharing.prefix_length for sharing in group_by_prefix([*alike, *others])}
    assert sets == {tuple(range(10)): 1000, (10, 11): 100}
    assert MIN_TOKENS_SAVED < 9 * 900


def test_rows_at_once_follow_from_the_memory_that_is_free() -> None:
    assert fitting_batch_size(10**9, 10**7) == int(100 * GPU_MEMORY_SHARE)
    assert fitting_batch_size(10**6, 10**7) == 1
    assert fitting_batch_size(10**12, 10**7) == MAX_BATCH_SIZE
