"""The base model of a case: its files, tokenizer, chat template and weights.

Imports transformers, so only the worker imports this module.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import snapshot_download
from transformers import BitsAndBytesConfig, GenerationConfig, PreTrainedConfig, PreTrainedTokenizerBase

from tuneproof.engine.case.schema import SAMPLE, ModelChoice
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Message
from tuneproof.engine.data.reasoning import Thinking
from tuneproof.engine.models.chat_format import ChatFormat, read_format
from tuneproof.engine.models.files import CODE_FILES, MODEL_FILES, digest_of, file_digests, first_model_digest, local_folder
from tuneproof.engine.models.folder_check import check_folder
from tuneproof.engine.models.generation import configured_end_tokens, greedy_config, settings_not_used
from tuneproof.engine.models.literal_text import encode
from tuneproof.engine.models.pretrained import (
    check_finite,
    check_tensors,
    first_line,
    read_adapter,
    read_config,
    read_model,
    read_tokenizer,
    text_config_of,
)
from tuneproof.engine.models.soft_prompt import with_soft_prompt

if TYPE_CHECKING:
    import torch

QUANTISATION_FILE = "base_quantisation.json"
"""File in an adapter's folder with the `BitsAndBytesConfig` of its base in training; absent if the base was not quantised."""

MAX_REASONING_TOKENS = 2048
"""Tokens for reasoning where the context has room for them; at most a quarter of the context."""

DEFAULT_CONTEXT = 2048
"""Tokens of context for a model that has no limit of its own."""

LONGEST_CONTEXT = 1_000_000_000
"""Tokens; a longer context is a mistake."""

MEDIA_TOKENS = {"image_token", "audio_token", "video_token"}
"""Names of the tokens in a tokenizer's configuration that stand for something other than text."""


@dataclass(frozen=True)
class BaseCheckpoint:
    """A base model on this machine, without its weights: its files and its tokenizer."""

    name: str
    """As the case gives it: `sample`, a path, or a name on the Hugging Face Hub."""
    folder: Path
    sha256: str
    """Digest of all model files."""
    files: Mapping[str, str]
    """SHA-256 of each file that loading the model may read, by its path in the folder."""
    tokenizer: PreTrainedTokenizerBase
    """Always has a chat template and a padding token, and pads on the left."""
    chat: ChatFormat
    context_length: int
    """Most tokens of prompt and answer together: `max_position_embeddings`."""
    eos_token_ids: list[int]
    """Every token that ends an answer; the first is the one that training teaches."""
    trusts_code: bool = False
    """Whether the case lets code of the folder run."""
    settings_not_used: Mapping[str, str] = field(default_factory=dict)
    """Settings of its generation config that would change answers, and that no run uses."""

    @property
    def generation(self) -> GenerationConfig:
        """The generation config of every answer."""
        return greedy_config(self.eos_token_ids, self.tokenizer.pad_token_id)

    @property
    def own_code(self) -> list[str]:
        """The Python files of the folder that may have run; paths in the folder."""
        return [name for name in self.files if name.endswith(".py")]

    def prompt(self, messages: Sequence[Message]) -> str:
        """The exact text that the model reads, up to where its answer begins. Raises TemplateRefused."""
        return self.chat.prompt(messages)

    def token_ids(self, text: str) -> list[int]:
        """The token ids of a text that already contains its special tokens; what data have of them is text, as `ChatFormat` marks it."""
        return encode(self.tokenizer, text)

    def continuation_ids(self, text: str) -> list[int]:
        """The token ids of a text that follows a prompt."""
        if not text[:1].isspace():
            return self.token_ids(text)
        # Some tokenizers put a space of their own before every text, so a first space is only one token less behind a prompt.
        prompt = self.token_ids(self.chat.bare_prompt)
        together = self.token_ids(self.chat.bare_prompt + text)
        return together[len(prompt) :] if together[: len(prompt)] == prompt else self.token_ids(text)

    def target_ids(self, messages: Sequence[Message], answer: str) -> list[int]:
        """The token ids that training teaches after the prompt: the answer and one end-of-sequence token.

        The end is the first end-of-sequence token that the template writes after the answer, or else the first of `eos_token_ids`. Raises
        TemplateRefused.
        """
        text, end_of_answer = self.chat.after_prompt(messages, answer)
        answer_tokens = len(self.continuation_ids(text[:end_of_answer]))
        ids = self.continuation_ids(text)
        end = next((at for at in range(max(answer_tokens - 1, 0), len(ids)) if ids[at] in self.eos_token_ids), None)
        return [*ids, self.eos_token_ids[0]] if end is None else ids[: end + 1]

    @property
    def reasoning_tokens(self) -> int:
        """Tokens that an answer may take for reasoning, besides those for the answer itself; 0 if prompts ask for none."""
        asks = self.chat.thinking in (Thinking.ON, Thinking.ALWAYS)
        return reasoning_room(self.context_length) if asks else 0

    def with_first_digest(self) -> BaseCheckpoint:
        """The base with the digest that runs have that do not list its files."""
        return replace(self, sha256=first_model_digest(self.folder))

    def thinking_as_in(self, outputs: Iterable[str]) -> BaseCheckpoint:
        """The base as it is asked for data with these outputs: with reasoning if any of them has some. Reads them only if that matters."""
        return replace(self, chat=self.chat.thinking_as_in(outputs)) if self.chat.thinking is Thinking.OFF else self


