"""National numbers of persons, by their format and their check digits.

One run of digits in ten passes a check of one digit by chance, so such a number also needs its usual grouping, or a word near it that
names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stdnum.br import cpf
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.us import ssn

from tuneproof.engine.audit.pii.matches import Match, PiiKind, Trust

NEAR = 40
"""Characters before a number in which the word that names it may be."""

# Not a part of a longer number or word.
_BEFORE, _AFTER = r"(?<!\w)(?<!\d[./-])", r"(?!\w|[./-]\d)"


@dataclass(frozen=True)
class NationalNumber:
    """How one kind of national number is recognised."""

    kind: PiiKind
    written: re.Pattern[str]
    valid: Callable[[str], bool]
    """Checks the number in capitals and without separators."""
    trust: Trust = Trust.PROOF
    named: re.Pattern[str] | None = None
    """Words before the number, one of which a number without grouping needs."""
    always_named: bool = False
    """Whether a grouped number needs one of these words too."""


def national_numbers(text: str) -> Iterator[Match]:
    """National numbers of persons in a text."""
    for number in _NATIONAL if _ANY.search(text) else ():
        for match in number.written.finditer(text):
            written = match[0]
            bare = re.sub(r"[ ./-]", "", written).upper()
            grouped = len(bare) < len(written) and not number.always_named
            if number.valid(bare) and (grouped or _is_named(number, text, match.start())):
                yield Match(number.kind, match.start(), match.end(), "…" + bare[-2:], number.trust)


def _is_named(number: NationalNumber, text: str, start: int) -> bool:
    return number.named is None or number.named.search(text, max(0, start - NEAR), start) is not None


def _form(pattern: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    return re.compile(_BEFORE + "(?:" + pattern + ")" + _AFTER, flags)


def _word(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


def _uk_nino(code: str) -> bool:
    """Whether the prefix of a NINO is one that is given out (HMRC manual NIM39110). python-stdnum has no NINO."""
    return code[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _es_dni(code: str) -> bool:
    """Whether a DNI, or the NIE of a foreigner, has its check letter."""
    return nie.is_valid(code) if code[0] in "XYZ" else dni.is_valid(code)


# What all of them have: seven digits with at most one sign between two, or the digits of a NINO or a codice fiscale before a letter.
_ANY = re.compile(r"[0-9](?:(?:[ .-]?[0-9]){6}|(?: ?[0-9]){5} ?[A-D]|[0-9L-V]?[A-Z][0-9L-V]{2} ?[A-Z][0-9L-V]{2})", re.IGNORECASE)

# A digit, or the letter that replaces it if two persons would have the same code.
_OMOCODE = "[0-9LMNPQRSTUV]"
_NINO = "[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"  # letters that a prefix can have

_NATIONAL = (
    NationalNumber(PiiKind.US_SSN, _form(r"\d{3}-\d{2}-\d{4}"), ssn.is_valid, Trust.FORM),
    NationalNumber(
        PiiKind.US_SSN,
        _form(r"\d{3} ?\d{2} ?\d{4}"),
        ssn.is_valid,
        Trust.FORM,
        _word(r"ssn|social security\W{0,2}\w*"),
        always_named=True,
    ),
    NationalNumber(
        PiiKind.UK_NINO,
        # In small letters only in one piece: "at 12 12 12 a" is prose.
        _form(rf"{_NINO} ?\d{{2}} ?\d{{2}} ?\d{{2}} ?[A-D]|(?i:{_NINO}\d{{6}}[A-D])"),
        _uk_nino,
        Trust.FORM,
    ),
    NationalNumber(
        PiiKind.DE_TAX,
        _form(r"\d{2} \d{3} \d{3} \d{3}|\d{11}"),
        idnr.is_valid,
        named=_word(r"steuer\S*|idnr\.?|tin|tax\s?(?:id\w*|number|no\.?)|identifikationsnummer"),
    ),
    NationalNumber(
        PiiKind.FR_NIR,
        _form(r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", re.IGNORECASE),
        nir.is_valid,
    ),
    NationalNumber(PiiKind.ES_DNI, _form(r"(?:\d{8}|[XYZ]-?\d{7})-?[A-HJ-NP-TV-Z]", re.IGNORECASE), _es_dni),
    NationalNumber(
        PiiKind.IT_CODE,
        _form(rf"[A-Z]{{6}} ?{_OMOCODE}{{2}}[A-EHLMPRST]{_OMOCODE}{{2}} ?[A-Z]{_OMOCODE}{{3}} ?[A-Z]", re.IGNORECASE),
        codicefiscale.is_valid,
    ),
    NationalNumber(
        PiiKind.NL_BSN,
        _form(r"\d{9}|\d{4}[ .]\d{2}[ .]\d{3}|\d{3}[ .]\d{3}[ .]\d{3}"),
        bsn.is_valid,
        Trust.CONTEXT,
        _word(r"bsn|burgerservicenummer|sofi-?nummer"),
        always_named=True,
    ),
    NationalNumber(PiiKind.PL_PESEL, _form(r"\d{11}"), pesel.is_valid, named=_word(r"pesel\w*")),
    NationalNumber(PiiKind.BR_CPF, _form(r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{11}"), cpf.is_valid, named=_word(r"cpf")),
    NationalNumber(PiiKind.IN_AADHAAR, _form(r"[2-9]\d{3}([ -]?)\d{4}\1\d{4}"), aadhaar.is_valid, named=_word(r"aadhaa?r|uidai|uid")),
)
