"""One recommendation at a glance: stages reached, coverage, and a band only where one is due."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from mercwatch.assessment.cells import Cell, State, Summary
from mercwatch.framework.codebook import Stage

COVERAGE_FLOOR = 0.8
BANDS = ("none", "emerging", "in force", "applied")
_RANK = {None: 0, Stage.COMMITTED: 1, Stage.IN_FORCE: 2, Stage.APPLIED: 3}


def summarise(cells: Mapping[str, Cell], reply_pending: bool) -> dict[str, Summary]:
    """Summaries by recommendation. What is inherited from the EU never enters."""
    groups: dict[str, list[Cell]] = defaultdict(list)
    for indicator, cell in cells.items():
        groups[indicator.split(".")[0]].append(cell)
    return {name: _summary(name, group, reply_pending) for name, group in groups.items()}


def _summary(recommendation: str, cells: Sequence[Cell], reply_pending: bool) -> Summary:
    applicable = [cell for cell in cells if cell.state is not State.NOT_APPLICABLE]
    coded = [cell for cell in applicable if cell.coded]
    band, reason = _band(applicable, coded, reply_pending)
    return Summary(
        recommendation=recommendation,
        applicable=len(applicable),
        coded=len(coded),
        committed=_showing(coded, Stage.COMMITTED),
        in_force=_showing(coded, Stage.IN_FORCE),
        applied=_showing(coded, Stage.APPLIED),
        drafts=sum(cell.draft for cell in coded),
        band=band,
        band_reason=reason,
    )


def _showing(cells: Sequence[Cell], stage: Stage) -> int:
    return sum(cell.stage is stage for cell in cells)


def _band(
    applicable: Sequence[Cell], coded: Sequence[Cell], reply_pending: bool
) -> tuple[str | None, str | None]:
    """The median over reviewed cells, the lower of two in the middle; drafts never enter."""
    reviewed = [cell for cell in coded if not cell.draft and cell.state is not State.COUNT]
    if reply_pending:
        return None, "a reply is pending"
    if not applicable or len(reviewed) / len(applicable) < COVERAGE_FLOOR:
        return None, f"fewer than {COVERAGE_FLOOR:.0%} of the indicators are coded and reviewed by a person"
    ranks = sorted(_RANK[cell.stage] for cell in reviewed)
    return BANDS[ranks[(len(ranks) - 1) // 2]], None
