"""The firms of the market: one page a firm under all its names, with the facts that name it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mercwatch.publishing import fragments
from mercwatch.publishing.edition import Edition
from mercwatch.publishing.page import Page
from mercwatch.publishing.pages.things import history
from mercwatch.record.kinds import Action, Actor, Finding

Data = dict[str, Any]
RELATIONS = {
    "owned-by": "owned by",
    "successor-of": "successor of",
    "part-of": "part of",
    "founded-by-people-of": "founded by people of",
}

TO_IT = {
    "owned-by": "owner of",
    "successor-of": "followed by",
    "part-of": "has as a part",
    "founded-by-people-of": "its people founded",
}


def pages(edition: Edition) -> Iterator[Page]:
    """The list of firms, and a page for each."""
    firms = [edition.snapshot.get(Actor, thing) for thing in sorted(edition.vendors)]
    rows = sorted((_row(edition, firm) for firm in firms), key=lambda row: str(row["name"]).lower())
    things = [firm.id for firm in firms]
    facts = [fact.id for firm in things for fact in edition.facts_naming.get(firm, ())]
    yield Page("/market/", "market.html", "Firms of the market", {"rows": rows}, [*things, *facts])
    for firm in firms:
        yield _page(edition, firm)


def _row(edition: Edition, firm: Actor) -> Data:
    facts = edition.facts_naming.get(firm.id, [])
    return {
        **fragments.actor(edition, firm.id),
        "aliases": list(firm.aliases),
        "country": edition.names.get(firm.country or ""),
        "capabilities": [str(capability) for capability in firm.capabilities],
        "actions": sum(isinstance(fact, Action) for fact in facts),
        "findings": sum(isinstance(fact, Finding) for fact in facts),
    }


def _page(edition: Edition, firm: Actor) -> Page:
    facts = edition.facts_naming.get(firm.id, [])
    data: Data = {
        "firm": {
            **_row(edition, firm),
            "owners": list(firm.owners),
            "note": firm.note,
            "related": _related(edition, firm),
            "sources": [fragments.listed(edition, s) for s in edition.snapshot.sources_of(firm)],
        },
        "actions": [fragments.action(edition, fact) for fact in facts if isinstance(fact, Action)],
        "findings": [fragments.finding(edition, fact) for fact in facts if isinstance(fact, Finding)],
        "history": history(edition, firm.id),
    }
    things = {firm.id, *firm.sources, *(fact.id for fact in facts)}
    return Page(fragments.page("market", firm.id), "vendor.html", firm.name, data, things)


def _related(edition: Edition, firm: Actor) -> list[Data]:
    """Relations that the firm's entry states, and those that others' entries state to it."""
    own = [(RELATIONS[r.relation], r.actor, r.since, r.until) for r in firm.related]
    others = [
        (TO_IT[r.relation], other.id, r.since, r.until)
        for other in edition.snapshot.all(Actor)
        for r in other.related
        if r.actor == firm.id
    ]
    return [
        {"words": words, **fragments.actor(edition, actor), "since": since, "until": until}
        for words, actor, since, until in [*own, *others]
    ]
