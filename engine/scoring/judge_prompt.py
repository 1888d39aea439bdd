"""What a judge is asked: one message with the rubric, the request and two answers that are called A and B."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneproof.engine.data.example import Example, Message, prompt_text
from tuneproof.engine.data.reasoning import answer_of

PROMPT_VERSION = 1
"""Changes with every word of the prompt: verdicts under different prompts are not mixed."""

TASK = "Compare two answers to the same request. They are in no particular order, and who wrote them does not matter."
QUESTION = "Which answer is better? Reply with one word and nothing else: A, B, or tie."


@dataclass(frozen=True)
class Pair:
    """Two answers to a request, of which a judge is to prefer one; `reference` is None where one of the two is the reference."""

    request: str
    first: str
    second: str
    reference: str | None = None
    first_whole: bool = True
    second_whole: bool = True
    """Whether the answer is neither empty nor cut off."""

    def prompts(self, rubric: str) -> tuple[list[Message], list[Message]]:
        """The chats with the first answer as A, and as B."""
        first, second = answer_of(self.first).strip(), answer_of(self.second).strip()
        return self._chat(rubric, first, second), self._chat(rubric, second, first)

    def _chat(self, rubric: str, a: str, b: str) -> list[Message]:
        parts = [TASK, rubric.strip(), _part("request", self.request)]
        if self.reference is not None:
            parts.append(f"A good answer, for comparison:\n{_part('reference', answer_of(self.reference).strip())}")
        return [Message("user", "\n\n".join([*parts, _part("answer A", a), _part("answer B", b), QUESTION]))]


def request_text(case: Example, instruction: str) -> str:
    """The request of a case as a judge reads it: what the model read, after the instruction of the task where the row has none."""
    own = prompt_text(case)
    return own if case.instruction or not instruction else f"{instruction}\n\n{own}"


def prompt_template(rubric: str) -> str:
    """The prompt with placeholders, for the card."""
    pair = Pair("{request}", "{answer A}", "{answer B}", "{reference}")
    return pair.prompts(rubric)[0][0].content


def pairs_against_reference(answers: Sequence[tuple[str, bool]], cases: Sequence[Example], instruction: str) -> list[Pair]:
    """Each answer, with whether it is whole, against the reference of its case."""
    return [
        Pair(request_text(case, instruction), answer, case.output, first_whole=is_whole)
        for (answer, is_whole), case in zip(answers, cases, strict=True)
    ]


def _part(name: str, text: str) -> str:
    return f"[{name}]\n{text}\n[end of {name}]"
