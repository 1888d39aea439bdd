"""Checking a judge on pairs whose better answer is known, before it decides anything."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import product

from pydantic import BaseModel, ConfigDict, ValidationError

from tuneproof.engine.data.example import Example
from tuneproof.engine.data.reasoning import answer_of
from tuneproof.engine.run.event import Rate
from tuneproof.engine.scoring.json_values import parse_json
from tuneproof.engine.scoring.judgement import Judgement, JudgementCounts, Outcome, count_judgements
from tuneproof.engine.scoring.scores import wilson_rate

KNOWN_PAIRS = 60
"""Pairs of a reference and a spoilt reference that a judge is asked about; at most one a row and way of spoiling."""

FEWEST_PAIRS = 20
"""With fewer pairs a judge is not checked, and may not decide."""

LEAST_AGREEMENT = 0.8
"""What the lower limit of a judge's agreement on known pairs has to reach, and the upper limit on labelled pairs."""

MOST_POSITION = 0.2
"""The largest share of the pairs of a check on which a judge may prefer the same place in both orders."""

_SENTENCE = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s+|\n+")


class Spoilt(StrEnum):
    """How a reference was made worse."""

    TRUNCATED = "truncated"
    """Its first half, by words."""
    OTHER_ROW = "other row"
    """The reference of another row."""
    SHUFFLED = "shuffled"
    """Its sentences, or the words of a single one, in another order."""


class KnownPair(BaseModel):
    """A reference and the same one spoilt: which is better is known."""

    model_config = ConfigDict(extra="forbid")

    id: str
    way: Spoilt
    reference: str
    spoilt: str


class CheckedPair(KnownPair):
    """One line of `judge/known.jsonl`: the pair with the judge's verdict, the reference being the first answer."""

    judgement: Judgement


class LabelledPair(BaseModel):
    """One line of the file that `judge.labelled` names: a pair that a person judged."""

    model_config = ConfigDict(extra="forbid")

    request: str
    a: str
    b: str
    better: str
    reference: str | None = None

    @property
    def outcome(self) -> Outcome:
        """How the person says that `a` came off."""
        return {"a": Outcome.WIN, "b": Outcome.LOSS, "tie": Outcome.TIE}[self.better]


class CheckedLabel(LabelledPair):
    """One line of `judge/labelled.jsonl`: a labelled pair with the judge's verdict."""

    judgement: Judgement


class Agreement(BaseModel):
    """On how many pairs a judge agrees."""

    model_config = ConfigDict(extra="forbid")

    pairs: int
    agreed: int
    rate: Rate | None
    """None where there are no pairs."""


class JudgeCheck(BaseModel):
    """What the check of a judge came to."""

    model_config = ConfigDict(extra="forbid")

    known: Agreement
    by_way: dict[Spoilt, Agreement]
    labelled: Agreement | None
    """None where nobody labelled pairs."""
    counts: JudgementCounts
    """Of all pairs of the check."""

    @property
    def position_share(self) -> float:
        """The share of pairs on which the judge prefers the same place in both orders."""
        return self.counts.follows_position / self.counts.asked if self.counts.asked else 0.0

    @property
    def problem(self) -> str | None:
        """Why the judge may not decide; None if it may."""
        known = self.known
        if known.pairs < FEWEST_PAIRS or known.rate is None:
            return f"the judge was checked on {known.pairs} known pairs, and {FEWEST_PAIRS} are needed: the data has too few references"
        if self.position_share > MOST_POSITION:
            return (
                f"the judge prefers the same place in both orders on {self.counts.follows_position} of {self.counts.asked} pairs, "
                f"and at most {MOST_POSITION:.0%} may be"
            )
        if known.rate.low < LEAST_AGREEMENT:
            return (
                f"the judge knows the reference from a spoilt one on {known.agreed} of {known.pairs} pairs, which shows no more than "
                f"{known.rate.low:.2f}, and {LEAST_AGREEMENT:g} is needed"
            )
        labelled = self.labelled
        if labelled is not None and labelled.rate is not None and labelled.rate.high < LEAST_AGREEMENT:
            return (
                f"the judge agrees with people on {labelled.agreed} of {labelled.pairs} labelled pairs, which shows at most "
                f"{labelled.rate.high:.2f}, and {LEAST_AGREEMENT:g} is needed"
            )
        return None


