"""The page of one actor: credited with what, why, since when, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mercwatch.assessment.cells import Cell, Scorecard, State, Summary
from mercwatch.publishing import fragments, verdicts
from mercwatch.publishing.edition import Edition
from mercwatch.publishing.page import Page
from mercwatch.publishing.timeline import timeline
from mercwatch.record.dates import parse
from mercwatch.record.kinds import Action, Actor, Coding, Correction, Endorsement, Finding, Reply, SearchLog

Data = dict[str, Any]


def pages(edition: Edition) -> Iterator[Page]:
    """A page for each actor but the firms of the market, which have their own."""
    for actor in edition.snapshot.all(Actor):
        if actor.id not in edition.vendors:
            yield page(edition, actor)


def page(edition: Edition, actor: Actor) -> Page:
    """One actor's page."""
    card = edition.cards[actor.id]
    snapshot = edition.snapshot
    actions = sorted(snapshot.actions_of(actor.id), key=_last_step, reverse=True)
    findings = sorted(snapshot.findings_on(actor.id), key=lambda f: parse(f.found), reverse=True)
    endorsements = snapshot.endorsements_of(actor.id)
    beside = [f for f in findings if f.series]
    replies = [r for r in snapshot.all(Reply) if r.actor == actor.id]
    data: Data = {
        "actor": _actor(edition, actor),
        "in_short": in_short(card, len(beside)),
        "endorsements": [fragments.endorsement(edition, e) for e in endorsements],
        "profile": [profile_row(edition, card, summary) for summary in card.summaries.values()],
        "findings": [fragments.finding(edition, f) for f in beside],
        "context_findings": [fragments.finding(edition, f) for f in findings if not f.series],
        "replies": [r.model_dump(mode="json", exclude={"kind"}) for r in replies],
        "actions": [fragments.action(edition, a) for a in actions],
        "timeline": timeline(actions, beside),
        "nobody_has_looked": [
            _unknown(edition, card, summary, looked=False) for summary in card.summaries.values()
        ],
        "looked_and_unknown": [
            _unknown(edition, card, summary, looked=True) for summary in card.summaries.values()
        ],
        "search_logs": [
            {"page": fragments.page("search-logs", log.id), "searched_on": log.searched_on}
            for log in snapshot.all(SearchLog)
            if log.actor == actor.id
        ],
        "miner": verdicts.of_government(edition, actor.id),
        "corrections": _corrections(edition, actor, actions, findings),
    }
    return Page(
        path=fragments.actor_page(edition, actor.id),
        template="actor.html",
        title=actor.name,
        data=data,
        things=_things(edition, actor, [*actions, *findings, *endorsements, *replies]),
        actors=[actor.id],
        shown=verdicts.SHOWN if data["miner"] else (0,),
    )


def in_short(card: Scorecard, findings: int) -> Data:
    """The figures of the one sentence at the top."""
    cells = list(card.cells.values())
    credited = [cell for cell in cells if cell.state is State.LEVEL]
    return {
        "indicators": len(cells),
        "credited": len(credited),
        "drafts": sum(cell.draft for cell in credited),
        "nothing_found": sum(cell.state is State.NOTHING_FOUND for cell in cells),
        "unknown": sum(cell.state is State.UNKNOWN and bool(cell.codings) for cell in cells),
        "nobody_has_looked": sum(cell.state is State.UNKNOWN and not cell.codings for cell in cells),
        "findings": findings,
    }


def profile_row(edition: Edition, card: Scorecard, summary: Summary) -> Data:
    """One recommendation: what reaches which stage, and the coded cells in full."""
    recommendation = next(r for r in edition.codebook.recommendations if r.id == summary.recommendation)
    cells = [card.cells[i.id] for i in edition.codebook.of(summary.recommendation)]
    return {
        "id": recommendation.id,
        "title": recommendation.title,
        "asks": recommendation.asks,
        "page": fragments.page("recommendations", recommendation.id),
        "indicators": len(cells),
        "applicable": summary.applicable,
        "coded": summary.coded,
        "coverage": round(summary.coverage, 4),
        "drafts": summary.drafts,
        "committed": summary.committed,
        "in_force": summary.in_force,
        "applied": summary.applied,
        "band": summary.band,
        "band_reason": summary.band_reason,
        "cells": [
            fragments.cell(edition, cell)
            for cell in cells
            if cell.inherited or not (cell.state is State.UNKNOWN and _only_unknown(edition, cell))
        ],
    }


def _only_unknown(edition: Edition, cell: Cell) -> bool:
    """Whether every coding of the cell says unknown; also where there is none."""
    return all(edition.snapshot.get(Coding, coding).answer == "unknown" for coding in cell.codings)


def _unknown(edition: Edition, card: Scorecard, summary: Summary, looked: bool) -> Data:
    """Questions of a recommendation that are unknown: those that a coder looked at, or all others."""
    cells = [(i, card.cells[i.id]) for i in edition.codebook.of(summary.recommendation)]
    found = [
        (i, cell)
        for i, cell in cells
        if cell.state is State.UNKNOWN and bool(cell.codings) == looked and _only_unknown(edition, cell)
    ]
    return {
        "recommendation": summary.recommendation,
        "indicators": [
            {
                "id": i.id,
                "title": i.title,
                "page": fragments.page("indicators", i.id),
                "coding": fragments.page("codings", cell.codings[0]) if looked else None,
            }
            for i, cell in found
        ],
    }


def _actor(edition: Edition, actor: Actor) -> Data:
    found = actor.model_dump(mode="json", exclude={"kind", "sources"})
    found["page"] = fragments.actor_page(edition, actor.id)
    found["is_government"] = actor.type == "government"
    found["country_name"] = edition.names.get(actor.country or "")
    found["sources"] = [fragments.listed(edition, s) for s in edition.snapshot.sources_of(actor)]
    return found


def _corrections(
    edition: Edition, actor: Actor, actions: list[Action], findings: list[Finding]
) -> list[Data]:
    about = {actor.id, *(a.id for a in actions), *(f.id for f in findings)}
    about |= {coding.id for coding in edition.snapshot.codings_of(actor.id)}
    found = [c for c in edition.snapshot.all(Correction) if c.about in about]
    return [c.model_dump(mode="json", exclude={"kind"}) for c in found]


def _last_step(action: Action) -> Any:
    return max(parse(step.date) for step in action.stages)


def _things(edition: Edition, actor: Actor, bodies: list[Action | Finding | Endorsement | Reply]) -> set[str]:
    """Everything shown: what the actor did, what others did that its next steps name, and all sources."""
    codings = edition.snapshot.codings_of(actor.id)
    found = {actor.id, *(body.id for body in bodies), *(c.id for c in codings)}
    found |= {source for body in bodies for source in body.sources}
    found |= verdicts.things(edition, actor.id)
    found |= {c.id for c in edition.snapshot.all(Correction) if c.about in found}
    for cell in edition.cards[actor.id].cells.values():
        if cell.inherited:
            found |= set(cell.inherited.codings)
        found |= {
            coding for other in edition.cells_of[cell.indicator] for coding in other.codings if cell.codings
        }
    return found
