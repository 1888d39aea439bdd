"""Private data of persons in a text: e-mail addresses, card and account numbers, IP addresses, phone and national numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from stdnum import iban, luhn, numdb

from tuneproof.engine.audit.pii.matches import Match, PiiKind, Trust, without_overlaps
from tuneproof.engine.audit.pii.national_numbers import national_numbers
from tuneproof.engine.audit.pii.phones import phones

# What all numbers below have: seven digits close together, or the dots of an address, or the digits and letters of a code.
_NUMBER = re.compile(
    r"[0-9](?=[ .()/-]{0,2}[0-9])(?:(?:[ .()/-]{0,2}[0-9]){6}|[0-9]{0,2}(?:\.[0-9]{1,3}){3}|[0-9] ?[0-9]{2} ?[0-9]{2} ?[A-Da-d]"
    r"|[0-9LMNPQRSTUV]?[A-Za-z][0-9LMNPQRSTUV]{2} ?[A-Za-z][0-9LMNPQRSTUV]{3})"
)

_EMAIL = re.compile(r"(?<![\w.%+-])([\w%+-]+(?:\.[\w%+-]+)*)@((?:[^\W_](?:[\w-]*[^\W_])?\.)+([^\W\d_]{2,24}))(?![\w@-])")
_FILE = frozenset("png jpg jpeg gif svg webp".split())  # icon@2x.png
_RESERVED = re.compile(r"(?:^|\.)(?:example\.(?:com|net|org|edu)|example|test|invalid|localhost)$", re.IGNORECASE)  # RFC 2606, RFC 6761
_URL_USER = re.compile(r"://[^\s/?#]*$")

_CARD = re.compile(
    r"(?<![\w-])(?<!\d[., ])(?:"
    r"[0-9]{12,19}|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?|3[0-9]{3}([ -])[0-9]{6}\2[0-9]{4,5}"
    r")(?![\w]|[-.,][0-9])"
)
# Ranges of first digits of the issuers, and the lengths of their numbers (ISO/IEC 7812 register, as the networks publish their ranges).
_ISSUERS = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14, 16, 19)),  # Diners Club
    ("309", "309", (14, 16, 19)),
    ("36", "36", (14, 16, 19)),
    ("38", "39", (14, 16, 19)),
    ("6011", "6011", (16, 19)),  # Discover
    ("644", "659", (16, 19)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("35", "35", (16, 17, 18, 19)),  # JCB has 3528 to 3589; generators of test numbers take all of 35
    ("1800", "1800", (15,)),
    ("2131", "2131", (15,)),
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
    ("9792", "9792", (16,)),  # Troy
    ("60", "60", (16,)),  # RuPay
    ("81", "82", (16,)),
    ("50", "50", tuple(range(12, 20))),  # Maestro
    ("56", "58", tuple(range(12, 20))),
    ("6304", "6304", tuple(range(12, 20))),
    ("6390", "6390", tuple(range(12, 20))),
    ("67", "67", tuple(range(12, 20))),
    ("0604", "0604", tuple(range(12, 20))),
)

_IBAN_START = re.compile(r"[A-Za-z](?<![^\W_].)[A-Za-z][0-9]{2}")

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_IPV4 = re.compile(rf"(?<![\w.-])(?:{_OCTET}\.){{3}}{_OCTET}(?![\w-]|\.\d)")
_VERSION = re.compile(
    r"(?:\b(?:v|ver|versions?|release|build|firmware|section|chapter)[.:]?(?:\s(?:of|is|no\.?|number))?\s*|§\s*|[A-Za-z]/)$", re.IGNORECASE
)
_VERSION_AFTER = re.compile(r"\s(?:version|release|build|firmware)\b", re.IGNORECASE)
_GROUPS = re.compile(r":[0-9A-Fa-f]{1,4}:")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){1,7}(?::|(?::?[0-9A-Fa-f]{1,4})(?::[0-9A-Fa-f]{1,4}){0,6})(?![\w:])")


def may_have_private_data(text: str) -> bool:
    """A cheap test: false for nearly every clean text, and never false for a text with private data."""
    return "@" in text or _NUMBER.search(text) is not None or "::" in text or (text.count(":") >= 7 and _GROUPS.search(text) is not None)


def find_private_data(text: str) -> list[Match]:
    """The private data of a text, masked, in the order of the text."""
    found = list(_emails(text)) if "@" in text else []
    if ":" in text:
        found += _ipv6(text)
    if _NUMBER.search(text):
        for finder in (_cards, _ibans, _ipv4, phones, national_numbers):
            found += finder(text)
    return without_overlaps(found)


def _emails(text: str) -> Iterator[Match]:
    """E-mail addresses (RFC 5321 without quoted parts, and with letters of all languages)."""
    for match in _EMAIL.finditer(text):
        user, domain, top = match.groups()
        # The user of a repository address or of a URL is not a mailbox, and nobody has one in a domain reserved for documentation.
        if (
            top.lower() in _FILE
            or user == "git"
            or _RESERVED.search(domain)
            or _URL_USER.search(text, max(0, match.start() - 200), match.start())
        ):
            continue
        first = user[0] if len(user) > 2 else ""
        yield Match(PiiKind.EMAIL, match.start(), match.end(), f"{first}…@{domain[0]}….{top}")


def _cards(text: str) -> Iterator[Match]:
    """Card numbers, by issuer, length and check digit."""
    for match in _CARD.finditer(text):
        end = match.end()
        for written in (match[0], match[0][:19]):
            digits = re.sub(r"[ -]", "", written)
            if _issued(digits) and luhn.is_valid(digits):
                yield Match(PiiKind.CARD, match.start(), match.start() + len(written), "…" + digits[-4:], Trust.PROOF)
                break
            if match[1] is None or end - match.start() <= 19:
                break


def _issued(digits: str) -> bool:
    return any(low <= digits[: len(low)] <= high and len(digits) in lengths for low, high, lengths in _ISSUERS) and len(set(digits)) > 1


def _ibans(text: str) -> Iterator[Match]:
    """Account numbers of the countries that have an IBAN, by structure and check digits (ISO 13616)."""
    for start in _IBAN_START.finditer(text):
        length = _iban_length(start[0][:2].upper())
        match = _iban_of(length).match(text, start.start()) if length else None
        if match and iban.is_valid(match[0], check_country=False):
            yield Match(PiiKind.IBAN, match.start(), match.end(), f"{match[0][:2].upper()}…{match[0][-2:]}", Trust.PROOF)


@cache
def _iban_length(country: str) -> int:
    """The length of the IBANs of a country, 0 if it has none: four characters, and the fields of a structure such as 4!a6!n8!n."""
    ((_, properties), *_) = numdb.get("iban").info(country)
    fields = re.findall(r"(\d+)!", properties.get("bban", ""))
    return 4 + sum(map(int, fields)) if fields else 0


@cache
def _iban_of(length: int) -> re.Pattern[str]:
    return re.compile(rf"[A-Za-z]{{2}}[0-9]{{2}}(?:[ -]?[A-Za-z0-9]){{{length - 4}}}(?![^\W_])")


def _ipv4(text: str) -> Iterator[Match]:
    """Public IPv4 addresses, without four single digits with dots and numbers next to a word such as "version".

    Private networks, this host and the addresses reserved for documentation (RFC 1918, RFC 5737, RFC 6890) name nobody.
    """
    for match in _IPV4.finditer(text):
        start, end = match.span()
        version = end - start == 7 or _VERSION.search(text, max(0, start - 24), start) or _VERSION_AFTER.match(text, end)
        if not version and _is_public(match[0]):
            yield Match(PiiKind.IP, match.start(), match.end(), match[0].split(".")[0] + ".…")


def _is_public(written: str) -> bool:
    try:
        address = IPv4Address(written)
    except AddressValueError:
        return False
    return address.is_global and not address.is_multicast


def _ipv6(text: str) -> Iterator[Match]:
    """IPv6 addresses: eight groups, or a shortened one with a full first group; `a::b` is a name in some programming languages."""
    for match in _IPV6.finditer(text):
        first = match[0].split(":")[0]
        whole = "::" not in match[0] or (len(first) == 4 and any(c.isdigit() for c in first))
        if whole and _is_ipv6(match[0]):
            yield Match(PiiKind.IP, match.start(), match.end(), first + ":…")


def _is_ipv6(written: str) -> bool:
    try:
        address = IPv6Address(written)
        return address.is_global and not address.is_multicast
    except ValueError:
        return False
