"""The words that pages and twins use for codes: one phrase for one thing."""

from __future__ import annotations

from mercwatch.assessment.cells import Cell, Confidence, State
from mercwatch.framework.codebook import Stage

STAGES = {
    Stage.COMMITTED: "committed",
    Stage.IN_FORCE: "in force",
    Stage.APPLIED: "applied",
}
ACTION_STAGES = {
    "announced": "announced",
    "adopted": "adopted",
    "in_force": "in force",
    "applied": "applied",
    "ended": "ended",
}
CONFIDENCE = {
    Confidence.A: "the authority's own text, the provision read",
    Confidence.B: "an official summary, read",
    Confidence.C: "a secondary source, or an excerpt only",
    Confidence.D: "press alone, or a source nobody has read",
}
NATURE = {
    "primary": "primary source",
    "official-summary": "official summary",
    "secondary": "secondary source",
    "press": "press",
}
READ = {
    "full-text": "read in full",
    "provision": "the provision read",
    "excerpt": "an excerpt read",
    "not-read": "not read",
}
SERIES = {
    "N1": "N1, a credible allegation from one source",
    "N2": "N2, two or more independent sources, or one with published technical indicators",
    "N3": "N3, a finding by a court, inquiry or supervisor, or an admission",
}
FINDING_STATES = {
    "allegation": "allegation",
    "charge": "charge",
    "finding": "finding",
    "conviction-not-final": "conviction, not final",
    "conviction-final": "conviction, final",
    "acquittal": "acquittal",
    "remedied": "remedied",
}
REGIONS = ("Africa", "Americas", "Asia", "Europe", "Oceania")


def verdict(cell: Cell) -> str:
    """A cell's outcome in a few words; never a colour alone, never empty."""
    if cell.state is State.LEVEL and cell.level and cell.stage:
        return f"level {cell.level}, {STAGES[cell.stage]}"
    if cell.state is State.COUNT:
        return f"count {cell.count}"
    if cell.state is State.CONTESTED:
        return f"contested, {_or_unknown(cell.level)} to {_or_unknown(cell.high)}"
    return cell.state.value


def _or_unknown(level: int | None) -> str:
    return "unknown" if level is None else str(level)
