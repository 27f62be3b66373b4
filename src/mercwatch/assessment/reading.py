"""What one coding says on one day: its tests judged against dates and sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from mercwatch.assessment.cells import Cell, Evidence, Holds, State, Test
from mercwatch.assessment.confidence import capped, of_sources, weakest
from mercwatch.assessment.holding import falls_on, holds
from mercwatch.framework.codebook import Indicator
from mercwatch.record.dates import parse
from mercwatch.record.kinds import Action, Body, Coding, Endorsement, SearchLog, TestJudged
from mercwatch.record.ledger import Snapshot
from mercwatch.record.rules import begun, search_log_ends


def read(coding: Coding, indicator: Indicator, snapshot: Snapshot, day: date) -> Cell:
    """The cell that this coding alone would give; always a draft until it is adjudicated."""
    blank = Cell(
        coding.actor,
        indicator.id,
        day,
        State.UNKNOWN,
        draft=True,
        codings=(coding.id,),
        reason=coding.rationale,
    )
    lost = unsettled(coding, snapshot)
    if lost:
        return replace(
            blank, state=State.UNDER_REVIEW, reason=f"rests on a corrected fact: {', '.join(lost)}"
        )
    if coding.answer == "not-applicable":
        return replace(blank, state=State.NOT_APPLICABLE, reason=coding.reason)
    reader = _Reader(coding, indicator, snapshot, blank)
    if coding.answer == "zero":
        return reader.zero()
    if coding.count is not None:
        return reader.count()
    return reader.levels()


def unsettled(coding: Coding, snapshot: Snapshot) -> list[str]:
    """Ids of pinned evidence that was superseded or withheld since."""
    return [thing for thing in coding.evidence if not snapshot.is_live(coding.pins.get(thing, ""))]


@dataclass(frozen=True)
class _Reader:
    coding: Coding
    indicator: Indicator
    snapshot: Snapshot
    blank: Cell

    @cached_property
    def cited(self) -> dict[str, Body]:
        """The evidence as pinned."""
        pins = self.coding.pins
        return {thing: self.snapshot.entries[pins[thing]].body for thing in self.coding.evidence}

    def zero(self) -> Cell:
        log = self.cited[self.coding.search_log or ""]
        if not isinstance(log, SearchLog):
            return self.blank
        searched, ends = parse(log.searched_on).last, search_log_ends(log)
        if not searched <= self.blank.as_of < ends:
            return replace(self.blank, reason=f"the search of {log.searched_on} holds until {ends}")
        return replace(
            self.blank, state=State.NOTHING_FOUND, level=0, since=log.searched_on, until=ends, reason=None
        )

    def count(self) -> Cell:
        days = [begun(body) for body in self.cited.values()]
        if any(day is not None and day > self.blank.as_of for day in days):
            return replace(self.blank, reason="some of what was counted had not begun")
        return replace(self.blank, state=State.COUNT, count=self.coding.count, reason=None)

    def levels(self) -> Cell:
        tests = tuple(self._test(test) for test in sorted(self.coding.tests, key=lambda test: test.level))
        holding = [test for test in tests if test.holds is Holds.YES]
        level = max((test.supports for test in holding), default=0)
        maybe = [test for test in tests if test.holds is Holds.DAY_UNKNOWN and test.supports > level]
        coming = max(maybe, key=lambda test: test.supports, default=None)
        found = replace(
            self.blank,
            tests=tests,
            coming=(coming.supports, coming.since or "") if coming else None,
            judged=max((test.level for test in holding), default=None),
        )
        if not level:
            return replace(found, reason=_why_no_level(tests))
        return self._at_level(found, level, [test for test in holding if test.supports == level])

    def _at_level(self, cell: Cell, level: int, carrying: Sequence[Test]) -> Cell:
        shown = carrying[-1]
        bodies = [self.cited[evidence.id] for evidence in shown.evidence]
        falls = [test.until for test in carrying]
        return replace(
            cell,
            state=State.LEVEL,
            level=level,
            stage=self.indicator.level(level).stage,
            since=min((test.since or "" for test in carrying), key=lambda text: parse(text).last),
            until=None if None in falls else max(day for day in falls if day),
            confidence=shown.confidence,
            capabilities=_union(bodies, "capabilities"),
            reach=_union(bodies, "reach"),
            origin=tuple(sorted({b.origin for b in bodies if isinstance(b, Action) and b.origin})),
            reason=None,
        )

    def _test(self, test: TestJudged) -> Test:
        level = self.indicator.level(test.level)
        if not test.met:
            return Test(level.level, level.stage, False, Holds.NO, 0, None, None, (), None)
        bodies = [self.cited[thing] for thing in test.by]
        window = self.indicator.window_months if level.windowed else None
        evidence = tuple(self._evidence(body) for body in bodies)
        grade = weakest(item.confidence for item in evidence)
        return Test(
            level=level.level,
            stage=level.stage,
            met=True,
            holds=holds(test, bodies, self.blank.as_of, window),
            supports=capped(level.level, grade),
            since=test.since,
            until=falls_on(test, bodies, self.blank.as_of, window),
            evidence=evidence,
            confidence=grade,
        )

    def _evidence(self, body: Body) -> Evidence:
        sources = self.snapshot.sources_of(body)
        return Evidence(body.id, self.coding.pins[body.id], tuple(s.id for s in sources), of_sources(sources))


def _union(bodies: Sequence[Body], name: str) -> tuple[str, ...]:
    found = {str(v) for b in bodies if isinstance(b, Action | Endorsement) for v in getattr(b, name, ())}
    return tuple(sorted(found))


def _why_no_level(tests: Sequence[Test]) -> str:
    holding = [test for test in tests if test.holds is Holds.YES]
    if holding:
        return "the evidence rests on press alone or on sources nobody has read, which carry no level"
    if any(test.holds is Holds.DAY_UNKNOWN for test in tests):
        return "the dates do not tell whether a test holds on this day"
    if any(test.met for test in tests):
        return "no test that was judged met holds on this day"
    return "no test was judged met, and no complete search has been logged"
