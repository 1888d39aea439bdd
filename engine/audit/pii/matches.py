"""What a text holds that it should not: a match, the text with its matches masked, and the rows that have some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from tuneproof.engine.audit.registry import Row
from tuneproof.engine.data.example import Example

NOTED = 3  # matches that a row's note names; the rest are counted
REMEMBERED = 1000  # instructions whose look is remembered, so that one shared by all rows is looked at once


class Kind(StrEnum):
    """What was found, in the words a reader sees."""

    EMAIL = "e-mail address"
    PHONE = "phone number"
    CARD = "card number"
    IBAN = "IBAN"
    IP = "IP address"
    US_SSN = "US social security number"
    UK_NINO = "UK national insurance number"
    DE_TAX = "German tax id"
    FR_NIR = "French social security number"
    ES_DNI = "Spanish identity number"
    IT_CODE = "Italian tax code"
    NL_BSN = "Dutch citizen service number"
    PL_PESEL = "Polish PESEL number"
    BR_CPF = "Brazilian CPF number"
    IN_AADHAAR = "Indian Aadhaar number"
    AWS_ID = "AWS access key id"
    AWS_SECRET = "AWS secret access key"
    GOOGLE = "Google key"
    AZURE = "Azure key"
    GITHUB = "GitHub token"
    GITLAB = "GitLab token"
    SLACK = "Slack token"
    DISCORD = "Discord token"
    TELEGRAM = "Telegram bot token"
    STRIPE = "Stripe key"
    SENDGRID = "SendGrid key"
    OPENAI = "OpenAI key"
    ANTHROPIC = "Anthropic key"
    HUGGING_FACE = "Hugging Face token"
    NPM = "npm token"
    PYPI = "PyPI token"
    PRIVATE_KEY = "private key"
    JWT = "JSON web token"
    BEARER = "bearer token"
    CONNECTION = "password in a connection string"
    ASSIGNED = "password or key"


class Trust(IntEnum):
    """What speaks for a match; where two matches overlap, the one with more stays."""

    CONTEXT = 0  # only the words around it
    FORM = 1  # the way in which it is written
    PROOF = 2  # a checksum, or a prefix that the provider documents


@dataclass(frozen=True, slots=True)
class Match:
    """One datum of a text: where it stands and how it is shown; never the datum itself."""

    kind: Kind
    start: int
    end: int
    shown: str
    trust: Trust = Trust.FORM


def settled(matches: Iterable[Match]) -> list[Match]:
    """Matches that do not overlap, in the order of the text: the better proven, then the longer, then the earlier one stays."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda m: (-m.trust, m.start - m.end, m.start, m.kind)):
        if all(match.end <= other.start or match.start >= other.end for other in kept):
            kept.append(match)
    return sorted(kept, key=lambda m: m.start)


def replaced(text: str, matches: Iterable[Match]) -> str:
    """The text with every match as it is shown."""
    pieces, at = [], 0
    for match in matches:
        pieces += [text[at : match.start], match.shown]
        at = match.end
    return "".join([*pieces, text[at:]])


@dataclass(frozen=True)
class Held:
    """The rows that hold something, and how often each kind occurs."""

    rows: tuple[Row, ...]
    kinds: Counter[Kind]

    def __str__(self) -> str:
        return ", ".join(f"{kind} {count}" for kind, count in self.kinds.most_common())


def held(examples: Iterable[Example], suspect: Callable[[str], bool], find: Callable[[str], list[Match]]) -> Held:
    """The rows in which `find` sees something; `suspect` is the cheap test that says which texts are worth its while."""
    rows: list[Row] = []
    kinds: Counter[Kind] = Counter()
    # Most rows of a file share the instruction and the system prompt.
    seen: dict[str, bool] = {}
    for example in examples:
        fixed = example.instruction + "\n" + example.system if example.system else example.instruction
        doubtful = seen.get(fixed)
        if doubtful is None:
            if len(seen) > REMEMBERED:
                seen.clear()
            doubtful = seen[fixed] = suspect(fixed)
        if doubtful or suspect(example.input + "\n" + example.output) or (example.history and suspect(_turns(example))):
            found = [(part, match) for part, text in _parts(example) if suspect(text) for match in find(text)]
            if found:
                kinds.update(match.kind for _, match in found)
                rows.append(Row(example.source, note=_note(f"{match.kind} {match.shown} in the {part}" for part, match in found)))
    return Held(tuple(rows), kinds)


def _turns(example: Example) -> str:
    return "\n".join([message.content for message in example.history])


def _parts(example: Example) -> Iterator[tuple[str, str]]:
    yield "instruction", example.instruction
    yield "system prompt", example.system
    for message in example.history:
        yield "history", message.content
    yield "input", example.input
    yield "output", example.output


def _note(notes: Iterable[str]) -> str:
    different = list(dict.fromkeys(notes))
    more = len(different) - NOTED
    return "; ".join([*different[:NOTED], *([f"and {more} more"] if more > 0 else [])])
