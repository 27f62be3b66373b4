"""A page for each thing of the record: action, finding, coding, source, instrument, search log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mercwatch.publishing import captures, fragments, verdicts
from mercwatch.publishing.edition import Edition
from mercwatch.publishing.page import Page
from mercwatch.publishing.words import STAGES
from mercwatch.record.entries import Entry
from mercwatch.record.kinds import Action, Coder, Coding, Finding, Instrument, SearchLog, Source

Data = dict[str, Any]


def pages(edition: Edition) -> Iterator[Page]:
    """Every thing's page."""
    snapshot = edition.snapshot
    yield from (_action(edition, body) for body in snapshot.all(Action))
    yield from (_finding(edition, body) for body in snapshot.all(Finding))
    yield from (_coding(edition, body) for body in snapshot.all(Coding))
    yield from (_source(edition, body) for body in snapshot.all(Source))
    yield from (_instrument(edition, body) for body in snapshot.all(Instrument))
    yield from (_search_log(edition, body) for body in snapshot.all(SearchLog))


def _action(edition: Edition, body: Action) -> Page:
    codings = edition.codings_on.get(body.id, [])
    mark = edition.context_of.get(body.id)
    data: Data = {
        "action": {
            **fragments.action(edition, body),
            "note": body.note,
            "origin": body.origin,
            "reach": [edition.agencies[a] for a in body.reach],
            "capabilities": [str(c) for c in body.capabilities],
            "vendors": fragments.firms(edition, body.vendors),
            "about": [fragments.actor(edition, a) for a in body.about],
            "people": fragments.people(edition, body.people),
        },
        "sources": fragments.cited(edition, body),
        "miner": verdicts.behind_action(edition, body.id),
        "codings": [_coded(edition, coding) for coding in codings],
        "context_reason": mark.reason if mark else None,
        "history": history(edition, body.id),
    }
    things = {body.id, *body.sources, *(c.id for c in codings), *([mark.id] if mark else [])}
    things |= verdicts.things(edition, body.id)
    return Page(fragments.page("actions", body.id), "action.html", body.title, data, things)


def _finding(edition: Edition, body: Finding) -> Page:
    mark = edition.context_of.get(body.id)
    data: Data = {
        "finding": fragments.finding(edition, body),
        "context_reason": mark.reason if mark else None,
        "history": history(edition, body.id),
    }
    things = {body.id, *body.sources, *([mark.id] if mark else [])}
    return Page(fragments.page("findings", body.id), "finding.html", body.title, data, things)


def _coded(edition: Edition, coding: Coding) -> Data:
    indicator = edition.codebook.by_id.get(coding.indicator)
    return {
        **fragments.coding(edition, coding),
        "indicator": coding.indicator,
        "title": indicator.title if indicator else coding.indicator,
        "actor": fragments.actor(edition, coding.actor),
    }


def _coding(edition: Edition, body: Coding) -> Page:
    coder = edition.snapshot.get(Coder, body.coder)
    cell = edition.cards[body.actor].cells.get(body.indicator)
    data: Data = {
        "coding": {
            **_coded(edition, body),
            "meaning": body.meaning,
            "answer": body.answer,
            "count": body.count,
            "search_log": fragments.page("search-logs", body.search_log) if body.search_log else None,
            "tests": [_judged(edition, body, number) for number in range(len(body.tests))],
            "evidence": [_pinned(edition, body, thing) for thing in body.evidence],
        },
        "coder": coder.model_dump(mode="json", exclude={"kind"}),
        "cell": fragments.cell(edition, cell, inherited=False) if cell and body.id in cell.codings else None,
        "history": history(edition, body.id),
    }
    title = f"Coding of {edition.names[body.actor]}, {body.indicator}"
    things = {body.id, body.coder, *body.evidence}
    for thing in body.evidence:
        entry = edition.snapshot.live.get(thing)
        things |= set(getattr(entry.body, "sources", ())) if entry else set()
    return Page(fragments.page("codings", body.id), "coding.html", title, data, things, [body.actor])


def _judged(edition: Edition, body: Coding, number: int) -> Data:
    judged = body.tests[number]
    level = edition.codebook.by_id[body.indicator].level(judged.level)
    return {
        "level": judged.level,
        "stage": STAGES[level.stage],
        "text": level.test,
        "met": judged.met,
        "by": list(judged.by),
        "since": judged.since,
        "until": judged.until,
    }


