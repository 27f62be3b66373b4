"""Lists of governments, whole and by endorsement, region or recommendation, and of organisations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mercwatch.assessment.cells import State
from mercwatch.publishing import fragments
from mercwatch.publishing.edition import Edition
from mercwatch.publishing.page import Page
from mercwatch.publishing.words import REGIONS
from mercwatch.record.kinds import Actor, Instrument

Data = dict[str, Any]
Row = dict[str, Any]
GOVERNMENT_RECOMMENDATIONS = tuple(f"R{number}" for number in range(1, 8))


def pages(edition: Edition) -> Iterator[Page]:
    """The whole list, one list for each filter, and the organisations."""
    rows = [government_row(edition, actor) for actor in edition.snapshot.governments()]
    rows.sort(key=lambda row: row["name"])
    filters = _filters(edition)
    yield _governments(edition, rows, filters, None)
    for chosen in filters:
        yield _governments(edition, [row for row in rows if chosen["takes"](row)], filters, chosen)
    yield _organisations(edition)


def government_row(edition: Edition, actor: Actor) -> Row:
    """A government in one line."""
    cells = edition.cards[actor.id].cells.values()
    credited = [cell for cell in cells if cell.state is State.LEVEL]
    return {
        **fragments.actor(edition, actor.id),
        "name_fr": actor.name_fr,
        "iso3": actor.iso3,
        "region": actor.region,
        "endorsements": [e.instrument for e in edition.snapshot.endorsements_of(actor.id)],
        "indicators": len(cells),
        "coded": sum(cell.coded for cell in cells),
        "credited": len(credited),
        "drafts": sum(cell.draft for cell in credited),
        "actions": len(edition.snapshot.actions_of(actor.id)),
        "findings": sum(f.series is not None for f in edition.snapshot.findings_on(actor.id)),
        "recommendations": sorted({c.indicator.split(".")[0] for c in credited}),
    }


def _filters(edition: Edition) -> list[Data]:
    """Every pre-made filter: its group, its words, its page, and which rows it takes."""
    base = "/governments/by"
    endorsed = [
        _filter(
            "endorsement",
            i.title,
            f"{base}/endorsement/{i.id}/",
            lambda row, i=i: i.id in row["endorsements"],
        )
        for i in edition.snapshot.all(Instrument)
        if any(e.actor.isupper() for e in edition.endorsers.get(i.id, ()))
    ]
    regions = [
        _filter(
            "region", region, f"{base}/region/{region.lower()}/", lambda row, r=region: row["region"] == r
        )
        for region in REGIONS
    ]
    titles = {r.id: r.title for r in edition.codebook.recommendations}
    credited = [
        _filter(
            "recommendation",
            f"{r} {titles[r]}",
            f"{base}/recommendation/{r}/",
            lambda row, r=r: r in row["recommendations"],
        )
        for r in GOVERNMENT_RECOMMENDATIONS
    ]
    return [*endorsed, *regions, *credited]


def _filter(group: str, words: str, page: str, takes: Callable[..., bool]) -> Data:
    return {"group": group, "words": words, "page": page, "takes": takes}


def _governments(edition: Edition, rows: list[Row], filters: list[Data], chosen: Data | None) -> Page:
    titles = {
        None: "Governments",
        "endorsement": "Governments that endorsed: {}",
        "region": "Governments in {}",
        "recommendation": "Governments credited under {}",
    }
    title = titles[chosen["group"] if chosen else None].format(chosen["words"] if chosen else "")
    shown = {i.id: i.title for i in edition.snapshot.all(Instrument)}
    data: Data = {
        "chosen": {k: chosen[k] for k in ("group", "words", "page")} if chosen else None,
        "filters": [
            {
                "group": group,
                "options": [{"words": f["words"], "page": f["page"]} for f in filters if f["group"] == group],
            }
            for group in ("endorsement", "region", "recommendation")
        ],
        "instruments": shown,
        "rows": rows,
    }
    things = {row["id"] for row in rows}
    for row in rows:
        snapshot = edition.snapshot
        things |= {b.id for b in snapshot.endorsements_of(row["id"])}
        things |= {b.id for b in snapshot.actions_of(row["id"])}
        things |= {b.id for b in snapshot.findings_on(row["id"])}
        things |= {b.id for b in snapshot.codings_of(row["id"])}
    path = chosen["page"] if chosen else "/governments/"
    return Page(path, "governments.html", title, data, things, [row["id"] for row in rows])


def _organisations(edition: Edition) -> Page:
    rows = []
    things: set[str] = set()
    for actor in edition.snapshot.organisations():
        if actor.id in edition.vendors:
            continue
        actions = edition.snapshot.actions_of(actor.id)
        cells = edition.cards[actor.id].cells.values()
        things |= {actor.id, *(a.id for a in actions), *(c.id for c in edition.snapshot.codings_of(actor.id))}
        rows.append(
            {
                **fragments.actor(edition, actor.id),
                "type": actor.type,
                "country": edition.names.get(actor.country or ""),
                "actions": len(actions),
                "indicators": len(cells),
                "credited": sum(cell.state is State.LEVEL for cell in cells),
                "drafts": sum(cell.state is State.LEVEL and cell.draft for cell in cells),
            }
        )
    rows.sort(key=lambda row: row["name"].lower())
    return Page("/organisations/", "organisations.html", "Industry and civil society", {"rows": rows}, things)
