"""Dates and times in ISO 8601 and other common forms, by what they state."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from tuneproof.engine.case.compare import Care, DateOrder, DateRule

LONGEST_DATE = 60
"""Characters of a text that is read as a date; a longer one is prose."""

FIRST_GUESS, SECOND_GUESS = datetime(2000, 1, 1, 1, 1), datetime(2011, 12, 31, 23, 59)
"""What a parser fills in for parts that are not stated: a part that differs between the two was not."""

_NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{2}|\d{4})(?!\d)")
_WITH_YEAR_OR_NAME = re.compile(r"\d{4}|[^\W\d_]{3}")


@dataclass(frozen=True)
class Moment:
    """What a text states of a date; None for what it does not state."""

    year: int | None
    month: int | None
    day: int | None
    time: tuple[int, int, int, int] | None
    """Hour, minute, second and microsecond, in UTC if the text has an offset."""


def same_date(answer: Moment, expected: Moment, rule: DateRule) -> bool:
    """Whether the answer states all that the expected date states, and the same."""
    parts = [(answer.year, expected.year), (answer.month, expected.month), (answer.day, expected.day)]
    if any(wanted is not None and given != wanted for given, wanted in parts):
        return False
    return expected.time is None or rule.time is Care.IGNORE or answer.time == expected.time


@lru_cache(maxsize=4096)
def read_date(text: str, first: DateOrder | None = None) -> Moment | None:
    """The date that a whole text states; None if it states none, or if day and month can be either way round and nothing says which."""
    text = text.strip().strip("*_`\"'").rstrip(".,;").strip()
    if len(text) > LONGEST_DATE:
        return None
    numeric = _NUMERIC.match(text)
    if numeric is None and first is None and not _WITH_YEAR_OR_NAME.search(text):
        return None
    if numeric is not None and first is None and _can_be_either(numeric):
        return None
    # Points stand between day and month where the day is first; the parser would take it so behind a year as well.
    day_first = numeric is not None and (first is DateOrder.DAY or numeric[2] == ".")
    one, other = (_parsed(text, guess, day_first=day_first) for guess in (FIRST_GUESS, SECOND_GUESS))
    if one is None or other is None:
        return None
    if one.tzinfo is not None and one.date() == other.date():
        try:
            one, other = one.astimezone(UTC), other.astimezone(UTC)
        except OverflowError:
            # The first or last day there is, which has no such time in UTC.
            return None
    year, month, day = (getattr(one, part) if getattr(one, part) == getattr(other, part) else None for part in ("year", "month", "day"))
    if sum(part is not None for part in (year, month, day)) < 2:
        return None
    if one.hour != other.hour:
        return Moment(year, month, day, None)
    return Moment(year, month, day, (one.hour, one.minute if one.minute == other.minute else 0, one.second, one.microsecond))


def _can_be_either(numeric: re.Match[str]) -> bool:
    """Whether 03/04/2026 is meant and not 13/04/2026, nor 3.4.2026, nor a date that reads the same both ways."""
    one, mark, other = int(numeric[1]), numeric[2], int(numeric[3])
    return mark != "." and one <= 12 and other <= 12 and one != other


def _parsed(text: str, guess: datetime, *, day_first: bool) -> datetime | None:
    # Most commands compare no dates.
    from dateutil.parser import parse

    try:
        found: datetime = parse(text, default=guess, dayfirst=day_first, yearfirst=False, tzinfos=_zone)
    except (ValueError, OverflowError, TypeError):
        return None
    return found


def _zone(_name: str | None, offset: int | None) -> tzinfo | None:
    """The zone of an offset; a name without one, such as IST, may be several zones and says nothing."""
    return None if offset is None else timezone(timedelta(seconds=offset))
