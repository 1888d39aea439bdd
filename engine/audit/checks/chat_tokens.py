"""Marks of chat formats that were left in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneproof.engine.audit.checks.characters import rows_with
from tuneproof.engine.audit.registry import Finding, Severity, check, several
from tuneproof.engine.audit.table import Table

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


@check("chat-tokens", severity=Severity.WARN)
def chat_tokens(table: Table) -> Iterator[Finding]:
    """Marks that separate the turns of a chat, left inside the text, such as `<|im_start|>`, `[INST]`, `</s>` or `### Response:`.

    The right marks are added when a row is shown to the model. Those inside the text end an answer early, or teach the model to go on
    with the user's part; so do lines that begin with "Human:" or "Assistant:" in an output.
    """
    rows = rows_with(table, _marks)
    if rows:
        count = len(rows)
        yield Finding(
            f"{count} {several(count, 'row has', 'rows have')} marks of a chat format inside the text",
            "delete the marks, and make turns of a conversation separate messages; or leave these rows out",
            rows,
        )


def _marks(field: str, text: str) -> str:
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
