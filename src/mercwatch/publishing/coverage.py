"""How much of the sample is known: levels, drafts, searches and primary sources, counted from the cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from mercwatch.assessment.cells import Cell, Confidence, State
from mercwatch.publishing import fragments
from mercwatch.publishing.edition import Edition
from mercwatch.record.kinds import Actor, SearchLog

Data = dict[str, Any]
PARIS_CALL = "paris-call-2018"
ROW = 26  # units of height for each bar
BAR = 600  # units of the picture's width
UNION = "EU"
SURE = (Confidence.A, Confidence.B)  # the authority's own text or its official summary, read


def sample(edition: Edition) -> list[Actor]:
    """The governments that endorsed the Paris Call, and the European Union."""
    endorsed = {e.actor for e in edition.endorsers.get(PARIS_CALL, ())} | {UNION}
    return [actor for actor in edition.snapshot.governments() if actor.id in endorsed]


def of_sample(edition: Edition) -> Data:
    """Coverage of the sample: by recommendation, by indicator, and of what the record holds on each."""
    actors = sample(edition)
    searched = _searched(edition)
    wanted = [r for r in edition.codebook.recommendations if r.judged == ("government",)]
    cells = {actor.id: edition.cards[actor.id].cells for actor in actors}
    return {
        "governments": len(actors),
        "height": ROW * len(wanted),
        "recommendations": [
            {
                "id": r.id,
                "title": r.title,
                "y": ROW * number,
                "text_y": ROW * number + 14,
                "page": fragments.page("recommendations", r.id),
                **_standing([[c[i.id] for i in edition.codebook.of(r.id)] for c in cells.values()]),
                **counted([c[i.id] for c in cells.values() for i in edition.codebook.of(r.id)], searched),
            }
            for number, r in enumerate(wanted)
        ],
        "indicators": [
            {
                "id": i.id,
                "title": i.title,
                "page": fragments.page("indicators", i.id),
                **counted([c[i.id] for c in cells.values()], searched),
            }
            for r in wanted
            for i in edition.codebook.of(r.id)
        ],
        "record": _record(edition, actors),
    }


def counted(cells: Sequence[Cell], searched: frozenset[tuple[str, str]]) -> Data:
    """Cells by level, by what is unknown, by review, and by what their levels rest on."""
    found = _counted(cells, searched)
    return {**found, "bar": _bar(found)}


def _bar(found: Data) -> list[Data]:
    """The cells as one bar, from the highest level to what nobody has searched: pieces with their places."""
    pieces = [
        ("l3", "level 3", found["levels"][2]),
        ("l2", "level 2", found["levels"][1]),
        ("l1", "level 1", found["levels"][0]),
        ("zero", "nothing found or not applicable", found["nothing_found"] + found["not_applicable"]),
        ("searched", "unknown, searched with gaps", found["unknown_searched"]),
        ("rest", "unknown, not searched; contested", found["cells"]),
    ]
    bar: list[Data] = []
    at = 0
    for kind, words, number in pieces:
        size = min(number, found["cells"] - at)
        if size:
            x, width = (round(n * BAR / found["cells"], 1) for n in (at, size))
            bar.append({"kind": kind, "words": words, "cells": size, "x": str(x), "width": str(width)})
        at += size
    return bar


def _counted(cells: Sequence[Cell], searched: frozenset[tuple[str, str]]) -> Data:
    levels = Counter(cell.level for cell in cells if cell.state is State.LEVEL)
    states = Counter(cell.state for cell in cells)
    shown = [cell for cell in cells if cell.state is State.LEVEL]
    unknown = [cell for cell in cells if cell.state is State.UNKNOWN]
    return {
        "cells": len(cells),
        "levels": [levels[number] for number in (1, 2, 3)],
        "nothing_found": states[State.NOTHING_FOUND],
        "not_applicable": states[State.NOT_APPLICABLE],
        "contested": states[State.CONTESTED],
        "under_review": states[State.UNDER_REVIEW],
        "unknown_searched": sum((cell.actor, cell.indicator) in searched for cell in unknown),
        "unknown": sum((cell.actor, cell.indicator) not in searched for cell in unknown),
        "drafts": sum(cell.draft for cell in shown),
        "reviewed": sum(not cell.draft for cell in shown),
        "shown": len(shown),
        "primary": sum(cell.confidence in SURE for cell in shown),
        "capped": sum((cell.judged or 0) > (cell.level or 0) for cell in shown),
    }


def _standing(rows: Iterable[Sequence[Cell]]) -> Data:
    """Governments by the highest level that they show under one recommendation."""
    highest = Counter(_highest(row) for row in rows)
    return {
        "standing": [highest[number] for number in (1, 2, 3)],
        "standing_nothing_found": highest[0],
        "standing_unknown": highest[None],
    }


def _highest(cells: Sequence[Cell]) -> int | None:
    levels = [cell.level for cell in cells if cell.state in (State.LEVEL, State.NOTHING_FOUND)]
    return max((level for level in levels if level is not None), default=None)


def _searched(edition: Edition) -> frozenset[tuple[str, str]]:
    logs = edition.snapshot.all(SearchLog)
    return frozenset((log.actor, indicator) for log in logs for indicator in log.indicators)


def _record(edition: Edition, actors: Sequence[Actor]) -> Data:
    """What the record holds on the sample: deeds, their median, and how many rest on a provision read."""
    snapshot = edition.snapshot
    deeds = sorted(len(snapshot.actions_of(actor.id)) for actor in actors)
    actions = [action for actor in actors for action in snapshot.actions_of(actor.id)]
    searched = {log.actor for log in snapshot.all(SearchLog)}
    firm = sum(
        any(
            s.nature in ("primary", "official-summary") and s.read in ("provision", "full-text")
            for s in snapshot.sources_of(action)
        )
        for action in actions
    )
    return {
        "actions": len(actions),
        "median": deeds[(len(deeds) - 1) // 2] if deeds else 0,
        "firm": firm,
        "neither": sum(not snapshot.actions_of(a.id) and a.id not in searched for a in actors),
        "search_logs": sum(a.id in searched for a in actors),
    }
