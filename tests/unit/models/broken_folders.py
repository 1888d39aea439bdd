"""Copies of the sample model in which something is wrong, and what the error says about it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from safetensors.numpy import load_file, save_file

from tests.unit.models.bases import edit_json
from tuneproof.engine.models.files import local_folder

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 8268504\n"

Break = Callable[[Path], object]


def sample_copy(folder: Path) -> Path:
    """A whole copy of the sample model."""
    sample = local_folder("sample")
    assert sample is not None
    return Path(shutil.copytree(sample, folder))


def cut_in_half(path: Path) -> None:
    """Leaves the first half of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def split_weights(folder: Path, first: str = "model-00001-of-00002.safetensors") -> None:
    """Moves the weights into two files with an index, which calls the first of them `first`."""
    weights = load_file(folder / WEIGHTS)
    names = sorted(weights)
    halves = {"model-00001-of-00002.safetensors": names[:19], "model-00002-of-00002.safetensors": names[19:]}
    for file, half in halves.items():
        save_file({name: weights[name] for name in half}, folder / file, metadata={"format": "pt"})
    (folder / WEIGHTS).unlink()
    weight_map = {name: file for file, half in halves.items() for name in half}
    named = {name: first if file == min(halves) else file for name, file in weight_map.items()}
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": named}))


def _split_and_lose_one(folder: Path) -> None:
    split_weights(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()


def _split_and_spoil_index(folder: Path) -> None:
    split_weights(folder)
    (folder / INDEX).write_text("{}")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _leave_an_adapter(folder: Path) -> None:
    """What PEFT writes: the adapter and its configuration, and no model."""
    for path in folder.iterdir():
        path.unlink()
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA", "base_model_name_or_path": "org/small"}')
    (folder / "adapter_model.safetensors").write_bytes(b"x")


NOT_WHOLE: dict[str, tuple[Break, str]] = {
    "weights cut off": (lambda f: cut_in_half(f / WEIGHTS), r"model.safetensors: the file is cut off: it has 4,134,252 of 8,268,504 bytes"),
    "weights empty": (lambda f: (f / WEIGHTS).write_bytes(b""), r"model.safetensors: the file is empty"),
    "weights missing": (lambda f: (f / WEIGHTS).unlink(), r"model.safetensors: the file with the weights is missing"),
    "weights a pointer": (lambda f: (f / WEIGHTS).write_text(POINTER), r"model.safetensors: this is a Git LFS pointer.*git lfs pull"),
    "weights something else": (lambda f: (f / WEIGHTS).write_bytes(b"PK\x03\x04" * 99), r"not a whole safetensors file"),
    "weights too long": (lambda f: (f / WEIGHTS).open("ab").write(b"x"), r"not a whole safetensors file"),
    "weights without tensors": (lambda f: (f / WEIGHTS).write_bytes(b"\2\0\0\0\0\0\0\0{}"), r"the weights have no tensor"),
    "weights pickled": (lambda f: (f / WEIGHTS).rename(f / "pytorch_model.bin"), r"only there as pytorch_model.bin"),
    "a shard missing": (_split_and_lose_one, r"model-00002-of-00002.safetensors: the file is missing.*1 of them is not here"),
    "index without a map": (_split_and_spoil_index, r"index.json: the index has no `weight_map`"),
    "index to a parent": (lambda f: split_weights(f, "../other.safetensors"), r"names `../other.safetensors`, which is not"),
    "index to anywhere": (lambda f: split_weights(f, "/tmp/other.safetensors"), r"names `/tmp/other.safetensors`, which is not"),
    "index to a pickle": (lambda f: split_weights(f, "pytorch_model.bin"), r"names `pytorch_model.bin`, which is not"),
    "other weights named": (lambda f: edit_json(f / "config.json", transformers_weights="../x.safetensors"), r"outside the folder"),
    "config missing": (lambda f: (f / "config.json").unlink(), r"config.json: the file is missing"),
    "config cut off": (lambda f: cut_in_half(f / "config.json"), r"config.json: this is not valid JSON"),
    "config a list": (lambda f: (f / "config.json").write_text("[]"), r"config.json: this is not a JSON object"),
    "config nested": (lambda f: (f / "config.json").write_text("[" * 100_000), r"config.json: .*nested too deeply"),
    "config a pipe": (lambda f: _pipe(f / "config.json"), r"config.json: this is not an ordinary file"),
    "config a device": (lambda f: _device(f / "config.json"), r"config.json: this is not an ordinary file"),
    "a billion layers": (lambda f: edit_json(f / "config.json", num_hidden_layers=10**9), r"`num_hidden_layers` is 1000000000, but"),
    "layers in words": (lambda f: edit_json(f / "config.json", num_hidden_layers="many"), r"`num_hidden_layers` is many, but"),
    "tokenizer missing": (lambda f: (f / "tokenizer.json").unlink(), r"tokenizer.json: the tokenizer is missing"),
    "tokenizer cut off": (lambda f: cut_in_half(f / "tokenizer.json"), r"tokenizer.json: this is not valid JSON"),
    "tokenizer a pointer": (lambda f: (f / "tokenizer.json").write_text(POINTER), r"tokenizer.json: this is a Git LFS pointer"),
    "tokenizer from outside": (
        lambda f: edit_json(f / "tokenizer_config.json", fast_tokenizer_files=["../t.json"]),
        r"fast_tokenizer_files",
    ),
    "generation config cut off": (lambda f: cut_in_half(f / "generation_config.json"), r"generation_config.json: this is not valid JSON"),
    "template empty": (lambda f: (f / "chat_template.jinja").write_text(""), r"chat_template.jinja: the file is empty"),
    "an adapter": (lambda f: (f / "adapter_config.json").write_text("{}"), r"adapter_config.json: the folder holds an adapter"),
    "an adapter alone": (lambda f: _leave_an_adapter(f), r"adapter_config.json: the folder holds an adapter.*name its base, org/small;"),
    "a distributed checkpoint": (lambda f: (f / ".metadata").write_bytes(b"x"), r"whose metadata is pickled"),
}
"""What is wrong with the files, found without loading the model."""

ENDLESS = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}{{ messages[0].content }}"


