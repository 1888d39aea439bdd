"""A second task that stands after the answer."""

from __future__ import annotations

import re

_QUESTION = r"(?:#{1,4}\s*|\*\*)?(?:Instruction|Input|Question|Q|Prompt|Task|Problem|Exercise|Text|Review|Tweet|Sentence)\s*\d*\s*[:.)]"
_ANSWER = r"(?:#{1,4}\s*|\*\*)?(?:Output|Answer|A|Response|Solution|Label|Sentiment|Reply|Completion)\s*\d*\s*[:.)]"
_GLUED = re.compile(rf"\S[^\n]*\n+\s*({_QUESTION})[^\n]*(?:\n(?!\s*{_ANSWER})[^\n]*){{0,12}}\n+\s*{_ANSWER}")
_ASKS_FOR_SEVERAL = re.compile(
    r"question|quiz|exam\b|exercise|problems\b|faq|q\s?&\s?a|dialog|conversation|interview|examples?\b|prompts?\b|instructions\b|template|format"
    r"|solve|steps?\b",
    re.IGNORECASE,
)


def second_task(prompt: str, output: str) -> str:
    """The heading with which a second task begins in an output; empty if there is none, or if the prompt asks for several."""
    if "\n" not in output or ":" not in output:
        return ""
    glued = _GLUED.match(output.lstrip()) or _GLUED.search(output)
    if glued is None or _ASKS_FOR_SEVERAL.search(prompt) or re.match(_QUESTION, output.lstrip()):
        return ""
    return glued[1].strip()
