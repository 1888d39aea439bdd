"""Private data and secrets in a text: their kinds, where they are, and the text with them masked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class PiiKind(StrEnum):
    """A kind of private data or secret; the value is how a reader sees it."""

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
    """How certain a match is; of two that overlap, the more certain one stays."""

    CONTEXT = 0  # by the words around it alone
    FORM = 1  # by the way in which it is written
    PROOF = 2  # by a checksum, or by a prefix that the provider documents


@dataclass(frozen=True, slots=True)
class Match:
    """Where private data or a secret is in a text, and how it is shown; never the data itself."""

    kind: PiiKind
    start: int
    end: int
    shown: str
    trust: Trust = Trust.FORM


def without_overlaps(matches: Iterable[Match]) -> list[Match]:
    """Matches that do not overlap, in the order of the text: the more certain, then the longer, then the earlier one stays."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda m: (-m.trust, m.start - m.end, m.start, m.kind)):
        if all(match.end <= other.start or match.start >= other.end for other in kept):
            kept.append(match)
    return sorted(kept, key=lambda m: m.start)


def mask_matches(text: str, matches: Iterable[Match]) -> str:
    """The text with every match replaced by how it is shown."""
    pieces, at = [], 0
    for match in matches:
        pieces += [text[at : match.start], match.shown]
        at = match.end
    return "".join([*pieces, text[at:]])