def judge_check(known: Sequence[CheckedPair], labelled: Sequence[CheckedLabel] | None) -> JudgeCheck:
    """The check, counted from the pairs and their verdicts."""

    def agreement(agreed: Sequence[bool]) -> Agreement:
        return Agreement(pairs=len(agreed), agreed=sum(agreed), rate=wilson_rate(sum(agreed), len(agreed)) if agreed else None)

    right = [(pair.way, pair.judgement.outcome is Outcome.WIN) for pair in known]
    return JudgeCheck(
        known=agreement([agrees for _, agrees in right]),
        by_way={way: agreement([agrees for its, agrees in right if its is way]) for way in Spoilt if any(its is way for its, _ in right)},
        labelled=None if labelled is None else agreement([pair.judgement.outcome is pair.outcome for pair in labelled]),
        counts=count_judgements([*(pair.judgement for pair in known), *(pair.judgement for pair in labelled or [])]),
    )


def checked_rows(validation: Sequence[tuple[str, Example]], train: Sequence[tuple[str, Example]]) -> dict[str, Example]:
    """The rows whose references check a judge: validation, and train where validation has too few."""
    return dict(validation if len(known_pairs(validation)) >= FEWEST_PAIRS else [*validation, *train])


def known_pairs(rows: Sequence[tuple[str, Example]]) -> list[KnownPair]:
    """The pairs for a check, the same for the same rows: each row in each way that changes it, one way of all rows before the next."""
    texts = {name: answer_of(example.output).strip() for name, example in rows}
    # The ids are digests: their order is a shuffle.
    names = sorted(name for name, text in texts.items() if text)
    found: dict[tuple[str, Spoilt], KnownPair] = {}
    ways = list(Spoilt)
    for shift, (at, name) in product(range(len(ways)), enumerate(names)):
        way = ways[(at + shift) % len(ways)]
        spoilt = _spoilt(way, texts[name], texts[names[(at + 1) % len(names)]], name)
        if spoilt and spoilt != texts[name]:
            found[name, way] = KnownPair(id=name, way=way, reference=texts[name], spoilt=spoilt)
    return list(found.values())[:KNOWN_PAIRS]


def _spoilt(way: Spoilt, text: str, other: str, name: str) -> str:
    match way:
        case Spoilt.TRUNCATED:
            words = text.split()
            return " ".join(words[: len(words) // 2]) if len(words) > 1 else text[: len(text) // 2]
        case Spoilt.OTHER_ROW:
            return other
        case Spoilt.SHUFFLED:
            sentences = [part for part in _SENTENCE.split(text) if part]
            parts = sentences if len(sentences) > 1 else text.split()
            drawn = random.Random(hashlib.sha256(name.encode()).digest())
            mixed = drawn.sample(parts, len(parts))
            return " ".join(mixed if mixed != parts else [*parts[1:], *parts[:1]])


def read_labelled(text: str) -> list[LabelledPair]:
    """The pairs of a labelled file. Raises ValueError, with the line, for one that is none."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            pair = LabelledPair.model_validate(parse_json(line))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise ValueError(f"line {number}: {'.'.join(map(str, first['loc'])) or 'the pair'}: {first['msg']}") from None
        except ValueError as error:
            raise ValueError(f"line {number}: not JSON: {error}") from None
        if pair.better not in ("a", "b", "tie"):
            raise ValueError(f"line {number}: `better` is {pair.better[:40]!r}: write a, b or tie")
        found.append(pair)
    if not found:
        raise ValueError("it has no pairs")
    return found
