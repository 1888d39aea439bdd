"""What a judge says about two answers to one request, shown in both orders, and how such verdicts are counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from tuneproof.engine.data.reasoning import answer_of


class Letter(StrEnum):
    """A verdict as the judge is asked for it."""

    A = "A"
    B = "B"
    TIE = "tie"


LETTERS = tuple(letter.value for letter in Letter)

_VERDICT = re.compile(r"[\s\"'*`(\[]*(?:verdict\s*:\s*)?[\s\"'*`(\[]*(A|B|tie)[\s\"'*`)\].!]*", re.IGNORECASE)


def read_letter(reply: str) -> Letter | None:
    """The verdict in a reply: `A`, `B` or `tie` and nothing else but quotes, brackets, a full stop or `verdict:`. None for any other text.

    A reply that argues first is not searched for a letter: what it names last need not be its verdict.
    """
    found = _VERDICT.fullmatch(answer_of(reply))
    if found is None:
        return None
    word = found.group(1)
    return Letter.TIE if word.lower() == Letter.TIE else Letter(word.upper())


class Outcome(StrEnum):
    """How the first of two answers came off."""

    WIN = "win"
    TIE = "tie"
    LOSS = "loss"


class NotAsked(StrEnum):
    """Why a pair was decided without the judge."""

    EQUAL = "equal"
    """The answers are equal, or neither is whole: a tie."""
    FIRST = "first"
    """Only the first is whole: it wins."""
    SECOND = "second"
    """Only the second is."""


class Judgement(BaseModel):
    """The verdict on two answers. The judge sees the first of them as A in its first reply, and as B in its second one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    not_asked: NotAsked | None = None
    replies: tuple[str, str] = ("", "")
    """The judge's replies in the two orders."""
    errors: tuple[str, str] = ("", "")
    """Why a server gave no reply, in a few words."""
    prompt_tokens: int = 0
    reply_tokens: int = 0
    uncounted: int = 0
    """Replies whose tokens the server did not report."""

    @property
    def letters(self) -> tuple[Letter | None, Letter | None]:
        """What the replies say; None for one that cannot be read."""
        first, second = self.replies
        return read_letter(first), read_letter(second)

    @property
    def is_unreadable(self) -> bool:
        """Whether a reply is missing or cannot be read, so that the pair counts as a tie."""
        return self.not_asked is None and None in self.letters

    @property
    def is_inconsistent(self) -> bool:
        """Whether the two orders have different verdicts, so that the pair counts as a tie."""
        return self.not_asked is None and not self.is_unreadable and self.letters not in ((A, B), (B, A), (TIE, TIE))

    @property
    def follows_position(self) -> bool:
        """Whether the judge preferred the same place in both orders."""
        return self.not_asked is None and self.letters in ((A, A), (B, B))

    @property
    def outcome(self) -> Outcome:
        """How the first answer came off."""
        if self.not_asked is not None:
            return {NotAsked.FIRST: Outcome.WIN, NotAsked.SECOND: Outcome.LOSS, NotAsked.EQUAL: Outcome.TIE}[self.not_asked]
        match self.letters:
            case (Letter.A, Letter.B):
                return Outcome.WIN
            case (Letter.B, Letter.A):
                return Outcome.LOSS
        return Outcome.TIE

    @property
    def score(self) -> float:
        """1 for a win, a half for a tie, 0 for a loss."""
        return {Outcome.WIN: 1.0, Outcome.TIE: 0.5, Outcome.LOSS: 0.0}[self.outcome]


A, B, TIE = Letter.A, Letter.B, Letter.TIE


class JudgedCase(BaseModel):
    """One line of a `judgements_….jsonl`: the answer of a tuned arm to a case against that of an untuned one."""

    model_config = ConfigDict(extra="forbid")

    id: str
    judgement: Judgement


def without_asking(first: str, second: str, *, first_whole: bool = True, second_whole: bool = True) -> NotAsked | None:
    """How a pair is decided without the judge; None if it has to be asked. An answer that is empty or was cut off is not whole."""
    if first_whole != second_whole:
        return NotAsked.FIRST if first_whole else NotAsked.SECOND
    return NotAsked.EQUAL if not first_whole or _plain(first) == _plain(second) else None


def _plain(answer: str) -> str:
    return answer_of(answer).strip()


class JudgementCounts(BaseModel):
    """Judgements counted."""

    model_config = ConfigDict(extra="forbid")

    pairs: int
    asked: int
    """Pairs that the judge was asked about, twice each."""
    inconsistent: int
    unreadable: int
    follows_position: int
    prompt_tokens: int
    reply_tokens: int
    uncounted: int
    """Replies whose tokens are not known."""


def count_judgements(judgements: Sequence[Judgement]) -> JudgementCounts:
    """The judgements counted."""
    return JudgementCounts(
        pairs=len(judgements),
        asked=sum(each.not_asked is None for each in judgements),
        inconsistent=sum(each.is_inconsistent for each in judgements),
        unreadable=sum(each.is_unreadable for each in judgements),
        follows_position=sum(each.follows_position for each in judgements),
        prompt_tokens=sum(each.prompt_tokens for each in judgements),
        reply_tokens=sum(each.reply_tokens for each in judgements),
        uncounted=sum(each.uncounted for each in judgements),
    )
