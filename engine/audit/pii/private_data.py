"""Private data of persons inside examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from ipaddress import IPv6Address

from tuneproof.engine.audit.pii.checksums import luhn, mod_97
from tuneproof.engine.audit.pii.matches import Kind, Match, Trust, held, settled
from tuneproof.engine.audit.pii.national_numbers import national_numbers
from tuneproof.engine.audit.pii.phones import phones
from tuneproof.engine.audit.registry import Finding, Severity, check, several
from tuneproof.engine.audit.table import Table

# What every number below has: seven digits close together, or the dots of an address, or the digits and letters of a code.
_NUMBER = re.compile(
    r"[0-9](?=[ .()/-]{0,2}[0-9])(?:(?:[ .()/-]{0,2}[0-9]){6}|[0-9]{0,2}(?:\.[0-9]{1,3}){3}|[0-9] ?[0-9]{2} ?[0-9]{2} ?[A-Da-d]"
    r"|[0-9LMNPQRSTUV]?[A-Za-z][0-9LMNPQRSTUV]{2} ?[A-Za-z][0-9LMNPQRSTUV]{3})"
)

_EMAIL = re.compile(r"(?<![\w.%+-])([\w%+-]+(?:\.[\w%+-]+)*)@((?:[^\W_](?:[\w-]*[^\W_])?\.)+([^\W\d_]{2,24}))(?![\w@-])")
_FILE = frozenset("png jpg jpeg gif svg webp".split())  # icon@2x.png
_URL_USER = re.compile(r"://[^\s/?#]*$")

_CARD = re.compile(
    r"(?<![\w-])(?<!\d[., ])(?:"
    r"[0-9]{12,19}|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?|3[0-9]{3}([ -])[0-9]{6}\2[0-9]{4,5}"
    r")(?![\w]|[-.,][0-9])"
)
# First digits that issuers were given, and how long their numbers are (ISO/IEC 7812 register, as the networks publish their ranges).
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

# Lengths of a country's IBAN (ISO 13616, the IBAN registry).
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FK FI FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}
_IBAN_START = re.compile(r"[A-Za-z](?<![^\W_].)[A-Za-z][0-9]{2}")

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_IPV4 = re.compile(rf"(?<![\w.-])(?:{_OCTET}\.){{3}}{_OCTET}(?![\w-]|\.\d)")
_VERSION = re.compile(
    r"(?:\b(?:v|ver|versions?|release|build|firmware|section|chapter)[.:]?(?:\s(?:of|is|no\.?|number))?\s*|§\s*|[A-Za-z]/)$", re.IGNORECASE
)
_VERSION_AFTER = re.compile(r"\s(?:version|release|build|firmware)\b", re.IGNORECASE)
_NOBODY = re.compile(r"0\.|127\.|255\.|22[4-9]\.|23[0-9]\.")  # this host, loopback, masks, multicast (RFC 6890)
_GROUPS = re.compile(r":[0-9A-Fa-f]{1,4}:")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){1,7}(?::|(?::?[0-9A-Fa-f]{1,4})(?::[0-9A-Fa-f]{1,4}){0,6})(?![\w:])")


@check("private-data", severity=Severity.WARN)
def private_data(table: Table) -> Iterator[Finding]:
    """E-mail addresses, phone, card and account numbers, IP addresses and national numbers of persons: a model can repeat them to anyone.

    Card, account and most national numbers are held against their check digits. Shown masked, here and on the card.
    """
    found = held([*table.examples, *table.eval], may_hold_private_data, find_private_data)
    if found.rows:
        count = len(found.rows)
        yield Finding(
            f"{count} {several(count, 'row holds', 'rows hold')} private data: {found}",
            "put stand-ins in their place, such as [EMAIL]; or leave these rows out",
            found.rows,
        )


def may_hold_private_data(text: str) -> bool:
    """Whether a text is worth a closer look: false for nearly every clean text, and never false for one that holds something."""
    return "@" in text or _NUMBER.search(text) is not None or "::" in text or (text.count(":") >= 7 and _GROUPS.search(text) is not None)


def find_private_data(text: str) -> list[Match]:
    """The private data of a text, masked, in the order of the text."""
    found = list(_emails(text)) if "@" in text else []
    if ":" in text:
        found += _ipv6(text)
    if _NUMBER.search(text):
        for finder in (_cards, _ibans, _ipv4, phones, national_numbers):
            found += finder(text)
    return settled(found)


def _emails(text: str) -> Iterator[Match]:
    """Addresses as they are used (RFC 5321 without quoted parts, and with letters of all languages)."""
    for match in _EMAIL.finditer(text):
        user, domain, top = match.groups()
        # The user of a repository address and of a URL is none of a mailbox.
        if top.lower() in _FILE or user == "git" or _URL_USER.search(text, max(0, match.start() - 200), match.start()):
            continue
        first = user[0] if len(user) > 2 else ""
        yield Match(Kind.EMAIL, match.start(), match.end(), f"{first}…@{domain[0]}….{top}")


def _cards(text: str) -> Iterator[Match]:
    """Card numbers, by issuer, length and check digit."""
    for match in _CARD.finditer(text):
        end = match.end()
        for written in (match[0], match[0][:19]):
            digits = re.sub(r"[ -]", "", written)
            if _issued(digits) and luhn(digits):
                yield Match(Kind.CARD, match.start(), match.start() + len(written), "…" + digits[-4:], Trust.PROOF)
                break
            if match[1] is None or end - match.start() <= 19:
                break


def _issued(digits: str) -> bool:
    return any(low <= digits[: len(low)] <= high and len(digits) in lengths for low, high, lengths in _ISSUERS) and len(set(digits)) > 1


def _ibans(text: str) -> Iterator[Match]:
    """Account numbers of the countries that have an IBAN, by length and check digits."""
    for start in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(start[0][:2].upper())
        match = _iban_of(length).match(text, start.start()) if length else None
        if match and mod_97(re.sub(r"[ -]", "", match[0]).upper()):
            yield Match(Kind.IBAN, match.start(), match.end(), f"{match[0][:2].upper()}…{match[0][-2:]}", Trust.PROOF)


@cache
def _iban_of(length: int) -> re.Pattern[str]:
    return re.compile(rf"[A-Za-z]{{2}}[0-9]{{2}}(?:[ -]?[A-Za-z0-9]){{{length - 4}}}(?![^\W_])")


def _ipv4(text: str) -> Iterator[Match]:
    """IPv4 addresses that can be somebody's; four digits with dots, or numbers beside a word such as "version", are none."""
    for match in _IPV4.finditer(text):
        start, end = match.span()
        version = end - start == 7 or _VERSION.search(text, max(0, start - 24), start) or _VERSION_AFTER.match(text, end)
        if not version and not _NOBODY.match(match[0]):
            yield Match(Kind.IP, match.start(), match.end(), match[0].split(".")[0] + ".…")


def _ipv6(text: str) -> Iterator[Match]:
    """IPv6 addresses: eight groups, or a shortened one whose first group is whole; `a::b` is a name in some programming languages."""
    for match in _IPV6.finditer(text):
        first = match[0].split(":")[0]
        whole = "::" not in match[0] or (len(first) == 4 and any(c.isdigit() for c in first))
        if whole and _is_ipv6(match[0]):
            yield Match(Kind.IP, match.start(), match.end(), first + ":…")


def _is_ipv6(written: str) -> bool:
    try:
        return not IPv6Address(written).is_multicast
    except ValueError:
        return False
