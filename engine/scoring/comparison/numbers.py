"""Numbers as people and models write them: separators, currency, percent, units, markup and a full stop around the value."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from tuneproof.engine.case.compare import DecimalMark, NumberRule, Percent, Units

LONGEST_NUMBER = 120
"""Characters of a text that is read as a number; a longer one is prose."""

MOST_UNIT_WORDS = 4

DOLLARS = frozenset({"usd", "cad", "aud", "nzd", "sgd", "hkd", "twd", "mxn", "dollar"})
SYMBOLS = {
    "$": DOLLARS,
    "us$": frozenset({"usd"}),
    "a$": frozenset({"aud"}),
    "au$": frozenset({"aud"}),
    "c$": frozenset({"cad"}),
    "ca$": frozenset({"cad"}),
    "nz$": frozenset({"nzd"}),
    "hk$": frozenset({"hkd"}),
    "s$": frozenset({"sgd"}),
    "r$": frozenset({"brl"}),
    "€": frozenset({"eur", "euro"}),
    "£": frozenset({"gbp"}),
    "¥": frozenset({"jpy", "cny", "yen", "yuan"}),
    "₹": frozenset({"inr", "rupee"}),
    "rs": frozenset({"inr", "pkr", "rupee"}),
    "₩": frozenset({"krw", "won"}),
    "₽": frozenset({"rub", "ruble"}),
    "₺": frozenset({"try", "lira"}),
    "₪": frozenset({"ils", "shekel"}),
    "₫": frozenset({"vnd", "dong"}),
    "₴": frozenset({"uah", "hryvnia"}),
    "₦": frozenset({"ngn", "naira"}),
    "₱": frozenset({"php", "peso"}),
    "฿": frozenset({"thb", "baht"}),
    "₿": frozenset({"btc", "bitcoin"}),
    "kr": frozenset({"sek", "nok", "dkk", "isk", "krona", "krone"}),
    "fr": frozenset({"chf", "franc"}),
    "sfr": frozenset({"chf", "franc"}),
    "zł": frozenset({"pln", "zloty"}),
}
"""The currencies that a sign can stand for (ISO 4217 codes and names)."""

NAMES = {
    "dollar": DOLLARS,
    "us dollar": frozenset({"usd", "dollar"}),
    **{name: codes for codes in SYMBOLS.values() for name in codes if len(name) > 3 and name != "dollar"},
}

SCALES = {"thousand": 10**3, "million": 10**6, "mn": 10**6, "billion": 10**9, "bn": 10**9, "trillion": 10**12}
PERCENT = frozenset({"%"})
PERCENT_WORDS = {"%", "percent", "per cent", "pct", "pc"}
NOT_IN_UNITS = {"is", "are", "was", "were", "not", "no", "or", "and", "to", "than", "but", "if", "minus", "plus", "times"}
"""Words that make what follows a number a statement about it, or a second value."""

_SIGNS = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2013\ufe63\uff0d", "-"),
        **dict.fromkeys("\uff0c\u066c", ","),
        **dict.fromkeys("\uff0e\u066b", "."),
        **dict.fromkeys("\u2018\u2019", "'"),
        "\uff0b": "+",
    }
)
_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_TEX = (
    (re.compile(r"\\(?:boxed|text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"\1/\2"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[,;:! ]"), ""),
    (re.compile(r"\\([%$])"), r"\1"),
    (re.compile(r"\\[()\[\]]"), ""),
)
_POWER_OF_TEN = re.compile(r"\s*(?:×|x|\*|·|\\times|\\cdot)\s*10\s*(?:\^|\*\*)\s*\{?([-+]?\d{1,3})\}?")
_NUMBER = re.compile(r"(?:\d(?:[\d.,' ]*\d)?|[.,]\d+)")
_MIXED = re.compile(r"(?:(\d{1,15}) )?(\d{1,15}) ?/ ?(\d{1,15})(?!\d)")
_EXPONENT = re.compile(r"[eE]([-+]?\d{1,3})(?![\w.])")
_PREFIX = re.compile(r"(?:[A-Z]{3}|[^\d\s+\-.,]{1,4}?)\.? ?(?=[-+]?[\d.,])")
_UNIT = re.compile(r"(?:[^\W\d_]|(?<=[^\W\d_])\d|(?<=\^)\d|(?<=\^-)\d|[%‰°/·^\-.' ²³$€£¥₹₩₽₺₪₫₴₦₱฿₿])*")
_WRAPPERS = "*_`\"'\u201c\u201d\u00ab\u00bb "
_ALREADY_CODE = re.compile(r"0\d")


@dataclass(frozen=True)
class Quantity:
    """A number with what it counts; a currency or unit that is not stated is empty, one that is stated has every name it may go by."""

    value: Fraction
    currency: frozenset[str] = frozenset()
    unit: frozenset[str] = frozenset()


def same_number(answer: Quantity, expected: Quantity, rule: NumberRule) -> bool:
    """Whether the answer is within the tolerance of the expected number, in the same currency and unit."""
    if rule.percent is Percent.SHARE:
        answer, expected = _share(answer), _share(expected)
    allowed = max(Fraction(str(rule.tolerance)), Fraction(str(rule.relative)) * abs(expected.value))
    if abs(answer.value - expected.value) > allowed:
        return False
    if rule.units is Units.IGNORE:
        return True
    pairs = ((answer.currency, expected.currency), (answer.unit, expected.unit))
    required = rule.units is Units.REQUIRED
    return all(not wanted or (not given and not required) or bool(given & wanted) for given, wanted in pairs)


def number_of(value: Any, decimal: DecimalMark) -> Quantity | None:
    """A JSON value as a number: a number itself, or a text that is one; None for others."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        # The decimals as they are written, not the binary number nearest to them.
        return Quantity(Fraction(value if isinstance(value, int) else repr(value)))
    return read_number(value, decimal) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def read_number(text: str, decimal: DecimalMark = DecimalMark.AUTO) -> Quantity | None:
    """The number that a whole text states, as in `**$2,007.00**.`; None if it states none, several, or something about one."""
    if len(text) > LONGEST_NUMBER:
        return None
    text = _bare(text)
    negative = False
    if text[:1] in ("-", "+"):
        negative, text = text[0] == "-", text[1:].lstrip()
    currency: frozenset[str] = frozenset()
    if prefix := _PREFIX.match(text):
        found = _currency(prefix[0])
        if found is None:
            return None
        currency, text = found, text[prefix.end() :]
        if text[:1] in ("-", "+"):
            negative, text = negative != (text[0] == "-"), text[1:].lstrip()
    read = _value(text, decimal)
    if read is None:
        return None
    value, rest = read
    counted = _counted(rest.strip(), currency)
    if counted is None:
        return None
    scale, currency, unit = counted
    return Quantity(-value * scale if negative else value * scale, currency, unit)


