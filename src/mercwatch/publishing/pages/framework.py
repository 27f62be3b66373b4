"""What is asked, and who stands where: a page for each recommendation and each indicator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from mercwatch.assessment.cells import Cell, State
from mercwatch.framework.codebook import CrosswalkRow, Indicator, Recommendation
from mercwatch.publishing import fragments
from mercwatch.publishing.edition import Edition
from mercwatch.publishing.page import Page
from mercwatch.publishing.words import STAGES, verdict

Data = dict[str, Any]


def pages(edition: Edition) -> Iterator[Page]:
    """The list, then each recommendation with its indicators."""
    yield _all(edition)
    for recommendation in edition.codebook.recommendations:
        yield _recommendation(edition, recommendation)
        for indicator in edition.codebook.of(recommendation.id):
            yield _indicator(edition, indicator)


def _all(edition: Edition) -> Page:
    rows = [
        {
            **_brief(recommendation),
            "asks": recommendation.asks,
            "indicators": len(edition.codebook.of(recommendation.id)),
            "standing": _standing(edition, recommendation),
        }
        for recommendation in edition.codebook.recommendations
    ]
    data = {"recommendations": rows}
    return Page("/recommendations/", "recommendations.html", "Recommendations", data, _codings(edition))


def _recommendation(edition: Edition, recommendation: Recommendation) -> Page:
    indicators = edition.codebook.of(recommendation.id)
    findings = edition.findings_under(recommendation.id)
    data: Data = {
        "recommendation": _brief(recommendation),
        "asks": recommendation.asks,
        "crosswalk": _crosswalk(recommendation.crosswalk),
        "indicators": [
            {
                "id": i.id,
                "title": i.title,
                "question": i.question,
                "page": fragments.page("indicators", i.id),
                "distribution": _distribution(edition, i),
            }
            for i in indicators
        ],
        "findings": [
            {
                key: fragments.finding(edition, f)[key]
                for key in ("id", "page", "title", "actor", "series", "state", "found")
            }
            for f in findings
        ],
    }
    things = {coding for i in indicators for cell in edition.cells_of[i.id] for coding in cell.codings}
    return Page(
        fragments.page("recommendations", recommendation.id),
        "recommendation.html",
        f"{recommendation.id} {recommendation.title}",
        data,
        things | {f.id for f in findings},
        [cell.actor for i in indicators for cell in edition.cells_of[i.id]],
    )


def _indicator(edition: Edition, indicator: Indicator) -> Page:
    cells = [cell for cell in edition.cells_of[indicator.id] if cell.codings]
    recommendation = next(r for r in edition.codebook.recommendations if r.id == indicator.recommendation)
    data: Data = {
        "indicator": {
            "id": indicator.id,
            "title": indicator.title,
            "question": indicator.question,
            "kind": indicator.kind.value,
            "meaning": indicator.meaning,
            "window_months": indicator.window_months,
            "top_needs_application": indicator.top_needs_application,
            "inheritable": indicator.inheritable,
            "levels": [
                {"level": x.level, "stage": STAGES[x.stage], "test": x.test, "windowed": x.windowed}
                for x in indicator.levels
            ],
            "counts": list(indicator.counts),
            "does_not_count": list(indicator.does_not_count),
            "documents": list(indicator.documents),
            "not_applicable": list(indicator.not_applicable),
        },
        "recommendation": _brief(recommendation),
        "crosswalk": _crosswalk(indicator.crosswalk),
        "groups": _groups(edition, indicator, cells),
        "unknown": len(edition.cells_of[indicator.id]) - len(cells),
    }
    evidence = {e.id for cell in cells for t in cell.tests for e in t.evidence}
    return Page(
        fragments.page("indicators", indicator.id),
        "indicator.html",
        f"{indicator.id} {indicator.title}",
        data,
        {coding for cell in cells for coding in cell.codings} | evidence,
        [cell.actor for cell in cells],
    )


def _groups(edition: Edition, indicator: Indicator, cells: list[Cell]) -> list[Data]:
    """Who stands where, the highest level first, with the deeds that carry it: approaches side by side."""
    groups: dict[tuple[int, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[
            -(cell.level if cell.level is not None and cell.state is State.LEVEL else -1), verdict(cell)
        ].append(cell)
    return [
        {
            "verdict": words,
            "level": group[0].level if group[0].state is State.LEVEL else None,
            "top": indicator.top,
            "draft": all(cell.draft for cell in group),
            "rows": [_standing_row(edition, cell) for cell in group],
        }
        for (_, words), group in sorted(groups.items())
    ]


def _standing_row(edition: Edition, cell: Cell) -> Data:
    carrying = [t for t in cell.tests if t.supports and (t.supports == cell.level or cell.level is None)]
    evidence = carrying[-1].evidence if carrying else ()
    return {
        "actor": fragments.actor(edition, cell.actor),
        "draft": cell.draft,
        "since": cell.since,
        "until": cell.until.isoformat() if cell.until else None,
        "confidence": cell.confidence.value if cell.confidence else None,
        "judged": cell.judged,
        "reason": cell.reason,
        "coding": fragments.page("codings", cell.codings[0]),
        "approach": [_approach(edition, item.id, fragments.evidence(edition, item)) for item in evidence],
    }


def _approach(edition: Edition, thing: str, evidence: Data) -> Data:
    action = edition.action(thing)
    return {
        "title": evidence["title"],
        "page": evidence["page"],
        "summary": action.summary if action else None,
        "capabilities": [str(c) for c in action.capabilities] if action else [],
    }


def _standing(edition: Edition, recommendation: Recommendation) -> Data:
    cells = [c for i in edition.codebook.of(recommendation.id) for c in edition.cells_of[i.id]]
    credited = [c for c in cells if c.state is State.LEVEL]
    return {
        "actors": len({c.actor for c in credited}),
        "cells": len(credited),
        "of": len(cells),
        "drafts": sum(c.draft for c in credited),
    }


def _distribution(edition: Edition, indicator: Indicator) -> Data:
    """How many actors stand at each level; unknown is counted apart and never as zero."""
    cells = edition.cells_of[indicator.id]
    levels = [
        {
            "level": level.level,
            "stage": STAGES[level.stage],
            "actors": sum(c.state is State.LEVEL and c.level == level.level for c in cells),
        }
        for level in indicator.levels
    ]
    return {
        "levels": levels,
        "counts": sum(c.state is State.COUNT for c in cells),
        "nothing_found": sum(c.state is State.NOTHING_FOUND for c in cells),
        "unknown": sum(c.state is State.UNKNOWN for c in cells),
        "other": sum(c.state in (State.CONTESTED, State.UNDER_REVIEW, State.NOT_APPLICABLE) for c in cells),
        "drafts": sum(c.draft for c in cells if c.coded),
        "asked_of": len(cells),
    }


def _brief(recommendation: Recommendation) -> Data:
    return {
        "id": recommendation.id,
        "title": recommendation.title,
        "page": fragments.page("recommendations", recommendation.id),
        "addressees": list(recommendation.addressees),
    }


def _crosswalk(rows: tuple[CrosswalkRow, ...]) -> list[Data]:
    """Only rows that somebody has verified are public."""
    return [row.model_dump(mode="json", exclude={"verified"}) for row in rows if row.verified]


def _codings(edition: Edition) -> set[str]:
    return {coding for cells in edition.cells_of.values() for cell in cells for coding in cell.codings}
