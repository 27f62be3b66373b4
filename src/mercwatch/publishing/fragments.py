"""Pieces of page data, plain JSON: a source, an action, a finding, a cell. Pages are made of these."""

from __future__ import annotations

from typing import Any

from mercwatch.assessment.assess import next_step
from mercwatch.assessment.cells import Cell, Evidence, State, Test
from mercwatch.assessment.confidence import of_source
from mercwatch.publishing import captures
from mercwatch.publishing.edition import Edition
from mercwatch.publishing.words import (
    ACTION_STAGES,
    CONFIDENCE,
    FINDING_STATES,
    NATURE,
    READ,
    SERIES,
    STAGES,
    verdict,
)
from mercwatch.record.dates import parse
from mercwatch.record.kinds import (
    Action,
    Adjudication,
    Coder,
    Coding,
    Endorsement,
    Finding,
    Instrument,
    Person,
    Source,
)

Data = dict[str, Any]
MAX_EXAMPLES = 5


def page(folder: str, thing: str) -> str:
    """A thing's address on the site."""
    return f"/{folder}/{thing}/"


def actor_page(edition: Edition, actor: str) -> str:
    """An actor's page."""
    if len(actor) == 2 and actor.isupper():
        return page("governments", actor)
    return page("market" if actor in edition.vendors else "organisations", actor)


def actor(edition: Edition, thing: str) -> Data:
    """An actor as a link."""
    return {"id": thing, "name": edition.names.get(thing, thing), "page": actor_page(edition, thing)}


def source(body: Source) -> Data:
    """A source with what it is and how far it was read."""
    grade = of_source(body)
    return {
        "id": body.id,
        "page": page("sources", body.id),
        "publisher": body.publisher,
        "title": body.title,
        "address": body.address,
        "language": body.language,
        "nature": NATURE[body.nature],
        "read": READ[body.read],
        "read_on": body.read_on,
        "copy_read": body.copy_read,
        "published": body.published,
        "note": body.note,
        "confidence": grade.value,
        "confidence_words": CONFIDENCE[grade],
    }


def listed(edition: Edition, body: Source) -> Data:
    """A source where it is cited: what it is, and whether it has drifted since our capture."""
    return {**source(body), "drift": captures.drift(edition, body.id)}


def action(edition: Edition, body: Action) -> Data:
    """An action in short, for lists and timelines."""
    steps = sorted(body.stages, key=lambda step: parse(step.date))
    return {
        "id": body.id,
        "page": page("actions", body.id),
        "actor": actor(edition, body.actor),
        "title": body.title,
        "summary": body.summary,
        "type": body.type,
        "stages": [{"stage": ACTION_STAGES[s.stage], "date": s.date, "note": s.note} for s in steps],
        "recommendations": list(body.recommendations),
        "context": body.id in edition.context_of and body.id not in edition.codings_on,
    }


def finding(edition: Edition, body: Finding) -> Data:
    """A finding with its two dates, who established the operator, and the reply."""
    return {
        "id": body.id,
        "page": page("findings", body.id),
        "actor": actor(edition, body.actor),
        "title": body.title,
        "summary": body.summary,
        "series": body.series,
        "series_words": SERIES.get(body.series or "", "context: nobody has established the operator"),
        "state": FINDING_STATES[body.state],
        "conduct": body.conduct,
        "found": body.found,
        "found_by": body.found_by,
        "government_then": body.government_then,
        "agency": body.agency,
        "operator": body.operator,
        "operator_established_by": body.operator_established_by,
        "reply": body.reply,
        "note": body.note,
        "capabilities": [str(c) for c in body.capabilities],
        "recommendations": list(body.recommendations),
        "vendors": firms(edition, body.vendors),
        "people": people(edition, body.people),
        "sources": cited(edition, body),
    }


def cited(edition: Edition, body: Action | Finding) -> list[Data]:
    """A fact's sources, each with the fact's place in it."""
    return [{**listed(edition, s), "place": body.where.get(s.id)} for s in edition.snapshot.sources_of(body)]


def firms(edition: Edition, names: tuple[str, ...]) -> list[Data]:
    """Firms as a fact names them, each with the page of its one entry."""
    found = [(name, edition.firm_of.get(name.lower())) for name in names]
    return [{"name": name, "page": actor_page(edition, firm) if firm else None} for name, firm in found]


def people(edition: Edition, ids: tuple[str, ...]) -> list[Data]:
    """Names that are kept apart; one that is withheld stays visible as withheld."""
    found: list[Data] = []
    for thing in ids:
        entry = edition.snapshot.live.get(thing)
        body = entry.body if entry else None
        if isinstance(body, Person):
            found.append({"id": thing, "name": body.name, "role": body.role, "basis": body.basis})
        else:
            found.append({"id": thing, "name": "name withheld", "role": None, "basis": None})
    return found


def endorsement(edition: Edition, body: Endorsement) -> Data:
    """An endorsement as a badge with its date."""
    instrument = edition.snapshot.get(Instrument, body.instrument)
    return {
        "id": body.id,
        "actor": actor(edition, body.actor),
        "instrument": body.instrument,
        "title": instrument.title,
        "page": page("instruments", body.instrument),
        "date": body.date,
        "ended": body.ended,
        "note": body.note,
        "sources": [listed(edition, s) for s in edition.snapshot.sources_of(body)],
    }