@dataclass(frozen=True)
class OpenedBase:
    """A base as it was found to be asked, before its files are digested."""

    folder: Path
    tokenizer: PreTrainedTokenizerBase
    chat: ChatFormat
    context_length: int
    eos_token_ids: list[int]


def reasoning_room(context_length: int) -> int:
    """Tokens that an answer may take for reasoning where prompts ask for it."""
    return min(MAX_REASONING_TOKENS, context_length // 4)


def load_base(model: ModelChoice) -> BaseCheckpoint:
    """The base model of a case, without its weights; downloads it from the hub if needed.

    Raises CaseError if it is neither on this machine nor on the hub, its folder is not whole, transformers cannot load it, its tokenizer
    has no end token, or its tokenizer has more tokens than the model has embeddings.
    """
    opened = open_base(model)
    files = file_digests(opened.folder, with_code=model.trust_remote_code)
    return BaseCheckpoint(
        name=model.base,
        folder=opened.folder,
        sha256=digest_of(files),
        files=files,
        tokenizer=opened.tokenizer,
        chat=opened.chat,
        context_length=opened.context_length,
        eos_token_ids=opened.eos_token_ids,
        trusts_code=model.trust_remote_code,
        settings_not_used=settings_not_used(opened.folder),
    )


def open_base(model: ModelChoice) -> OpenedBase:
    """The base model of a case, as `load_base` checks it. Raises CaseError as `load_base` does."""
    folder = local_folder(model.base) or _from_hub(model)
    check_folder(folder)
    config = read_config(folder, trusts_code=model.trust_remote_code)
    tokenizer = read_tokenizer(folder, trusts_code=model.trust_remote_code)
    check_tensors(folder, trusts_code=model.trust_remote_code)
    text_config = text_config_of(config, folder)
    _check_embeddings(tokenizer, int(text_config.vocab_size), model)
    if tokenizer.eos_token_id is None:
        raise CaseError(
            "the tokenizer has no end-of-sequence token, so answers would never end",
            where=f"model.base: {model.base}",
            fix="name one as `eos_token` in tokenizer_config.json: the token that the model was trained to end a text with",
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    chat = read_format(tokenizer)
    context = _context_length(text_config, folder)
    return OpenedBase(folder, tokenizer, chat, context, _eos_token_ids(folder, chat, int(text_config.vocab_size)))


def load_weights(
    base: BaseCheckpoint,
    trained: Path | None = None,
    *,
    quantisation: dict[str, Any] | None = None,
    dtype: torch.dtype | None = None,
    attention: str | None = None,
    on: torch.device | None = None,
) -> Any:
    """The model in eval mode, ready to decode.

    `trained` is a folder with an adapter, which is loaded on top of the base with the quantisation it was trained with, or with a whole
    model, which is loaded instead of the base. `quantisation` holds the arguments of a `BitsAndBytesConfig`. `dtype` and `on` are those of
    `best_device` if not given, `attention` is the `attn_implementation` that transformers chooses.
    """
    best, best_dtype = best_device()
    device = on or best
    is_adapter = trained is not None and (trained / "adapter_config.json").is_file()
    folder = base.folder if trained is None or is_adapter else trained
    if is_adapter and trained is not None and (trained / QUANTISATION_FILE).is_file():
        quantisation = json.loads((trained / QUANTISATION_FILE).read_text(encoding="utf-8"))
    options: dict[str, Any] = {"dtype": dtype or best_dtype, "attention": attention, "trusts_code": base.trusts_code}
    if quantisation is not None:
        options |= {"quantization_config": BitsAndBytesConfig(**quantisation), "device_map": {"": device}}
    model = read_model(folder, base.generation, **options)
    if quantisation is None:
        model = model.to(device)
    check_finite(model, folder)
    if is_adapter and trained is not None:
        model = read_adapter(model, trained)
    model.eval()
    return with_soft_prompt(model)


def best_device() -> tuple[torch.device, torch.dtype]:
    """The device to compute on, and its dtype: bfloat16 on a GPU that supports it, else float16; float32 on a CPU."""
    import torch

    if torch.cuda.is_available():
        # In distributed training each process has a GPU of its own, numbered by torchrun.
        local_rank = os.environ.get("LOCAL_RANK")
        device = torch.device("cuda") if local_rank is None else torch.device("cuda", int(local_rank))
        return device, torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.device("cpu"), torch.float32


def serving_dtype(stored: str) -> torch.dtype:
    """What a merged model computes in when it is scored: on a GPU the type that it is stored in, as on a server; on a CPU float32."""
    import torch

    device, dtype = best_device()
    own: torch.dtype = getattr(torch, stored)
    return own if device.type == "cuda" else dtype


def packed_attention() -> str | None:
    """The attention for packed rows: the newest flash attention that is installed; None for transformers' default if there is none.

    Flash attention skips the other rows of a pack, while SDPA and eager attention compute and mask them.
    """
    from transformers.utils import is_flash_attn_2_available, is_flash_attn_3_available

    _, dtype = best_device()
    # Flash attention needs 16-bit types.
    if "float32" in str(dtype):
        return None
    if is_flash_attn_3_available():
        return "flash_attention_3"
    return "flash_attention_2" if is_flash_attn_2_available() else None


def _from_hub(model: ModelChoice) -> Path:
    try:
        patterns = [*MODEL_FILES, *(CODE_FILES if model.trust_remote_code else [])]
        return Path(snapshot_download(model.base, revision=model.revision, allow_patterns=patterns))
    except Exception as error:
        # The hub client raises many unrelated exceptions for "not found" and "no network".
        raise CaseError(
            f"not a folder, and not available from the Hugging Face Hub: {first_line(error)}",
            where=f"model.base: {model.base}",
            fix=f"give the path of a model's folder, or `{SAMPLE}` for the small model that comes with tuneproof",
        ) from None


def _check_embeddings(tokenizer: PreTrainedTokenizerBase, embeddings: int, model: ModelChoice) -> None:
    """Raises CaseError if a text can become a token that the model has no embedding for."""
    # Text models keep the placeholder of their family's images (Gemma 3 1B) without an embedding; no prompt has an image.
    media = {str(token) for name, token in tokenizer.special_tokens_map.items() if name in MEDIA_TOKENS}
    beyond = {token for token, number in tokenizer.get_vocab().items() if number >= embeddings} - media
    if beyond:
        raise CaseError(
            f"the tokenizer has more tokens than the model has embeddings: {len(tokenizer):,} tokens, {embeddings:,} embeddings",
            where=f"model.base: {model.base}",
            fix=f"resize the embeddings of the model, or use the tokenizer it was trained with; without an embedding: {_some(beyond)}",
        )


def _context_length(text_config: PreTrainedConfig, folder: Path) -> int:
    """The context of a model in tokens, `DEFAULT_CONTEXT` if it has no limit. Raises CaseError if it is no positive number."""
    given = getattr(text_config, "max_position_embeddings", None)
    if given is None:
        return DEFAULT_CONTEXT
    if not isinstance(given, int) or isinstance(given, bool) or not 0 < given <= LONGEST_CONTEXT:
        raise CaseError(
            f"`max_position_embeddings`, the context of the model, is {str(given)[:40]}",
            where=str(folder / "config.json"),
            fix="use the config.json that belongs to the weights",
        )
    return given


def _some(tokens: Iterable[str]) -> str:
    """The first few of some tokens."""
    first, *rest = sorted(tokens)
    named = [first, *rest[:2]]
    return ", ".join(f"`{token}`" for token in named) + (" and more" if len(rest) > 2 else "")


def _eos_token_ids(folder: Path, chat: ChatFormat, vocab_size: int) -> list[int]:
    """Every token that ends an answer, without repeats: the special token that the template writes after one, the tokenizer's
    end-of-sequence token, and those of the generation config."""
    tokenizer = chat.tokenizer
    first = tokenizer.encode(chat.answer_end, add_special_tokens=False)[:1]
    ends = [token for token in first if token in tokenizer.added_tokens_decoder and tokenizer.added_tokens_decoder[token].special]
    ends.append(tokenizer.eos_token_id)
    return list(dict.fromkeys([*ends, *configured_end_tokens(folder, vocab_size)]))
