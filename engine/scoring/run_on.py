"""Where an answer ends in an output that goes on: models trained on lists of tasks invent the next request and answer that too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tuneproof.engine.scoring.answer_pattern import AnswerPattern, Found

LABELS = (
    *("question", "q", "problem", "exercise", "input", "user", "human", "instruction", "prompt", "query"),
    *("frage", "pregunta", "domanda", "pergunta", "вопрос", "\u95ee\u9898", "\u95ee", "\u554f\u984c", "\u8cea\u554f", "\u9898\u76ee"),
)
"""What stands before a request, in any case, with a number and a colon behind it, or alone in a heading."""

MOST_ENDS_TRIED = 20

_LABEL = rf"(?:next |new |another )?(?:{'|'.join(LABELS)})"
_REQUEST = re.compile(
    rf"^[ \t>*_\-]*(?:#+[ \t]*[*_]*{_LABEL}\b[ \t\d.#]*[*_]*[:\uff1a]?|{_LABEL}[ \t]*#?\d*[*_ \t]*[:\uff1a]|{_LABEL}[ \t]*#?\d+[*_]*[.)])"
    r"|<\|\w+\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>",
    re.IGNORECASE | re.MULTILINE,
)
_QUESTION_IN_NEW_PARAGRAPH = re.compile(r"\n[ \t]*\n(?s:.*?)[?\uff1f]")


def answer_in(text: str, pattern: AnswerPattern) -> Found | None:
    """The last match of a pattern before the output goes on to another request; None if there is no match.

    Another request begins, after a match, at a line that is labelled as one, at the mark of a turn, and, where the pattern has a mark of
    its own before the answer, at a new paragraph with a question. What a model corrects without asking anything is still its answer.
    """
    matches = pattern.all_in(text)
    if len(matches) == 1 and _REQUEST.search(text, matches[0].start()) is None:
        return matches[0]
    for end in _request_starts(text, matches):
        if before := pattern.all_in(text[:end]):
            matches = before
            break
    for match, following in pairwise(matches):
        between = text[match.end() : following.start()]
        if match.start(1) > match.start() and _QUESTION_IN_NEW_PARAGRAPH.search(between):
            return match
    return matches[-1] if matches else None


def _request_starts(text: str, matches: Sequence[Found]) -> Iterator[int]:
    """Where requests begin behind the first match, the nearest first."""
    found = _REQUEST.finditer(text, matches[0].start()) if matches else iter(())
    for count, request in enumerate(found):
        if count == MOST_ENDS_TRIED:
            return
        yield request.start()
