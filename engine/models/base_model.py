"""The base model: where it lies, what it is, its tokenizer and how it wants to be talked to.

Imports transformers, so only the worker imports this module.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import snapshot_download
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, PreTrainedTokenizerBase

from tuneproof.engine.case.schema import SAMPLE, ModelChoice
from tuneproof.engine.core.errors import CaseError
from tuneproof.engine.data.example import Message
from tuneproof.engine.models.files import MODEL_FILES, local_folder, model_digest
from tuneproof.engine.models.soft_prompt import with_soft_prompt

if TYPE_CHECKING:
    import torch

PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message.role | capitalize }}: {{ message.content }}{{ eos_token if message.role == 'assistant' }}\n"
    "{% endfor %}{% if add_generation_prompt %}Assistant: {% endif %}"
)
"""How a base model without a chat template is talked to."""

QUANTISATION_FILE = "base_quantisation.json"
"""The file beside an adapter that says how its base was held in training; none where it was held as it is."""


@dataclass(frozen=True)
class BaseCheckpoint:
    """A model on this machine: its folder, the digest of its files, its tokenizer, and the longest text it reads, in tokens."""

    name: str
    folder: Path
    sha256: str
    tokenizer: PreTrainedTokenizerBase
    context_length: int
    has_chat_template: bool
    eos_token_ids: list[int]

    def prompt(self, messages: Sequence[Message]) -> str:
        """The exact text that the model is given, up to where its answer begins."""
        return rendered(self.tokenizer, messages, add_generation_prompt=True)

    def token_ids(self, text: str) -> list[int]:
        """The ids of a text that already holds its special tokens."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def target_ids(self, messages: Sequence[Message], answer: str) -> list[int]:
        """The ids to be learned after the prompt: the answer and the end token, nothing after it.

        The end is what the template writes after an answer; where it writes none, the tokenizer's end token.
        """
        after = text_after_prompt(self.tokenizer, messages, answer)
        answered = len(self.token_ids(after[: after.index(answer) + len(answer)]))
        ids = self.token_ids(after)
        end = next((at for at in range(max(answered - 1, 0), len(ids)) if ids[at] in self.eos_token_ids), None)
        return [*ids, self.eos_token_ids[0]] if end is None else ids[: end + 1]


def rendered(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], *, add_generation_prompt: bool = False) -> str:
    """A chat as the model's template writes it; a model that can think aloud first is asked not to."""
    plain = [{"role": m.role, "content": m.content} for m in messages]
    text: str = tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=add_generation_prompt, enable_thinking=False)
    return text


def text_after_prompt(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], answer: str) -> str:
    """What the template writes from where the answer begins; the answer alone where the template rewrites it."""
    asked = rendered(tokenizer, messages, add_generation_prompt=True)
    whole = rendered(tokenizer, [*messages, Message("assistant", answer)])
    return whole[len(asked) :] if whole.startswith(asked + answer) else answer


def load_base(model: ModelChoice) -> BaseCheckpoint:
    """The base model of a case, without its weights. Raises CaseError where it cannot be had."""
    folder = local_folder(model.base) or _from_hub(model)
    try:
        config = AutoConfig.from_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError, KeyError) as error:
        raise CaseError(f"not a model that transformers can load: {_first_line(error)}", where=f"model.base: {model.base}") from None
    has_template = tokenizer.chat_template is not None
    if not has_template:
        tokenizer.chat_template = PLAIN_TEMPLATE
    if tokenizer.eos_token_id is None:
        raise CaseError("the tokenizer has no end token, so no answer could end", where=f"model.base: {model.base}")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    text_config = config.get_text_config()
    context = int(getattr(text_config, "max_position_embeddings", None) or 2048)
    return BaseCheckpoint(
        name=model.base,
        folder=folder,
        sha256=model_digest(folder),
        tokenizer=tokenizer,
        context_length=context,
        has_chat_template=has_template,
        eos_token_ids=_eos_token_ids(folder, tokenizer),
    )


def load_weights(
    base: BaseCheckpoint,
    trained: Path | None = None,
    *,
    quantisation: dict[str, Any] | None = None,
    dtype: torch.dtype | None = None,
    attention: str | None = None,
    on: torch.device | None = None,
) -> Any:
    """The model ready to decode: bfloat16 on a GPU that has it, float32 on a CPU; as it was trained where a folder with that is given.

    That folder holds an adapter, which goes on top of the base held as it was in training, or else a whole model. `on` is where it is put
    instead of the best device.
    """
    own, best = best_device()
    device = on or own
    is_adapter = trained is not None and (trained / "adapter_config.json").is_file()
    folder = base.folder if trained is None or is_adapter else trained
    if is_adapter and trained is not None and (trained / QUANTISATION_FILE).is_file():
        quantisation = json.loads((trained / QUANTISATION_FILE).read_text(encoding="utf-8"))
    # Without a name the model's own, or else what transformers takes.
    how: dict[str, Any] = {"dtype": dtype or best, "attn_implementation": attention}
    if quantisation is not None:
        config = BitsAndBytesConfig(**quantisation)
        model = AutoModelForCausalLM.from_pretrained(folder, quantization_config=config, device_map={"": device}, **how)
    else:
        model = AutoModelForCausalLM.from_pretrained(folder, **how).to(device)
    if is_adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, trained)
    model.eval()
    return with_soft_prompt(model)


def best_device() -> tuple[torch.device, torch.dtype]:
    """Where to compute, and in which type."""
    import torch

    if torch.cuda.is_available():
        # A process that trains beside others has a GPU of its own, which torchrun numbers.
        own = os.environ.get("LOCAL_RANK")
        device = torch.device("cuda") if own is None else torch.device("cuda", int(own))
        return device, torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.device("cpu"), torch.float32


def packed_attention() -> str | None:
    """The attention for packed rows, the newest that is installed: flash attention reads no row but its own, where others mask the rest."""
    from transformers.utils import is_flash_attn_2_available, is_flash_attn_3_available

    _, dtype = best_device()
    # It computes in 16 bits, and transformers looks for a GPU itself.
    if "float32" in str(dtype):
        return None
    if is_flash_attn_3_available():
        return "flash_attention_3"
    return "flash_attention_2" if is_flash_attn_2_available() else None


def _from_hub(model: ModelChoice) -> Path:
    try:
        return Path(snapshot_download(model.base, revision=model.revision, allow_patterns=MODEL_FILES))
    except Exception as error:
        # The hub client raises many unrelated classes for "not found" and "no network".
        raise CaseError(
            f"neither a folder here nor a model that could be fetched from the hub: {_first_line(error)}",
            where=f"model.base: {model.base}",
            fix=f"name a folder with a model, or `{SAMPLE}` for the small one that ships",
        ) from None


def _eos_token_ids(folder: Path, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Every id that ends an answer: what the template writes after one, the tokenizer's end token, and those of the generation config."""
    from transformers import GenerationConfig

    marker = "yes"
    after = text_after_prompt(tokenizer, [Message("user", "?")], marker).removeprefix(marker)
    written = tokenizer.encode(after, add_special_tokens=False)[:1]
    ends = [token for token in written if token in tokenizer.added_tokens_decoder and tokenizer.added_tokens_decoder[token].special]
    ends.append(tokenizer.eos_token_id)
    if (folder / "generation_config.json").is_file():
        told = GenerationConfig.from_pretrained(folder).eos_token_id
        ends += told if isinstance(told, list) else [] if told is None else [told]
    return list(dict.fromkeys(ends))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
