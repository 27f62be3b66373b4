"""Whether a test holds on a day, when its dates may be intervals and its evidence ages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from mercwatch.assessment.cells import Holds
from mercwatch.record.dates import Interval, add_months, parse
from mercwatch.record.kinds import Action, Body, TestJudged

_ORDER = (Holds.NO, Holds.DAY_UNKNOWN, Holds.YES)


def stages(evidence: Iterable[Body], stage: str) -> list[Interval]:
    """The dates on which the evidence reached a stage."""
    return [
        parse(step.date)
        for body in evidence
        if isinstance(body, Action)
        for step in body.stages
        if step.stage == stage
    ]


def ends(test: TestJudged, evidence: Sequence[Body]) -> list[Interval]:
    """When a test stops being met: as the coder says, and when evidence that it needs ended."""
    return ([parse(test.until)] if test.until else []) + stages(evidence, "ended")


def holds(test: TestJudged, evidence: Sequence[Body], day: date, window: int | None) -> Holds:
    """Whether a met test holds on a day; `window` in months where its level ages, else None."""
    verdicts = [_begun(parse(test.since or ""), day)]
    verdicts += [_not_ended(end, day) for end in ends(test, evidence)]
    if window is not None:
        applied = [_in_window(deed, day, window) for deed in stages(evidence, "applied")]
        verdicts.append(max(applied, key=_ORDER.index, default=Holds.NO))
    return min(verdicts, key=_ORDER.index)


def falls_on(test: TestJudged, evidence: Sequence[Body], day: date, window: int | None) -> date | None:
    """The first day after `day` on which a test that holds then no longer surely does; None: no such day."""
    days = [end.first for end in ends(test, evidence)]
    if window is not None:
        applied = [deed.first for deed in stages(evidence, "applied") if deed.last <= day]
        days += [max(add_months(first, window) for first in applied)] if applied else []
    return min((d for d in days if d > day), default=None)


def _begun(since: Interval, day: date) -> Holds:
    if day >= since.last:
        return Holds.YES
    return Holds.NO if day < since.first else Holds.DAY_UNKNOWN


def _not_ended(end: Interval, day: date) -> Holds:
    if day < end.first:
        return Holds.YES
    return Holds.NO if day >= end.last else Holds.DAY_UNKNOWN


def _in_window(deed: Interval, day: date, months: int) -> Holds:
    if deed.last <= day < add_months(deed.first, months):
        return Holds.YES
    possible = deed.first <= day < add_months(deed.last, months)
    return Holds.DAY_UNKNOWN if possible else Holds.NO
