"""Marks of chat formats inside text."""

from __future__ import annotations

import re

from tuneproof.engine.audit.text.code_spans import without_code

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
    """The first mark of a chat format in a text; empty if there is none.

    Marks in code, as in a text about chat formats, do not count. Headings count if two different ones stand there, as in a prompt of
    Alpaca, or one stands at the end, and lines of speakers if both speak: alone they are words of a document or a play.
    """
    text = without_code(text)
    match = None
    if "<" in text:
        match = _ANGLED.search(text)
    if match is None and "[" in text:
        match = _SQUARE.search(text)
    if match is None and "##" in text:
        match = _template_heading(text)
    if match is None and field == "output" and ("uman:" in text or "UMAN:" in text or "ssistant:" in text or "SSISTANT:" in text):
        match = _both_speak(text)
    return f"{field}: {match[0].strip()}" if match else ""


def _template_heading(text: str) -> re.Match[str] | None:
    found = list(_HEADER.finditer(text))
    if len({match[0].strip() for match in found}) > 1 or (found and not text[found[-1].end() :].strip()):
        return found[0]
    return None


def _both_speak(text: str) -> re.Match[str] | None:
    """The first line of a speaker that follows other text: a dialogue that was asked for begins with one."""
    found = list(_TURN.finditer(text))
    speakers = {match[0].strip().casefold() for match in found}
    goes_on = bool(found) and bool(text[: found[0].start()].strip())
    return found[0] if goes_on and (len(speakers) > 1 or speakers == {"human:"}) else None
