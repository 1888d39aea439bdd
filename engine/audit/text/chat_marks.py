"""Marks of chat formats inside text."""

from __future__ import annotations

import re

_ANGLED = re.compile(
    r"<(?:\|\w{1,40}\|"  # ChatML, Llama 3, Phi, GPT, Command R
    "|\uff5c[\\w\u2581]{1,40}\uff5c"  # DeepSeek
    r"|</?SYS>"  # Llama 2
    r"|(?:start|end)_of_turn"  # Gemma
    r"|/?(?:bos|eos|unk)|pad(?=><pad>)"
    # Alone, <s> and </s> are also how HTML strikes text through.
    r"|(?<=\A<)s|/s(?=>\s*(?:<s>|\Z))|s(?=>\s*\[INST\]))>"
)
_SQUARE = re.compile(r"\[/?(?:INST|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|SYSTEM_PROMPT)\]")
_HEADER = re.compile(r"^#{2,3} ?(?:Instruction|Response|Input|Output|Human|Assistant|User|System): ?", re.MULTILINE)
_TURN = re.compile(r"^(?:Human|HUMAN|Assistant|ASSISTANT): ?", re.MULTILINE)


def chat_mark(field: str, text: str) -> str:
    """The first mark of a chat format in a text; empty if there is none."""
    match = None
    if "<" in text:
        match = _ANGLED.search(text)
    if match is None and "[" in text:
        match = _SQUARE.search(text)
    if match is None and "##" in text:
        match = _HEADER.search(text)
    if match is None and field == "output" and ("uman:" in text or "UMAN:" in text or "ssistant:" in text or "SSISTANT:" in text):
        match = _TURN.search(text)
    return f"{field}: {match[0].strip()}" if match else ""