def is_plainly_a_number(text: str) -> bool:
    """Whether a text is a number and no code: not 007, not 1.2.3, and no range."""
    bare = _bare(text) if len(text) <= LONGEST_NUMBER else ""
    return read_number(text) is not None and not _ALREADY_CODE.match(bare.lstrip("-+")) and "/" not in bare


def _bare(text: str) -> str:
    """A text without markup, full stops and labels around a number, in ASCII digits and signs."""
    for pattern, replacement in _TEX:
        text = pattern.sub(replacement, text)
    digits = "".join(str(unicodedata.digit(c)) if unicodedata.category(c) == "Nd" else _fraction(c) for c in text)
    text = _SPACES.sub(" ", digits.translate(_SIGNS)).strip(_WRAPPERS)
    while text and text[-1] in ".,;:!。 ":
        text = text[:-1].rstrip(_WRAPPERS)
    text = text.lstrip("=: ").strip(_WRAPPERS)
    # Mathematics in a text stands between dollar signs.
    return text[1:-1].strip() if len(text) > 2 and text[0] == text[-1] == "$" else text


def _fraction(character: str) -> str:
    """`½` as ` 1/2`; other characters as they are."""
    written = unicodedata.decomposition(character)
    if not written.startswith("<fraction>"):
        return character
    return " " + "".join(chr(int(code, 16)) for code in written.split()[1:]).replace("\u2044", "/")


