"""Confidence follows from what a source is and how far it was read, weakest link, never from an opinion."""

from __future__ import annotations

from collections.abc import Iterable

from mercwatch.assessment.cells import Confidence
from mercwatch.record.kinds import Source

_READ_ENOUGH = ("full-text", "provision")
_CAP = {Confidence.C: 1, Confidence.D: 0}  # A and B carry any level


def of_source(source: Source) -> Confidence:
    """What one source can carry."""
    if source.nature == "press" or source.read == "not-read":
        return Confidence.D
    if source.nature == "secondary" or source.read not in _READ_ENOUGH:
        return Confidence.C
    return Confidence.A if source.nature == "primary" else Confidence.B


def of_sources(sources: Iterable[Source]) -> Confidence:
    """What a deed's best source can carry: a second, weaker source takes nothing away."""
    return min((of_source(source) for source in sources), default=Confidence.D)


def weakest(grades: Iterable[Confidence]) -> Confidence | None:
    """A test stands on all of its evidence, so it is as good as the weakest; None without evidence."""
    return max(grades, default=None)


def capped(level: int, grade: Confidence | None) -> int:
    """The level that evidence of this grade can carry: C at most 1, D none."""
    return min(level, _CAP.get(grade, level)) if grade else 0
