"""National numbers of persons, each by its own form and check digits.

A check digit that one run of digits in ten passes proves little, so such a number also needs its usual grouping, or a word near it that
names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tuneproof.engine.audit.pii.checksums import codice_fiscale, cpf, mod_11_10, verhoeff, weighted
from tuneproof.engine.audit.pii.matches import Kind, Match, Trust

NEAR = 40  # characters before a number in which the word that names it may stand

# Not a part of a longer number or word.
_BEFORE, _AFTER = r"(?<!\w)(?<!\d[./-])", r"(?!\w|[./-]\d)"


@dataclass(frozen=True)
class National:
    """A national number: how it is written, what its digits must satisfy, and the words that it needs before it.

    A bare run of digits needs them; grouped digits only where `always_named`.
    """

    kind: Kind
    written: re.Pattern[str]
    valid: Callable[[str], bool]
    trust: Trust = Trust.PROOF
    named: re.Pattern[str] | None = None
    always_named: bool = False


def national_numbers(text: str) -> Iterator[Match]:
    """National numbers of persons in a text."""
    for number in _NATIONAL if _ANY.search(text) else ():
        for match in number.written.finditer(text):
            written = match[0]
            bare = re.sub(r"[ ./-]", "", written).upper()
            grouped = len(bare) < len(written) and not number.always_named
            if number.valid(bare) and (grouped or _is_named(number, text, match.start())):
                yield Match(number.kind, match.start(), match.end(), "…" + bare[-2:], number.trust)


def _is_named(number: National, text: str, start: int) -> bool:
    return number.named is None or number.named.search(text, max(0, start - NEAR), start) is not None


def _form(pattern: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    return re.compile(_BEFORE + "(?:" + pattern + ")" + _AFTER, flags)


def _word(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


def _us_ssn(digits: str) -> bool:
    """No area 000, 666 or 900 to 999, no group 00, no serial 0000 (Social Security Administration, since 2011)."""
    return digits[:3] not in ("000", "666") and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def _uk_nino(code: str) -> bool:
    """Letters and prefixes that are never given out are none (HMRC manual NIM39110)."""
    return code[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _de_tax(digits: str) -> bool:
    """Of the first ten digits exactly one occurs more than once, and then twice or three times (section 139b AO; BZSt)."""
    again = [n for n in (digits[:10].count(d) for d in set(digits[:10])) if n > 1]
    return digits[0] != "0" and len(again) == 1 and again[0] <= 3 and mod_11_10(digits)


def _fr_nir(code: str) -> bool:
    """Key 97 - n mod 97 over the first 13 digits, Corsica's 2A and 2B read as 19 and 18 (INSEE)."""
    number = int(code[:13].replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97 == int(code[13:])


def _es_dni(code: str) -> bool:
    """The letter is the number mod 23 in a fixed list; X, Y and Z of a NIE stand for 0, 1 and 2 (Royal Decree 1553/2005)."""
    number = code[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == code[-1]


def _nl_bsn(digits: str) -> bool:
    """The eleven test with -1 for the last digit (Rijksdienst voor Identiteitsgegevens)."""
    return digits.strip("0") != "" and weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def _pl_pesel(digits: str) -> bool:
    """A date of birth (the century is in the month) and a weighted check digit (Polish act of 24 September 2010)."""
    month, day = int(digits[2:4]) % 20, int(digits[4:6])
    return 1 <= month <= 12 and 1 <= day <= 31 and weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


# What each of them has: seven digits with at most one sign between two, or those of a NINO or a codice fiscale before a letter.
_ANY = re.compile(r"[0-9](?:(?:[ .-]?[0-9]){6}|(?: ?[0-9]){5} ?[A-D]|[0-9L-V]?[A-Z][0-9L-V]{2} ?[A-Z][0-9L-V]{2})", re.IGNORECASE)

# A digit, or the letter that stands for it where two persons would share a code.
_OMOCODE = "[0-9LMNPQRSTUV]"
_NINO = "[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"  # letters that a prefix can have

_NATIONAL = (
    National(Kind.US_SSN, _form(r"\d{3}-\d{2}-\d{4}"), _us_ssn, Trust.FORM),
    National(Kind.US_SSN, _form(r"\d{3} ?\d{2} ?\d{4}"), _us_ssn, Trust.FORM, _word(r"ssn|social security\W{0,2}\w*"), always_named=True),
    National(
        Kind.UK_NINO,
        # In small letters only in one piece: "at 12 12 12 a" is prose.
        _form(rf"{_NINO} ?\d{{2}} ?\d{{2}} ?\d{{2}} ?[A-D]|(?i:{_NINO}\d{{6}}[A-D])"),
        _uk_nino,
        Trust.FORM,
    ),
    National(
        Kind.DE_TAX,
        _form(r"\d{2} \d{3} \d{3} \d{3}|\d{11}"),
        _de_tax,
        named=_word(r"steuer\S*|idnr\.?|tin|tax\s?(?:id\w*|number|no\.?)|identifikationsnummer"),
    ),
    National(Kind.FR_NIR, _form(r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", re.IGNORECASE), _fr_nir),
    National(Kind.ES_DNI, _form(r"(?:\d{8}|[XYZ]-?\d{7})-?[A-HJ-NP-TV-Z]", re.IGNORECASE), _es_dni),
    National(
        Kind.IT_CODE,
        _form(rf"[A-Z]{{6}} ?{_OMOCODE}{{2}}[A-EHLMPRST]{_OMOCODE}{{2}} ?[A-Z]{_OMOCODE}{{3}} ?[A-Z]", re.IGNORECASE),
        codice_fiscale,
    ),
    National(
        Kind.NL_BSN,
        _form(r"\d{9}|\d{4}[ .]\d{2}[ .]\d{3}|\d{3}[ .]\d{3}[ .]\d{3}"),
        _nl_bsn,
        Trust.CONTEXT,
        _word(r"bsn|burgerservicenummer|sofi-?nummer"),
        always_named=True,
    ),
    National(Kind.PL_PESEL, _form(r"\d{11}"), _pl_pesel, named=_word(r"pesel\w*")),
    National(Kind.BR_CPF, _form(r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{11}"), cpf, named=_word(r"cpf")),
    National(Kind.IN_AADHAAR, _form(r"[2-9]\d{3}([ -]?)\d{4}\1\d{4}"), verhoeff, named=_word(r"aadhaa?r|uidai|uid")),
)