def cell(edition: Edition, body: Cell, inherited: bool = True) -> Data:
    """A cell with its whole way back: tests, evidence, sources, codings."""
    indicator = edition.codebook.by_id[body.indicator]
    found: Data = {
        "indicator": indicator.id,
        "title": indicator.title,
        "page": page("indicators", indicator.id),
        "actor": actor(edition, body.actor),
        "top": indicator.top,
        "state": body.state.value,
        "verdict": verdict(body),
        "level": body.level,
        "high": body.high,
        "stage": STAGES[body.stage] if body.stage else None,
        "judged": body.judged,
        "capped": bool(body.judged and body.judged > (body.level or 0)),
        "count": body.count,
        "since": body.since,
        "until": body.until.isoformat() if body.until else None,
        "coming": {"level": body.coming[0], "date": body.coming[1]} if body.coming else None,
        "draft": body.draft and body.state is not State.UNKNOWN,
        "confidence": body.confidence.value if body.confidence else None,
        "confidence_words": CONFIDENCE[body.confidence] if body.confidence else None,
        "capabilities": list(body.capabilities),
        "reach": [edition.agencies[agency] for agency in body.reach],
        "origin": list(body.origin),
        "reason": _reason(edition, body),
        "tests": [test(edition, t, indicator.level(t.level).test) for t in body.tests],
        "codings": [coding(edition, edition.snapshot.get(Coding, c)) for c in body.codings],
        "adjudication": _adjudication(edition, body),
        "search_log": _search_log(edition, body),
        "next_step": _next(edition, body),
    }
    if inherited:
        found["inherited"] = cell(edition, body.inherited, inherited=False) if body.inherited else None
    return found


def _reason(edition: Edition, body: Cell) -> str | None:
    """Why there is no level; a reason of the codebook by its title."""
    titles = {reason.id: reason.title for reason in edition.codebook.not_applicable_reasons}
    return titles.get(body.reason or "", body.reason)


def _adjudication(edition: Edition, body: Cell) -> Data | None:
    """Which coding stands where coders differed, why, who decided, and the codings that do not stand."""
    if body.adjudication is None:
        return None
    decided = edition.snapshot.get(Adjudication, body.adjudication)
    coder = edition.snapshot.get(Coder, decided.coder)
    others = [
        c
        for c in edition.snapshot.codings_of(body.actor)
        if c.indicator == body.indicator and c.id != decided.stands
    ]
    return {
        "id": decided.id,
        "reason": decided.reason,
        "coder": {"id": coder.id, "name": coder.name, "type": coder.type},
        "others": [coding(edition, other) for other in others],
    }


def _search_log(edition: Edition, body: Cell) -> str | None:
    logs = [edition.snapshot.get(Coding, c).search_log for c in body.codings]
    return next((page("search-logs", log) for log in logs if log), None)


def test(edition: Edition, body: Test, text: str) -> Data:
    """A level's test in words, whether it is met, and by what."""
    return {
        "level": body.level,
        "stage": STAGES[body.stage],
        "text": text,
        "met": body.met,
        "holds": body.holds.value,
        "supports": body.supports,
        "since": body.since,
        "until": body.until.isoformat() if body.until else None,
        "confidence": body.confidence.value if body.confidence else None,
        "evidence": [evidence(edition, item) for item in body.evidence],
    }


def evidence(edition: Edition, item: Evidence) -> Data:
    """A piece of evidence as pinned, with its sources' addresses."""
    entry = edition.snapshot.entries[item.entry]
    body = entry.body
    if isinstance(body, Action):
        title, address = body.title, page("actions", body.id)
    elif isinstance(body, Endorsement):
        title = f"Endorses the {edition.snapshot.get(Instrument, body.instrument).title}"
        address = page("instruments", body.instrument)
    else:
        title, address = "Search log", page("search-logs", body.id)
    return {
        "id": item.id,
        "entry": item.entry,
        "title": title,
        "page": address,
        "confidence": item.confidence.value,
        "sources": [listed(edition, s) for s in edition.snapshot.sources_of(body)],
    }


def coding(edition: Edition, body: Coding) -> Data:
    """A coding in short: who judged, and why."""
    coder = edition.snapshot.get(Coder, body.coder)
    return {
        "id": body.id,
        "page": page("codings", body.id),
        "rationale": body.rationale,
        "coder": {"id": coder.id, "name": coder.name, "type": coder.type},
    }


def _next(edition: Edition, body: Cell) -> Data | None:
    """The test that would lift the cell, and who meets it already."""
    level = next_step(body, edition.codebook.by_id[body.indicator])
    if level is None:
        return None
    there = [
        c
        for c in edition.cells_of[body.indicator]
        if (c.level or 0) >= level.level and c.state is State.LEVEL
    ]
    return {
        "level": level.level,
        "stage": STAGES[level.stage],
        "text": level.test,
        "taken_by": [{**actor(edition, c.actor), "draft": c.draft} for c in there[:MAX_EXAMPLES]],
        "taken_by_more": max(0, len(there) - MAX_EXAMPLES),
    }
