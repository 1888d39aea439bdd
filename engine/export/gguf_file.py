"""Writing the tuned model as one GGUF file, with a Modelfile for Ollama beside it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tuneproof.engine.core.disk_space import require_room
from tuneproof.engine.core.errors import RunFailed, UsageError
from tuneproof.engine.export.form import NumberType
from tuneproof.engine.export.gguf_vocabulary import chosen_rule, merges_of
from tuneproof.engine.export.gguf_weights import GgufModel
from tuneproof.engine.export.model_files import Written, write_merged
from tuneproof.engine.export.modelfile import MODELFILE, modelfile
from tuneproof.engine.export.serving import this_python
from tuneproof.engine.export.source import ExportSource
from tuneproof.engine.models.pretrained import read_config
from tuneproof.engine.models.weight_files import base_parameters

GGUF_FILE = "model.gguf"

TYPES = {
    NumberType.FLOAT32: "F32",
    NumberType.FLOAT16: "F16",
    NumberType.BFLOAT16: "BF16",
    NumberType.Q8_0: "Q8_0",
    NumberType.Q5_1: "Q5_1",
    NumberType.Q5_0: "Q5_0",
    NumberType.Q4_1: "Q4_1",
    NumberType.Q4_0: "Q4_0",
}
"""The names of the types in GGUF: those that the package gguf can write. Types of llama.cpp alone, such as Q4_K_M, need its own
`llama-quantize` on an exported float16 file."""

OF_CONVERTER = {
    NumberType.FLOAT32: "f32",
    NumberType.FLOAT16: "f16",
    NumberType.BFLOAT16: "bf16",
    NumberType.Q8_0: "q8_0",
}
"""The types that llama.cpp's converter writes, by the words of its option --outtype."""


def write_gguf(source: ExportSource, folder: Path, wanted: NumberType | None, converter: Path | None) -> Written:
    """The merged model as `model.gguf`, summed in float32 and rounded once to the type; float16 if none is wanted.

    Raises UsageError for a model that cannot be converted here, and without the package gguf.
    """
    chosen = wanted or NumberType.FLOAT16
    if converter is None and find_spec("gguf") is None:
        raise UsageError("writing GGUF needs the package gguf", where="--form gguf", fix="pip install 'tuneproof[export]'")
    with _merged_in_float32(source, folder) as merged:
        if converter is None:
            _convert(source, merged, folder / GGUF_FILE, chosen)
        else:
            _convert_with(converter, merged, folder / GGUF_FILE, chosen)
    (folder / MODELFILE).write_text(modelfile(source, GGUF_FILE), encoding="utf-8")
    return Written(folder, chosen)


@contextmanager
def _merged_in_float32(source: ExportSource, folder: Path) -> Iterator[Path]:
    merged = folder / "merged"
    merged.mkdir()
    try:
        write_merged(source, merged, NumberType.FLOAT32)
        yield merged
    finally:
        shutil.rmtree(merged)


def _convert(source: ExportSource, merged: Path, file: Path, chosen: NumberType) -> None:
    import gguf

    require_room(file.parent, base_parameters(merged) * 4, "the GGUF file")
    model = GgufModel(merged, read_config(merged, trusts_code=source.base.trusts_code))
    writer = gguf.GGUFWriter(file, gguf.MODEL_ARCH_NAMES[model.architecture])
    kind = gguf.GGMLQuantizationType[TYPES[chosen]]
    writer.add_name(source.card.name)
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_file_type(gguf.LlamaFileType["ALL_F32" if chosen is NumberType.FLOAT32 else f"MOSTLY_{TYPES[chosen]}"])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    model.add_settings(writer)
    _add_vocabulary(source, merged, writer, int(model.config.vocab_size))
    for name, weight in model.tensors():
        # What is added, not multiplied with, stays in float32, as llama.cpp expects it.
        stays = weight.ndim < 2 or weight.shape[-1] % gguf.GGML_QUANT_SIZES[kind][0] != 0
        of_tensor = gguf.GGMLQuantizationType.F32 if stays else kind
        writer.add_tensor(name, gguf.quants.quantize(weight, of_tensor), raw_dtype=of_tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_vocabulary(source: ExportSource, merged: Path, writer: Any, size: int) -> None:
    import gguf

    tokenizer, file = source.base.tokenizer, merged / "tokenizer.json"
    texts = [text for prediction in source.tuned.predictions for text in (prediction.prompt, prediction.output, prediction.expected)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(chosen_rule(file, texts).name)
    by_id = {number: token for token, number in tokenizer.get_vocab().items()}
    added = tokenizer.added_tokens_decoder
    tokens, kinds = [], []
    for number in range(size):
        tokens.append(by_id.get(number, f"[PAD{number}]"))
        if number not in by_id:
            kinds.append(gguf.TokenType.UNUSED)
        elif number in added:
            kinds.append(gguf.TokenType.CONTROL if added[number].special else gguf.TokenType.USER_DEFINED)
        else:
            kinds.append(gguf.TokenType.NORMAL)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges_of(file))
    ends = source.base.eos_token_ids
    writer.add_eos_token_id(ends[0])
    if len(ends) > 1:
        writer.add_eot_token_id(ends[1])
    if tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    # The template writes every token of a prompt, as it was measured.
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


def _convert_with(converter: Path, merged: Path, file: Path, chosen: NumberType) -> None:
    if chosen not in OF_CONVERTER:
        raise UsageError(f"llama.cpp's converter writes no {chosen}", where="--type", fix=f"use one of {', '.join(OF_CONVERTER)}")
    if not converter.is_file():
        raise UsageError("there is no such file", where=str(converter), fix="name convert_hf_to_gguf.py of a checkout of llama.cpp")
    command = [str(this_python()), str(converter), str(merged), "--outfile", str(file), "--outtype", OF_CONVERTER[chosen]]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0 or not file.is_file():
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no message")
        fix = "if a module is missing, install requirements/requirements-convert_hf_to_gguf.txt of llama.cpp; else export another form"
        raise RunFailed(f"llama.cpp's converter failed: {last.strip()[:300]}", where=str(converter), fix=fix)
