"""Finds what commonly breaks in the chat template and the tokenizer of a base, before anything is trained on them.

Imports transformers, so only the worker imports this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuneproof.engine.data.reasoning import Thinking
from tuneproof.engine.models.chat_format import ChatFormat
from tuneproof.engine.models.literal_text import encode
from tuneproof.engine.models.token_fault import FoundFault, TokenFault

BETWEEN_TURNS = 40
"""Characters of a text that a sentence quotes."""


def base_faults(chat: ChatFormat, eos_token_ids: Sequence[int]) -> list[FoundFault]:
    """The faults of a base, whatever it is asked."""
    return [*_ends(chat, eos_token_ids), *_beginnings(chat), *_generation_prompt(chat)]


def _ends(chat: ChatFormat, eos_token_ids: Sequence[int]) -> Iterator[FoundFault]:
    tokenizer = chat.tokenizer
    end = _token(chat, eos_token_ids[0])
    if chat.own and set(eos_token_ids).isdisjoint(encode(tokenizer, chat.answer_end)):
        yield FoundFault(
            TokenFault.END_NOT_LEARNED,
            breaks_here=False,
            sentence=f"the chat template writes no end token after an answer; tuneproof adds {end} to the labels itself",
            fix=f"write {end} after the answer in the template before another program trains with it: its model would not stop",
        )
    if tokenizer.pad_token_id in eos_token_ids:
        yield FoundFault(
            TokenFault.PAD_IS_END,
            breaks_here=False,
            sentence=f"the padding token is the end token {_token(chat, tokenizer.pad_token_id)}; tuneproof masks padding by its position, "
            "so that the end of an answer stays in the loss",
            fix="a program that masks padding by its id teaches no end: give the tokenizer a padding token of its own there",
        )


def _beginnings(chat: ChatFormat) -> Iterator[FoundFault]:
    added = added_before_text(chat)
    prompt = encode(chat.tokenizer, chat.bare_prompt)
    first = added[0] if added else chat.tokenizer.bos_token_id
    if first is None:
        return
    name = _token(chat, first)
    if prompt[:2] == [first, first]:
        yield FoundFault(
            TokenFault.TWO_BEGINNINGS,
            breaks_here=True,
            sentence=f"the chat template begins every prompt with {name} twice",
            fix=f"take one {name} out of the chat template",
        )
    elif added and prompt[: len(added)] == added:
        yield FoundFault(
            TokenFault.TWO_BEGINNINGS,
            breaks_here=False,
            sentence=f"the chat template writes {name}, and the tokenizer puts it before every text too; tuneproof does not",
            fix="encode rendered prompts with add_special_tokens=False when serving, or they begin with it twice",
        )
    elif added:
        yield FoundFault(
            TokenFault.NO_BEGINNING,
            breaks_here=True,
            sentence=f"the tokenizer puts {name} before every text, and the chat template does not write it: no prompt begins with it",
            fix=f"begin the chat template with {name}, as the model was trained",
        )


def _generation_prompt(chat: ChatFormat) -> Iterator[FoundFault]:
    if chat.thinking is not Thinking.NONE:
        # A block of reasoning stands there or not, and `ChatFormat.after_prompt` sees to it.
        return
    prompt, (before_answer, _) = chat.bare_prompt, chat.bare_chat
    if not before_answer.startswith(prompt):
        yield FoundFault(
            TokenFault.OTHER_PREFIX,
            breaks_here=False,
            sentence=f"the prompt ends with {_quoted(_end_of(prompt, before_answer))}, and a chat has "
            f"{_quoted(_end_of(before_answer, prompt))} before an answer; tuneproof trains and asks with the prompt",
            fix="make both equal in the template: a program that trains on rendered chats teaches another beginning than it is asked with",
        )
    elif before_answer[len(prompt) :].strip():
        yield FoundFault(
            TokenFault.NO_GENERATION_PROMPT,
            breaks_here=True,
            sentence=f"the prompt ends before {_quoted(before_answer[len(prompt) :])}, which the template writes before an answer: "
            "the model is not told that it is its turn",
            fix="write it in the template where `add_generation_prompt` is true",
        )


def added_before_text(chat: ChatFormat) -> list[int]:
    """The special tokens that the tokenizer puts before every text; mostly one or none."""
    bare: list[int] = chat.tokenizer.encode("yes", add_special_tokens=False)
    whole: list[int] = chat.tokenizer.encode("yes")
    at = next((at for at in range(len(whole) - len(bare) + 1) if whole[at : at + len(bare)] == bare), 0)
    return whole[:at]


def _end_of(text: str, other: str) -> str:
    """The text from the line or special token where it is no longer like the other one."""
    same = next((at for at, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    return text[max(0, same - BETWEEN_TURNS // 2) :]


def _quoted(text: str) -> str:
    shown = text if len(text) <= BETWEEN_TURNS else text[:BETWEEN_TURNS] + "…"
    return f"`{shown}`".replace("\n", "↵")


def _token(chat: ChatFormat, token_id: int) -> str:
    return f"`{chat.tokenizer.convert_ids_to_tokens(token_id)}`"