def _template(text: str) -> Break:
    return lambda folder: (folder / "chat_template.jinja").write_text(text)


def _config(**settings: object) -> Break:
    return lambda folder: edit_json(folder / "config.json", **settings)


def _forget_end_token(folder: Path) -> None:
    edit_json(folder / "tokenizer_config.json", eos_token=None)
    edit_json(folder / "generation_config.json", eos_token_id=None)


NOT_LOADABLE: dict[str, tuple[Break, str]] = {
    "fewer layers than weights": (_config(num_hidden_layers=2), r"18 not of this model \(model.layers.2.input_layernorm.weight, "),
    "more layers than weights": (_config(num_hidden_layers=6), r"18 missing \(model.layers.4.input_layernorm.weight, "),
    "other sizes than weights": (_config(hidden_size=96), r"38 of another shape \(model.embed_tokens.weight, "),
    "a vocabulary of another size": (_config(vocab_size=10**15), r"1 of another shape \(model.embed_tokens.weight\)"),
    "a negative vocabulary": (_config(vocab_size=-1), r"transformers cannot load this model: Trying to create tensor with negative"),
    "a context of -5": (_config(max_position_embeddings=-5), r"config.json: `max_position_embeddings`, .* is -5"),
    "a context in words": (_config(max_position_embeddings="long"), r"'max_position_embeddings': TypeError"),
    "an endless context": (_config(max_position_embeddings=10**30), r"config.json: `max_position_embeddings`, .* is 1000"),
    "no heads": (_config(num_attention_heads=0), r"transformers cannot load this model"),
    "an unknown architecture": (_config(model_type="nonesuch"), r"has model type `nonesuch`"),
    "no language model": (_config(model_type="clip"), r"Unrecognized configuration class"),
    "an unknown activation": (_config(hidden_act="nope"), r"no entry for 'nope'"),
    "a tokenizer without content": (lambda f: (f / "tokenizer.json").write_text("{}"), r"transformers cannot load this model"),
    "an end token in words": (lambda f: edit_json(f / "generation_config.json", eos_token_id="x"), r"`eos_token_id` has x, which is no"),
    "an end token beyond": (lambda f: edit_json(f / "generation_config.json", eos_token_id=[1, 9999]), r"`eos_token_id` has 9999, which"),
    "no end token": (_forget_end_token, r"the tokenizer has no end-of-sequence token.*name one as `eos_token`"),
    "a template of spaces": (_template("   "), r"leaves out what the user says"),
    "a template without answers": (_template("{% for m in messages[:1] %}{{ m.content }}{% endfor %}"), r"leaves out what the assistant"),
    "a template that raises": (_template("{{ raise_exception('not today') }}"), r"refuses a chat of user: not today"),
    "a template that is none": (_template("{% for"), r"refuses a chat of user: unexpected 'end of template'"),
    "a template of 10 GB": (_template("{{ 'x' * 10**10 }}{{ messages[0].content }}"), r"too much time or memory"),
}
"""What is wrong with a model, found when it is loaded without its weights."""
