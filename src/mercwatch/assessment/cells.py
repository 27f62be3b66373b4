"""What an assessment says: cells, the tests behind them, and scorecards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mercwatch.framework.codebook import Stage


class State(StrEnum):
    """What is known of a cell. Only LEVEL and NOTHING_FOUND enter sums."""

    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"
    NOTHING_FOUND = "searched, nothing found"
    LEVEL = "level"
    COUNT = "count"
    CONTESTED = "contested"
    UNDER_REVIEW = "under review"


class Confidence(StrEnum):
    """How good the weakest needed evidence is; follows from the source alone, never from an opinion."""

    A = "A"  # the authority's own text, the provision read
    B = "B"  # an official summary, read
    C = "C"  # secondary, or only an excerpt read: caps a level at 1
    D = "D"  # press alone, or not read: context and findings only, no level


class Holds(StrEnum):
    """Whether a test holds on the day asked for."""

    YES = "yes"
    NO = "no"
    DAY_UNKNOWN = "day unknown"  # the dates do not tell whether it already, or still, holds


@dataclass(frozen=True)
class Evidence:
    """One action, endorsement or search log that a test rests on, as pinned by the coding."""

    id: str
    entry: str
    sources: tuple[str, ...]
    confidence: Confidence


@dataclass(frozen=True)
class Test:
    """A level's test as one coding judged it, on one day."""

    __test__ = False

    level: int
    stage: Stage
    met: bool
    holds: Holds
    supports: int  # the level that it can carry after the cap by its sources; 0 for none
    since: str | None
    until: date | None  # the first day on which it no longer holds
    evidence: tuple[Evidence, ...]
    confidence: Confidence | None


@dataclass(frozen=True)
class Cell:
    """One indicator for one actor on one day."""

    actor: str
    indicator: str
    as_of: date
    state: State
    level: int | None = None  # 1 and up, 0 for NOTHING_FOUND
    high: int | None = None  # CONTESTED: the range runs from level to high
    stage: Stage | None = None  # what that level shows
    judged: int | None = None  # the level as judged, where the sources cap it lower
    count: int | None = None
    since: str | None = None
    until: date | None = None  # with no new deeds the level falls on that day
    coming: tuple[int, str] | None = None  # (level, date): may already hold, day unknown
    draft: bool = False  # no person has reviewed it
    confidence: Confidence | None = None
    capabilities: tuple[str, ...] = ()
    reach: tuple[str, ...] = ()
    origin: tuple[str, ...] = ()
    tests: tuple[Test, ...] = ()
    codings: tuple[str, ...] = ()  # ids of the codings it rests on
    adjudication: str | None = None
    reason: str | None = None  # why not applicable, under review or without a level
    inherited: Cell | None = None  # the EU's level, shown beside, never summed

    @property
    def coded(self) -> bool:
        """Whether it counts as coded for coverage."""
        return self.state in (State.LEVEL, State.NOTHING_FOUND, State.COUNT)


@dataclass(frozen=True)
class Summary:
    """One recommendation for one actor: how many indicators reach each stage, and how much is coded."""

    recommendation: str
    applicable: int
    coded: int
    committed: int
    in_force: int
    applied: int
    drafts: int
    band: str | None  # none, emerging, in force, applied; None where a band is not due
    band_reason: str | None  # why there is no band

    @property
    def coverage(self) -> float:
        """Share of applicable indicators that are coded, 0 to 1."""
        return self.coded / self.applicable if self.applicable else 0.0


@dataclass(frozen=True)
class Scorecard:
    """All cells of one actor on one day."""

    actor: str
    as_of: date
    cells: dict[str, Cell]
    summaries: dict[str, Summary]
