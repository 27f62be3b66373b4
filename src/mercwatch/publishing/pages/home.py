"""The front page: what this is, a map with its tile twin, figures, and what changed last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mercwatch.assessment.cells import State
from mercwatch.publishing import fragments, worldmap
from mercwatch.publishing.coverage import PARIS_CALL
from mercwatch.publishing.edition import Edition
from mercwatch.publishing.page import Page
from mercwatch.publishing.pages.lists import government_row
from mercwatch.publishing.pages.notes import release_data
from mercwatch.publishing.words import REGIONS
from mercwatch.record.kinds import Action, Finding, Source

Data = dict[str, Any]
LATEST = 8
SHADES = (1, 4, 8)  # from that many coded indicators on, the next shade


def pages(edition: Edition) -> Iterator[Page]:
    """The front page alone."""
    rows = [government_row(edition, actor) for actor in edition.snapshot.governments()]
    for row in rows:
        row["shade"] = sum(row["coded"] >= bound for bound in SHADES)
    data: Data = {
        "figures": _figures(edition, rows),
        "governments": rows,
        "shades": _shades(),
        "regions": [
            {"name": region, "governments": sorted((r for r in rows if r["region"] == region), key=_name)}
            for region in REGIONS
        ],
        "recommendations": [
            {
                "id": r.id,
                "title": r.title,
                "page": fragments.page("recommendations", r.id),
                "addressees": list(r.addressees),
            }
            for r in edition.codebook.recommendations
        ],
        "latest": _latest(edition),
        "release": release_data(edition.snapshot.release),
    }
    drawing = {"view_box": worldmap.view_box(), "shapes": _shapes(rows)}
    things = list(edition.snapshot.live)
    yield Page("/", "home.html", "Who governs the trade in hacking for hire?", data, things, drawing=drawing)


def _shapes(rows: list[Data]) -> list[Data]:
    known = {row["id"]: row for row in rows}
    blank = {"shade": 0, "drafts": 0}
    found = [(shape.path, known.get(shape.id, blank)) for shape in worldmap.shapes()]
    return [{"path": path, "shade": row["shade"], "draft": bool(row["drafts"])} for path, row in found]


def _name(row: Data) -> str:
    return str(row["name"])


def _shades() -> list[Data]:
    bounds = [0, *SHADES]
    ends = [low - 1 for low in SHADES]
    return [
        {"shade": n, "from": low, "to": ends[n] if n < len(ends) else None} for n, low in enumerate(bounds)
    ]


def _figures(edition: Edition, rows: list[Data]) -> Data:
    snapshot = edition.snapshot
    cells = [
        cell
        for row in rows
        for cell in edition.cards[row["id"]].cells.values()
        if PARIS_CALL in row["endorsements"]
    ]
    levels = [cell for cell in cells if cell.state is State.LEVEL]
    governments = {row["id"] for row in rows}
    actions = snapshot.all(Action)
    return {
        "paris_call": sum(PARIS_CALL in row["endorsements"] for row in rows),
        "indicators": len(
            [i for i in edition.codebook.indicators if i.recommendation not in ("R8", "R9", "R10", "R11")]
        ),
        "cells": len(cells),
        "levels": len(levels),
        "drafts": sum(cell.draft for cell in levels),
        "unknown": sum(cell.state is State.UNKNOWN for cell in cells),
        "actions": sum(a.actor in governments for a in actions),
        "organisation_actions": sum(a.actor not in governments for a in actions),
        "findings": sum(f.series is not None for f in snapshot.all(Finding)),
        "sources": len(snapshot.all(Source)),
    }


def _latest(edition: Edition) -> list[Data]:
    """The latest deeds of the newest release, by the deed's own last date."""
    new = set(edition.snapshot.release.body.entries)
    bodies = [
        entry.body
        for entry in edition.snapshot.live.values()
        if entry.name in new and isinstance(entry.body, Action) and entry.id not in edition.context_of
    ]
    rows = [fragments.action(edition, body) for body in bodies]
    past = [row for row in rows if row["stages"][-1]["date"] <= edition.day.isoformat()]
    past.sort(key=lambda row: (row["stages"][-1]["date"], row["id"]), reverse=True)
    return past[:LATEST]
