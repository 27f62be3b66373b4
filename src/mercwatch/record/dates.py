"""Dates as intervals: "2024" is every day of that year."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

_POINT = re.compile(r"^(\d{4})(?:-(\d\d))?(?:-(\d\d))?$")


@dataclass(frozen=True, order=True)
class Interval:
    """The first and the last day that something may have happened on."""

    first: date
    last: date

    @property
    def is_day(self) -> bool:
        """Whether the day is known."""
        return self.first == self.last


def parse(text: str) -> Interval:
    """Read "2024", "2024-03", "2024-03-05", or two of these as "A/B"; ValueError otherwise.

    ".." before the slash stands for an unknown beginning: "../2024-03" is "by March 2024".
    """
    start, slash, end = text.partition("/")
    if not slash:
        return _point(text)
    first = date.min if start == ".." else _point(start).first
    last = _point(end).last
    if last < first:
        raise ValueError(f"{text!r} ends before it begins")
    return Interval(first, last)


def _point(text: str) -> Interval:
    match = _POINT.match(text)
    if not match:
        raise ValueError(f"{text!r} is not a date: write 2024, 2024-03, 2024-03-05 or 2024-01/2024-03")
    year, month, day = (int(part) if part else 0 for part in match.groups())
    try:
        if day:
            return Interval(date(year, month, day), date(year, month, day))
        if month:
            return Interval(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
        return Interval(date(year, 1, 1), date(year, 12, 31))
    except (ValueError, calendar.IllegalMonthError) as error:
        raise ValueError(f"{text!r} is not a date: {error}") from error


def add_months(day: date, months: int) -> date:
    """The same day that many months later (or earlier), or the month's last where it is shorter."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, min(day.day, calendar.monthrange(years, month + 1)[1]))


def _check(text: str) -> str:
    parse(text)
    return text


def _check_day(text: str) -> str:
    if not parse(text).is_day:
        raise ValueError(f"{text!r} is not a day: write it as 2024-03-05")
    return text


DateText = Annotated[str, Field(max_length=21), AfterValidator(_check)]
DayText = Annotated[str, Field(max_length=21), AfterValidator(_check_day)]
