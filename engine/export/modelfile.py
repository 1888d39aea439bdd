"""The Modelfile with which Ollama runs a GGUF file: the chat template in Go's language, and greedy decoding."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tuneproof.engine.data.messages import Message
from tuneproof.engine.export.source import ExportSource

MODELFILE = "Modelfile"

_ROLES = ("system", "user", "assistant")
_MARK = "\ue000{}\ue000"
"""Stands for the text of a turn while the template is found out; private use in Unicode, so no template has it."""


@dataclass(frozen=True)
class TurnTemplate:
    """A chat template that writes every turn alike, by its role."""

    start: str
    """Before a chat without a system turn."""
    before: dict[str, str]
    after: dict[str, str]
    end: str
    """After the last turn, where the answer begins."""

    def prompt(self, turns: Sequence[tuple[str, str]]) -> str:
        """The prompt of a chat of roles and texts."""
        written = [f"{self.before[role]}{text}{self.after[role]}" for role, text in turns]
        return ("" if turns and turns[0][0] == "system" else self.start) + "".join(written) + self.end

    def in_go(self) -> str:
        """The same as a template of Ollama."""
        cases = "".join(
            f"{'{{ if' if at == 0 else '{{ else if'} eq .Role {json.dumps(role)} }}}}{_go(self.before[role])}{{{{ .Content }}}}"
            f"{_go(self.after[role])}"
            for at, role in enumerate(_ROLES)
        )
        start = f'{{{{ if ne (index .Messages 0).Role "system" }}}}{_go(self.start)}{{{{ end }}}}' if self.start else ""
        return f"{start}{{{{ range .Messages }}}}{cases}{{{{ end }}}}{{{{ end }}}}{_go(self.end)}"


def turn_template(prompt: Callable[[Sequence[Message]], str]) -> TurnTemplate | None:
    """What a chat template writes around turns, found out from short chats; None if it does not write every turn alike."""
    texts = {role: _MARK.format(role) for role in _ROLES}
    chats = [("user",), (*_ROLES, "user"), (*_ROLES, "user", "assistant", "user")]
    try:
        bare, whole, longer = (prompt([Message(role, texts[role]) for role in chat]) for chat in chats)
    except Exception:
        # A template is a program of others, and may raise anything for a chat that it does not take.
        return None
    parts = _between(whole, [texts[role] for role in chats[1]])
    if parts is None or bare.count(texts["user"]) != 1:
        return None
    found = _cut(parts, user_answer=parts[2], answer_user=parts[3], bare_start=bare.split(texts["user"])[0])
    rendered = zip(chats, (bare, whole, longer), strict=True)
    return found if all(found.prompt([(role, texts[role]) for role in chat]) == text for chat, text in rendered) else None


def modelfile(source: ExportSource, file: str) -> str:
    """The text of the Modelfile; without a template if the model's is one that Ollama's language cannot have."""
    found = turn_template(source.base.chat.prompt)
    lines = [f"FROM ./{file}", "PARAMETER temperature 0", f"PARAMETER num_predict {source.arm.max_new_tokens}"]
    lines += [f"PARAMETER stop {json.dumps(text)}" for text in source.stops]
    if found is None:
        lines.append("# Ollama's own reading of the chat template in the file is used: it does not write every turn alike.")
    else:
        lines.append(f'TEMPLATE """{found.in_go()}"""')
    return "\n".join(lines) + "\n"


def _between(text: str, marks: Sequence[str]) -> list[str] | None:
    """What stands before the first of some texts, between each and the next, and after the last; None if one is missing."""
    parts = []
    for mark in marks:
        before, found, text = text.partition(mark)
        if not found:
            return None
        parts.append(before)
    return [*parts, text]


def _cut(parts: Sequence[str], user_answer: str, answer_user: str, bare_start: str) -> TurnTemplate:
    """Divides what stands between turns into the end of one and the beginning of the next: a user's turn begins like the system's.

    Every division writes the same prompts; this one is the easiest to read.
    """
    system_user = parts[1]

    def cut_at(length: int) -> TurnTemplate:
        after = system_user[:length]
        before = {"system": parts[0], "user": system_user[length:], "assistant": user_answer[length:]}
        end, start = parts[-1].removeprefix(after), bare_start.removesuffix(before["user"])
        return TurnTemplate(start, before, dict.fromkeys(_ROLES, after), end)

    lengths = range(len(_common_start(system_user, user_answer, answer_user)) + 1)
    return max(map(cut_at, lengths), key=lambda found: (len(_common_start(found.before["user"], parts[0])), -len(found.start)))


def _common_start(*texts: str) -> str:
    shortest = min(texts, key=len)
    at = next((at for at in range(len(shortest)) if len({text[at] for text in texts}) > 1), len(shortest))
    return shortest[:at]


def _go(text: str) -> str:
    """A text as a template of Go writes it."""
    return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if "{{" in text or '"""' in text else text
