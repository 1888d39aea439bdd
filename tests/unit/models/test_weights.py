"""What is wrong with weights ends the run, and what a generation config asks for changes no answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peft import LoraConfig, get_peft_model
from safetensors.numpy import load_file, save_file
from transformers import AutoModelForCausalLM, GPT2Config, GPTJConfig, GPTNeoXConfig, PreTrainedConfig

from tests.unit.models.bases import edit_json
from tests.unit.models.broken_folders import WEIGHTS, sample_copy
from tuneproof.engine.case.schema import ModelChoice
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.decoding.continuous_batch import matches_hf_greedy
from tuneproof.engine.decoding.decoder import Decoder
from tuneproof.engine.models.base_model import load_base, load_weights
from tuneproof.engine.models.pretrained import check_tensors

ODD_SETTINGS: dict[str, Any] = {
    "num_beams": 4,
    "suppress_tokens": list(range(300, 400)),
    "begin_suppress_tokens": [0, 1],
    "forced_eos_token_id": 1,
    "forced_bos_token_id": 5,
    "repetition_penalty": 1.5,
    "no_repeat_ngram_size": 2,
    "min_new_tokens": 40,
    "bad_words_ids": [[300]],
    "exponential_decay_length_penalty": [1, 2.0],
    "sequence_bias": [[[300], 9.0]],
    "guidance_scale": 3.0,
    "do_sample": True,
    "temperature": 0.1,
    "max_new_tokens": 2,
    "stop_strings": ["e"],
    "prompt_lookup_num_tokens": 3,
    "cache_implementation": "static",
    "return_dict_in_generate": True,
}
PROMPTS = [f"<|user|>Triage the ticket.\n\n{text}<|end|><|assistant|>" for text in ("The lamp flickers.", "Order 12?", "Refund me!")]


@pytest.mark.parametrize(("rope_type", "in_slots"), [("default", True), ("dynamic", False)])
def test_no_setting_of_a_generation_config_changes_an_answer(rope_type: str, in_slots: bool, tmp_path: Path) -> None:
    answers = []
    for name, settings in (("plain", {}), ("odd", ODD_SETTINGS)):
        folder = sample_copy(tmp_path / name)
        edit_json(folder / "config.json", rope_parameters={"rope_type": rope_type, "factor": 2.0, "rope_theta": 10000.0})
        edit_json(folder / "generation_config.json", **settings)
        base = load_base(ModelChoice(base=str(folder)))
        model = load_weights(base)
        assert matches_hf_greedy(model) is in_slots
        answers.append(Decoder(base, model).complete(PROMPTS, 24)[0])
    assert answers[0] == answers[1]


def test_the_settings_that_are_not_used_are_recorded(tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "model")
    edit_json(folder / "generation_config.json", num_beams=4, repetition_penalty=1.0, do_sample=True, top_p=0.8, suppress_tokens=[1])
    assert load_base(ModelChoice(base=str(folder))).settings_not_used == {"num_beams": "4", "suppress_tokens": "[1]"}


def with_tensors(folder: Path, extra: dict[str, Any]) -> Path:
    """The folder with more tensors in its weights."""
    save_file({**load_file(folder / WEIGHTS), **extra}, folder / WEIGHTS, metadata={"format": "pt"})
    return folder


def test_what_published_models_have_left_over_is_no_reason_to_refuse_them(tmp_path: Path) -> None:
    """Buffers that are computed now, and a head that is the embedding."""
    folder = sample_copy(tmp_path / "model")
    frequencies = {f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": np.ones(8, np.float32) for layer in range(4)}
    head = {"lm_head.weight": load_file(folder / WEIGHTS)["model.embed_tokens.weight"]}
    load_weights(load_base(ModelChoice(base=str(with_tensors(folder, frequencies | head)))))


SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 32}


@pytest.mark.parametrize(
    ("config", "left_over"),
    [
        (GPTNeoXConfig(intermediate_size=16, **SMALL), "gpt_neox.layers.0.attention."),
        (GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=32), "transformer.h.0.attn."),
        (GPTJConfig(n_embd=16, n_layer=1, n_head=2, vocab_size=32, rotary_dim=4), "transformer.h.0.attn."),
    ],
    ids=["gpt_neox", "gpt2", "gpt_j"],
)
def test_the_masks_of_older_checkpoints_are_left_over(config: PreTrainedConfig, left_over: str, tmp_path: Path) -> None:
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    masks = {"bias": np.ones((1, 1, 8, 8), np.bool_), "masked_bias": np.full(1, -1e9, np.float32)}
    check_tensors(with_tensors(tmp_path, {f"{left_over}{name}": mask for name, mask in masks.items()}))
    with pytest.raises(CaseError, match=r"2 not of this model \(some\.other, some\.other\.bias\)"):
        check_tensors(with_tensors(tmp_path, {"some.other": masks["masked_bias"], "some.other.bias": np.ones(16, np.float32)}))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_end_the_run(value: float, tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "model")
    weights = load_file(folder / WEIGHTS)
    weights["model.layers.2.mlp.up_proj.weight"][3, 5] = value
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    base = load_base(ModelChoice(base=str(folder)))
    with pytest.raises(CaseError, match=r"model.layers.2.mlp.up_proj.weight` has values that are not finite"):
        load_weights(base)


@pytest.mark.parametrize("name", ["model.norm.weight", "model.layers.1.self_attn.q_proj.weight"])
def test_a_missing_tensor_does_not_become_random_numbers(name: str, tmp_path: Path) -> None:
    folder = sample_copy(tmp_path / "model")
    weights = load_file(folder / WEIGHTS)
    base = load_base(ModelChoice(base=str(folder)))
    weights["model.something.else"] = weights.pop(name)
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    expected = rf"1 missing \({name}\); 1 not of this model \(model.something.else\)"
    with pytest.raises(CaseError, match=expected):
        load_base(ModelChoice(base=str(folder)))
    with pytest.raises(CaseError, match=expected):
        load_weights(base)


def test_an_adapter_that_is_not_whole_ends_the_run(tmp_path: Path) -> None:
    base = load_base(ModelChoice())
    get_peft_model(load_weights(base), LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")).save_pretrained(tmp_path)
    load_weights(base, tmp_path)
    stored = load_file(tmp_path / "adapter_model.safetensors")
    lost = min(stored)
    save_file({name: values for name, values in stored.items() if name != lost}, tmp_path / "adapter_model.safetensors")
    with pytest.raises(CaseError, match=lost):
        load_weights(base, tmp_path)
    (tmp_path / "adapter_model.safetensors").rename(tmp_path / "adapter_model.bin")
    with pytest.raises(CaseError, match="there is no such file"):
        load_weights(base, tmp_path)