def _currency(text: str) -> frozenset[str] | None:
    """What a sign or code before a number stands for; None if it is none."""
    name = text.strip().rstrip(".")
    known = SYMBOLS.get(name.casefold())
    return known or (frozenset({name.casefold()}) if re.fullmatch("[A-Z]{3}", name) else None)


def _value(text: str, decimal: DecimalMark) -> tuple[Fraction, str] | None:
    """The value that a text begins with, and what follows it."""
    if mixed := _MIXED.match(text):
        whole, above, below = (int(part or 0) for part in mixed.groups())
        return (whole + Fraction(above, below), text[mixed.end() :]) if below else None
    found = _NUMBER.match(text)
    value = _plain_value(found[0], decimal) if found else None
    if found is None or value is None:
        return None
    rest = text[found.end() :]
    for power in (_EXPONENT, _POWER_OF_TEN):
        if ten := power.match(rest):
            return value * Fraction(10) ** int(ten[1]), rest[ten.end() :]
    return value, rest


def _plain_value(digits: str, decimal: DecimalMark) -> Fraction | None:
    """The value of digits with separators; None if the separators are at impossible places, as in 1.2.3."""
    groups = {mark for mark in "' " if mark in digits}
    marks = [mark for mark in ".," if mark in digits]
    last = max(marks, key=digits.rfind, default="")
    point = last if last and digits.count(last) == 1 and _begins_decimals(digits, last, len(marks) == 2 or bool(groups), decimal) else ""
    whole, _, decimals = digits.partition(point) if point else (digits, "", "")
    groups |= {mark for mark in marks if mark != point}
    if len(groups) > 1 or not (decimals.isdigit() or not decimals) or (groups and not _is_grouped(whole, *groups)):
        return None
    digits_before = "".join(filter(str.isdigit, whole)) or "0"
    return Fraction(f"{digits_before}.{decimals or '0'}")


def _begins_decimals(digits: str, mark: str, is_clear: bool, decimal: DecimalMark) -> bool:
    """Whether a mark that occurs once begins the decimals, `is_clear` if there is another separator before it."""
    if decimal is not DecimalMark.AUTO:
        return mark == ("." if decimal is DecimalMark.POINT else ",")
    before, _, after = digits.partition(mark)
    return mark == "." or is_clear or len(after) != 3 or before in ("", "0") or len(before) > 3


def _is_grouped(whole: str, mark: str) -> bool:
    """Whether digits come in groups of three, or, as in India, of two before the last three."""
    first, *others = whole.split(mark)
    if not others or not 1 <= len(first) <= 3 or len(others[-1]) != 3:
        return False
    return all(len(part) == 3 for part in others) or (mark == "," and len(first) <= 2 and all(len(part) == 2 for part in others[:-1]))


def _counted(rest: str, currency: frozenset[str]) -> tuple[int, frozenset[str], frozenset[str]] | None:
    """The scale, currency and unit after a number; None if what follows is none of these."""
    scale = 1
    first, _, others = rest.partition(" ")
    if (factor := SCALES.get(first.casefold().removesuffix("s"))) is not None:
        scale, rest = factor, others.strip()
    words = rest.strip(f"{_WRAPPERS}.")
    if not words:
        return scale, currency, frozenset()
    if not _UNIT.fullmatch(words) or len(words.split()) > MOST_UNIT_WORDS or NOT_IN_UNITS & set(words.casefold().split()):
        return None
    if words.casefold() in PERCENT_WORDS:
        return scale, currency, PERCENT
    named = SYMBOLS.get(words.casefold().rstrip(".")) or NAMES.get(words.casefold().removesuffix("s"))
    if named is None and any(words.casefold() in codes for codes in SYMBOLS.values()):
        named = frozenset({words.casefold()})
    if named is not None:
        return (scale, currency & named or named, frozenset()) if not currency or currency & named else None
    return scale, currency, frozenset({_unit(words)})


def _unit(words: str) -> str:
    """A unit as it is compared: in small letters and the singular, but that MW is not mW."""
    small = words.casefold().rstrip(".")
    if len(small) <= 3:
        return words[0] + small[1:] if small[0] in "mp" else small
    return small.removesuffix("s")


def _share(quantity: Quantity) -> Quantity:
    return Quantity(quantity.value / 100, quantity.currency) if quantity.unit == PERCENT else quantity
