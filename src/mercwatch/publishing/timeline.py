"""A line of years with the deeds above and the findings below it: plain numbers for an SVG."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from mercwatch.record.dates import Interval, parse
from mercwatch.record.kinds import Action, Finding

WIDTH, LEFT, RIGHT = 720, 16, 16
MIN_YEARS = 6


def timeline(actions: Iterable[Action], findings: Iterable[Finding]) -> dict[str, Any] | None:
    """Positions in units of a 720 wide view box; None where there is nothing dated."""
    deeds = [(parse(s.date), s.stage) for a in actions for s in a.stages]
    found = [parse(f.found) for f in findings]
    days = [_middle(when) for when, _ in deeds] + [_middle(when) for when in found]
    if not days:
        return None
    first = min(day.year for day in days)
    last = max(max(day.year for day in days) + 1, first + MIN_YEARS)

    def x(day: date) -> float:
        years = day.year + (day.timetuple().tm_yday - 1) / 366 - first
        return round(LEFT + years / (last - first) * (WIDTH - LEFT - RIGHT), 1)

    step = max(1, -(-(last - first) // 10))
    return {
        "width": WIDTH,
        "years": [{"year": y, "x": x(date(y, 1, 1))} for y in range(first, last + 1, step)],
        "deeds": [{"x": x(_middle(when)), "stage": stage.replace("_", "-")} for when, stage in deeds],
        "findings": [{"x": x(_middle(when))} for when in found],
    }


def _middle(when: Interval) -> date:
    if when.first.year < 1900:  # "by 2024": only the end is known
        return when.last
    return when.first + (when.last - when.first) / 2
