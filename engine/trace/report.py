"""What a trace shows, and what it is asked for: the two documents between the process that shows it and the one that has the model."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tuneproof.engine.core.errors import UsageError
from tuneproof.engine.models.token_fault import FoundFault
from tuneproof.engine.scoring.grade import FailureClass

LIKELIEST = 5
"""Next tokens that are shown for each position."""

MOST_ATTENDED = 10
"""Positions that are shown for the attention of one token."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TraceRequest(_Part):
    """Which row of which case or run is traced. Exactly one of `row`, `place` and `case_id` is given."""

    source: Path
    """A case file, or a run folder."""
    run: Path | None = None
    """The run whose tuned model is shown, where the source is a case file."""
    row: int | None = Field(default=None, ge=1)
    """The number of an example in `data.examples`, from 1, in the order in which they are read."""
    place: str | None = None
    """A row as findings name it: file:line."""
    case_id: str | None = None
    """An id of a run, as in `predictions.jsonl`."""
    token: int | None = Field(default=None, ge=1)
    """The position of a token whose attention is shown besides those of the answer."""


def with_row(request: TraceRequest, text: str) -> TraceRequest:
    """The request for another row: a number from 1, or FILE:LINE. Raises UsageError if the text is neither."""
    row = text.strip()
    number = int(row) if row.isdecimal() else None
    if number == 0:
        raise UsageError("there is no row 0", where="--row", fix="rows begin with 1")
    if number is None and ":" not in row:
        raise UsageError(f"`{row}` is neither a number nor FILE:LINE", where="--row", fix="the first row is 1")
    return request.model_copy(update={"row": number, "place": row if number is None else None, "case_id": None})


class TracedRow(_Part):
    """The example, and where it stands."""

    number: int | None
    """In `data.examples`, from 1; None for a row of the eval file, and for one that was found by its id."""
    case_id: str | None
    """Its id in a run."""
    part: str | None
    """The part of a run that has it; None without a run, and for a row that the run left out."""
    place: str
    """File and line."""
    request: str
    """What a person wrote: the last user turn, with the row's own instruction."""
    system: str
    history: list[str]
    """The turns before the request, each with its role."""
    expected: str


class TracedToken(_Part):
    """One token of the row as it is trained on."""

    position: int
    """From 1."""
    id: int
    text: str
    """What it adds to the text; for a part of a character, the tokenizer's own name for it."""
    special: bool
    in_loss: bool
    """Whether its label is not masked: the loss counts how likely the model makes it."""


class ContextUse(_Part):
    """How much of the context the row takes."""

    prompt_tokens: int
    answer_tokens: int
    """With the end token."""
    limit: int
    """Most tokens of prompt and answer together."""
    limit_is: str
    """What sets the limit."""
    answer_room: int
    """Tokens that a decoded answer may take."""

    @property
    def total(self) -> int:
        """Prompt and answer together."""
        return self.prompt_tokens + self.answer_tokens

    @property
    def over(self) -> int:
        """Tokens that do not fit; 0 if all do."""
        return max(0, self.total - self.limit)


class NextToken(_Part):
    """A token that may come next."""

    id: int
    text: str
    probability: float


class NextTokens(_Part):
    """What one model expects at one position, having read all tokens of the row before it."""

    likeliest: list[NextToken]
    expected: float
    """The probability of the token that the row has there."""
    rank: int
    """The rank of that token, from 1."""


class AnswerPosition(_Part):
    """One token of the expected answer, and how likely the models make it."""

    position: int
    base: NextTokens
    tuned: NextTokens | None


class Attended(_Part):
    """A position that a token's model looked at."""

    position: int
    last_layer: float
    """The share of attention in the last layer, mean over its heads."""
    all_layers: float
    """Mean over all heads of all layers."""


class TokenAttention(_Part):
    """Where the attention went when the model chose the token at a position: it had read all tokens before it."""

    position: int
    attended: list[Attended]
    """The positions with most attention in the last layer, most first."""


class Attention(_Part):
    """The attention of one model; `why_none` says why there is none."""

    model: str
    layers: int
    heads: int
    tokens: list[TokenAttention]
    why_none: str = ""


class TracedAnswer(_Part):
    """An answer to the row, how it was decoded, and why it passes or fails."""

    arm: str
    tuned: bool
    stored: bool
    """Whether the run has it; if not, it was decoded for this trace."""
    output: str
    prompt_tokens: int
    output_tokens: int
    decoded: list[str]
    """How it was decoded, a phrase each."""
    format_valid: bool
    correct: bool
    failure_class: FailureClass | None
    fields: list[str]
    reason: str
    """Why it passes or fails, in a sentence."""


class TraceReport(_Part):
    """One request, from its text to the score of its answers."""

    row: TracedRow
    base: str
    tuned: str | None
    """The run whose tuned model is shown; None if there is none."""
    own_template: bool
    prompt: str
    """The result of the chat template up to where the answer begins, with its special tokens as text."""
    answer: str
    """What training teaches after it, with the end token."""
    tokens: list[TracedToken]
    context: ContextUse
    positions: list[AnswerPosition]
    attention: Attention
    answers: list[TracedAnswer]
    faults: list[FoundFault]

    def position(self, number: int) -> AnswerPosition | None:
        """What the models expect at a position; None if it is not one of the answer."""
        return next((each for each in self.positions if each.position == number), None)

    def attention_of(self, number: int) -> TokenAttention | None:
        """Where attention went for the token at a position, if that was computed."""
        return next((each for each in self.attention.tokens if each.position == number), None)

    @property
    def hardest(self) -> int | None:
        """The position of the answer's token that the model makes least likely: the tuned one, or the base if there is none."""
        known = [(each.position, (each.tuned or each.base).expected) for each in self.positions]
        return min(known, key=lambda pair: pair[1])[0] if known else None


class TraceProblem(_Part):
    """Why there is no trace, from the process that has the model."""

    kind: str
    """The name of the error's class in `core/errors`."""
    what: str
    where: str
    fix: str


class TraceReply(_Part):
    """What that process answers: a report or a problem."""

    report: TraceReport | None = None
    problem: TraceProblem | None = None
