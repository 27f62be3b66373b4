"""From entries to scorecards, on any day: `assess` for one actor, `assess_all` for many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from mercwatch.assessment.cells import Cell, Scorecard, State
from mercwatch.assessment.reading import read
from mercwatch.assessment.summaries import summarise
from mercwatch.framework.codebook import Codebook, Indicator, Level, asked_of
from mercwatch.record.dates import parse
from mercwatch.record.kinds import Actor, Adjudication, Coder, Coding, Membership, Reply
from mercwatch.record.ledger import Snapshot

UNION = "EU"


def assess(snapshot: Snapshot, codebook: Codebook, actor: str, as_of: date) -> Scorecard:
    """The scorecard of one actor on one day; KeyError where there is no such actor."""
    return assess_all(snapshot, codebook, as_of, [actor])[actor]


def assess_all(
    snapshot: Snapshot, codebook: Codebook, as_of: date, actors: Iterable[str] | None = None
) -> dict[str, Scorecard]:
    """Scorecards on one day, by actor; of all actors unless some are named."""
    assessor = _Assessor(snapshot, codebook, as_of)
    wanted = [actor.id for actor in snapshot.all(Actor)] if actors is None else list(actors)
    return {actor: assessor.scorecard(snapshot.get(Actor, actor)) for actor in wanted}


def next_step(cell: Cell, indicator: Indicator) -> Level | None:
    """The test that would lift the cell: the lowest level above what it was judged to meet."""
    if cell.state not in (State.LEVEL, State.NOTHING_FOUND):
        return None
    reached = max(cell.level or 0, cell.judged or 0)
    return next((level for level in indicator.levels if level.level > reached), None)


@dataclass
class _Assessor:
    snapshot: Snapshot
    codebook: Codebook
    as_of: date

    def scorecard(self, actor: Actor) -> Scorecard:
        cells = {
            indicator.id: self._cell(actor.id, indicator) for indicator in asked_of(actor.type, self.codebook)
        }
        pending = actor.id in self._awaiting_answer
        return Scorecard(actor.id, self.as_of, cells, summarise(cells, pending))

    def _cell(self, actor: str, indicator: Indicator) -> Cell:
        cell = self._own(actor, indicator)
        if indicator.inheritable and self._is_member(actor):
            union = self._own(UNION, indicator)
            return replace(cell, inherited=union if union.coded else None)
        return cell

    def _own(self, actor: str, indicator: Indicator) -> Cell:
        codings = self._codings[actor, indicator.id]
        current = [coding for coding in codings if coding.meaning == indicator.meaning]
        if not current:
            reason = "awaits coding: the indicator's meaning has changed" if codings else None
            return Cell(actor, indicator.id, self.as_of, State.UNKNOWN, reason=reason)
        adjudication = self._adjudication(actor, indicator)
        if adjudication:
            return self._adjudicated(adjudication, current, indicator)
        return _together([read(coding, indicator, self.snapshot, self.as_of) for coding in current])

    def _adjudicated(self, adjudication: Adjudication, current: list[Coding], indicator: Indicator) -> Cell:
        coding = next(coding for coding in current if coding.id == adjudication.stands)
        cell = read(coding, indicator, self.snapshot, self.as_of)
        person = self.snapshot.get(Coder, adjudication.coder).type == "person"
        return replace(cell, draft=not person, adjudication=adjudication.id)

    def _adjudication(self, actor: str, indicator: Indicator) -> Adjudication | None:
        """The one that settles the cell; none where the coding it settled on was superseded since."""
        found = self._adjudications.get((actor, indicator.id))
        return found if found and self.snapshot.is_live(found.pins[found.stands]) else None

    def _is_member(self, actor: str) -> bool:
        return any(
            parse(m.since).last <= self.as_of and (m.until is None or self.as_of <= parse(m.until).last)
            for m in self._memberships[actor]
        )

    @cached_property
    def _codings(self) -> dict[tuple[str, str], list[Coding]]:
        index: dict[tuple[str, str], list[Coding]] = defaultdict(list)
        for coding in self.snapshot.all(Coding):
            index[coding.actor, coding.indicator].append(coding)
        return index

    @cached_property
    def _adjudications(self) -> dict[tuple[str, str], Adjudication]:
        return {(a.actor, a.indicator): a for a in self.snapshot.all(Adjudication)}

    @cached_property
    def _memberships(self) -> dict[str, list[Membership]]:
        index: dict[str, list[Membership]] = defaultdict(list)
        for membership in self.snapshot.all(Membership):
            index[membership.actor].append(membership)
        return index

    @cached_property
    def _awaiting_answer(self) -> set[str]:
        return {reply.actor for reply in self.snapshot.all(Reply) if reply.state == "pending"}


def _together(cells: list[Cell]) -> Cell:
    """One cell from independent codings: theirs where they agree, contested where they do not."""
    codings = tuple(coding for cell in cells for coding in cell.codings)
    agreed = {(cell.state, cell.level, cell.count) for cell in cells}
    if len(agreed) == 1:
        return replace(cells[0], codings=codings)
    levels = [cell.level or 0 for cell in cells if cell.coded]
    said = ", ".join(f"{c.codings[0]}: {c.state.value if c.level is None else c.level}" for c in cells)
    return replace(
        cells[0],
        state=State.CONTESTED,
        level=min(levels, default=None),
        high=max(levels, default=None),
        stage=None,
        codings=codings,
        reason=f"codings disagree ({said})",
    )
