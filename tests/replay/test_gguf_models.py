"""Every family of models that is converted to GGUF computes in llama.cpp what it computes in transformers."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, MistralConfig, PreTrainedConfig, Qwen2Config, Qwen3Config

from tests.conftest import ROOT
from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.export.gguf_vocabulary import merges_of
from tuneproof.engine.export.gguf_weights import GgufModel
from tuneproof.engine.models.pretrained import read_config

pytestmark = pytest.mark.long

SAMPLE = ROOT / "sample_cases/model"
SIZES: dict[str, Any] = {
    "vocab_size": 1536,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "eos_token_id": 1,
    "pad_token_id": 0,
    "bos_token_id": None,
}
LONGER_CONTEXT: dict[str, Any] = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
MODELS = {
    "llama": LlamaConfig(**SIZES, tie_word_embeddings=False),
    "llama with biases and wide heads": LlamaConfig(**SIZES, head_dim=32, attention_bias=True),
    "llama with a longer context": LlamaConfig(**SIZES, rope_parameters=LONGER_CONTEXT),
    "mistral": MistralConfig(**SIZES, sliding_window=None),
    "qwen2": Qwen2Config(**SIZES),
    "qwen3": Qwen3Config(**SIZES, head_dim=32),
}
TOKENS = list(range(5, 205, 2))
"""More than the context that the longer one was stretched from."""

IN_LLAMA_CPP = """
import json, sys, llama_cpp
asked = json.load(sys.stdin)
model = llama_cpp.Llama(model_path=asked["file"], n_ctx=256, logits_all=True, verbose=False, type_k=0, type_v=0)
model.eval(asked["tokens"])
print(json.dumps([list(map(float, row)) for row in model.scores[: len(asked["tokens"])]]))
"""


@pytest.mark.skipif(
    "TUNEPROOF_LLAMA_PYTHON" not in os.environ and importlib.util.find_spec("llama_cpp") is None,
    reason="needs llama-cpp-python: TUNEPROOF_LLAMA_PYTHON names a Python that has it",
)
@pytest.mark.parametrize("name", MODELS)
def test_the_logits_are_those_of_transformers(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(MODELS[name]).float().eval()
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    model.save_pretrained(tmp_path)
    with torch.no_grad():
        expected = model(torch.tensor([TOKENS])).logits[0]
    python = os.environ.get("TUNEPROOF_LLAMA_PYTHON", sys.executable)
    asked = json.dumps({"file": str(written(tmp_path)), "tokens": TOKENS})
    done = subprocess.run([python, "-I", "-c", IN_LLAMA_CPP], input=asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert torch.allclose(torch.tensor(json.loads(done.stdout)), expected, atol=1e-5)


def written(folder: Path) -> Path:
    """The model of a folder as a GGUF file in float32, with the vocabulary of the sample model."""
    model = GgufModel(folder, read_config(folder))
    writer = gguf.GGUFWriter(folder / "model.gguf", gguf.MODEL_ARCH_NAMES[model.architecture])
    model.add_settings(writer)
    by_id = {number: token for token, number in AutoTokenizer.from_pretrained(SAMPLE).get_vocab().items()}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("superbpe")
    writer.add_token_list([by_id.get(number, f"[PAD{number}]") for number in range(SIZES["vocab_size"])])
    writer.add_token_types([gguf.TokenType.NORMAL] * SIZES["vocab_size"])
    writer.add_token_merges(merges_of(SAMPLE / "tokenizer.json"))
    writer.add_eos_token_id(1)
    for name, weight in model.tensors():
        writer.add_tensor(name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder / "model.gguf"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (PreTrainedConfig(), "models of the type"),
        (MistralConfig(**SIZES, sliding_window=128), "attention in a sliding window"),
        (LlamaConfig(**SIZES, rope_parameters={"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0}), "rotary embeddings"),
        (LlamaConfig(**SIZES, hidden_act="gelu"), "rotary embeddings or activation"),
    ],
)
def test_a_model_that_would_be_converted_wrongly_is_refused_with_a_way_out(config: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        GgufModel(tmp_path, config)
    assert "--converter" in refused.value.fix