def _pinned(edition: Edition, body: Coding, thing: str) -> Data:
    name = body.pins.get(thing, "")
    entry = edition.snapshot.entries.get(name)
    if entry is None:
        return {"id": thing, "entry": name, "title": "withheld", "page": None, "live": False, "sources": []}
    evidence = entry.body
    if isinstance(evidence, Action):
        title, address = evidence.title, fragments.page("actions", thing)
    elif isinstance(evidence, SearchLog):
        title, address = "Search log", fragments.page("search-logs", thing)
    else:
        instrument = edition.snapshot.get(Instrument, getattr(evidence, "instrument", ""))
        title, address = f"Endorses the {instrument.title}", fragments.page("instruments", instrument.id)
    return {
        "id": thing,
        "entry": name,
        "title": title,
        "page": address,
        "live": edition.snapshot.is_live(name),
        "sources": [fragments.listed(edition, s) for s in edition.snapshot.sources_of(evidence)],
    }


def _source(edition: Edition, body: Source) -> Page:
    users = edition.used_by.get(body.id, [])
    kept = captures.of_source(edition, body.id)
    data: Data = {
        "source": fragments.listed(edition, body),
        "captures": kept,
        "used_by": [u for u in (_user(edition, entry) for entry in users) if u],
        "history": history(edition, body.id),
    }
    things = {body.id, *(entry.id for entry in users), *captures.things(edition, body.id)}
    path, shown = fragments.page("sources", body.id), captures.SHOWN if kept else (0,)
    return Page(path, "source.html", body.title, data, things, shown=shown)


def _user(edition: Edition, entry: Entry) -> Data | None:
    body = entry.body
    if isinstance(body, Action):
        return {"title": body.title, "page": fragments.page("actions", body.id)}
    if isinstance(body, Finding):
        return {"title": body.title, "page": fragments.page("findings", body.id)}
    if isinstance(body, Instrument):
        return {"title": body.title, "page": fragments.page("instruments", body.id)}
    actor = getattr(body, "actor", None)
    if actor:
        return {"title": f"{edition.names[actor]}: {body.kind}", "page": fragments.actor_page(edition, actor)}
    return None


def _instrument(edition: Edition, body: Instrument) -> Page:
    endorsements = edition.endorsers.get(body.id, [])
    data: Data = {
        "instrument": {
            "id": body.id,
            "title": body.title,
            "date": body.date,
            "summary": body.summary,
            "recommendations": list(body.recommendations),
            "sources": [fragments.listed(edition, s) for s in edition.snapshot.sources_of(body)],
        },
        "endorsements": [_endorsed(edition, e.id, e) for e in endorsements],
        "history": history(edition, body.id),
    }
    things = {body.id, *body.sources, *(e.id for e in endorsements)}
    return Page(fragments.page("instruments", body.id), "instrument.html", body.title, data, things)


def _endorsed(edition: Edition, thing: str, body: Any) -> Data:
    keep = ("id", "actor", "date", "ended", "note", "sources")
    return {key: value for key, value in fragments.endorsement(edition, body).items() if key in keep}


def _search_log(edition: Edition, body: SearchLog) -> Page:
    data: Data = {
        "search_log": {**body.model_dump(mode="json", exclude={"kind"}), "supports_zero": body.supports_zero},
        "actor": fragments.actor(edition, body.actor),
        "history": history(edition, body.id),
    }
    title = f"Search log: {edition.names[body.actor]}"
    return Page(fragments.page("search-logs", body.id), "search_log.html", title, data, {body.id, body.coder})


def history(edition: Edition, thing: str) -> list[Data]:
    """Every entry of a thing with the release that added it; superseded ones stay readable."""
    return [
        {
            "entry": entry.name,
            "release": edition.snapshot.released_in[entry.name].body.number,
            "date": edition.snapshot.released_in[entry.name].body.date,
            "recorded_by": entry.envelope.recorded_by,
            "reason": entry.envelope.reason,
            "live": edition.snapshot.is_live(entry.name),
            "was": None if edition.snapshot.is_live(entry.name) else _was(entry),
        }
        for entry in edition.snapshot.history(thing)
    ]


def _was(entry: Entry) -> Data:
    found: Data = entry.body.model_dump(mode="json", exclude_defaults=True)
    return found
