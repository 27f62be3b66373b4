"""Methodology, corrections, changes, about, data, and the page for what is not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from mercwatch.assessment.cells import State
from mercwatch.coding.agreement import ENOUGH, mean_alpha
from mercwatch.framework.load import guide
from mercwatch.publishing import coverage, fragments
from mercwatch.publishing.edition import Edition
from mercwatch.publishing.markdown import to_html
from mercwatch.publishing.page import Page
from mercwatch.publishing.words import CONFIDENCE, SERIES
from mercwatch.record.entries import Entry, Release
from mercwatch.record.kinds import Action, Actor, Coder, Coding, Correction, Finding, Source

Data = dict[str, Any]
SHOWN_CHANGES = 100


def pages(edition: Edition) -> Iterator[Page]:
    """The pages about the tracker itself."""
    live = edition.snapshot.live
    rulings = guide(edition.codebook.version)
    yield Page(
        "/methodology/",
        "methodology.html",
        "Methodology",
        {**_methodology(edition), "guide": rulings},
        list(live),
        drawing={"guide_html": to_html(rulings)},
    )
    corrections = [c.model_dump(mode="json", exclude={"kind"}) for c in edition.snapshot.all(Correction)]
    corrections.sort(key=lambda c: (c["date"], c["id"]), reverse=True)
    yield Page(
        "/corrections/",
        "corrections.html",
        "Corrections",
        {"corrections": corrections},
        [c["id"] for c in corrections],
    )
    yield Page("/changes/", "changes.html", "Changes", _changes(edition), list(live))
    yield Page("/about/", "about.html", "About", {"reading": edition.codebook.reading}, [])
    yield Page("/data/", "data.html", "Data", _data(edition), list(live))


def release_data(release: Release) -> Data:
    """A release as pages name it."""
    return {
        "number": release.body.number,
        "date": release.body.date,
        "head": release.head,
        "note": release.body.note,
    }


def _methodology(edition: Edition) -> Data:
    codebook = edition.codebook
    return {
        "codebook": codebook.version,
        "reading": codebook.reading,
        "confidence": [{"grade": grade.value, "words": words} for grade, words in CONFIDENCE.items()],
        "series": [{"series": name, "words": words} for name, words in SERIES.items()],
        "capabilities": [c.model_dump() for c in codebook.capabilities],
        "agencies": [a.model_dump() for a in codebook.agencies],
        "not_applicable_reasons": [r.model_dump() for r in codebook.not_applicable_reasons],
        "coders": [c.model_dump(mode="json", exclude={"kind"}) for c in edition.snapshot.all(Coder)],
        "sample": coverage.of_sample(edition),
        "coverage": [_coverage(edition, r.id) for r in codebook.recommendations],
        "agreement": agreement(edition),
        "sources": _sources(edition),
    }


def agreement(edition: Edition) -> Data:
    """Agreement between blind coders: the mean, and each wording with its figures."""
    found = edition.agreement
    current = [one for one in found if one.current]
    mean = mean_alpha(current)
    alphas = [one.alpha for one in current if one.n >= ENOUGH and one.alpha is not None]
    return {
        "enough": ENOUGH,
        "mean_alpha": _two(mean),
        "indicators_in_mean": len(alphas),
        "cells": sum(one.n for one in current),
        "rows": [
            {
                "indicator": one.indicator,
                "title": edition.codebook.by_id[one.indicator].title,
                "page": fragments.page("indicators", one.indicator),
                "meaning": one.meaning,
                "current": one.current,
                "pairing": one.pairing,
                "n": one.n,
                "left_out": one.left_out,
                "percent": round(100 * one.percent),
                "alpha": _two(one.alpha),
                "low": _two(one.interval[0]) if one.interval else None,
                "high": _two(one.interval[1]) if one.interval else None,
                "ac2": _two(one.ac2),
            }
            for one in found
        ],
        "revisions": [
            {
                "indicator": i.id,
                "meaning": i.meaning,
                "because": i.revised_because,
                "learned_from": [fragments.actor(edition, a) for a in i.learned_from if a in edition.names],
            }
            for i in edition.codebook.indicators
            if i.revised_because
        ],
    }


def _two(number: float | None) -> str | None:
    """Two decimals, as text, so that no float's tail reaches a page."""
    return None if number is None else f"{number:.2f}"


def _coverage(edition: Edition, recommendation: str) -> Data:
    cells = [c for i in edition.codebook.of(recommendation) for c in edition.cells_of[i.id]]
    states = Counter(cell.state for cell in cells)
    levels = Counter(cell.level for cell in cells if cell.state is State.LEVEL)
    return {
        "recommendation": recommendation,
        "page": fragments.page("recommendations", recommendation),
        "cells": len(cells),
        "level_1": levels[1],
        "level_2": levels[2],
        "level_3": levels[3],
        "drafts": sum(cell.draft for cell in cells if cell.coded),
        "nothing_found": states[State.NOTHING_FOUND],
        "other": states[State.COUNT]
        + states[State.CONTESTED]
        + states[State.UNDER_REVIEW]
        + states[State.NOT_APPLICABLE],
        "unknown": states[State.UNKNOWN],
    }


def _sources(edition: Edition) -> Data:
    sources = edition.snapshot.all(Source)
    return {
        "all": len(sources),
        "by_nature": dict(sorted(Counter(s.nature for s in sources).items())),
        "by_reading": dict(sorted(Counter(s.read for s in sources).items())),
    }


def _changes(edition: Edition) -> Data:
    """Releases, the newest first; of each the kinds that it added and what it superseded, with reasons."""
    return {"releases": [_release(edition, release) for release in reversed(edition.snapshot.releases)]}


def _release(edition: Edition, release: Release) -> Data:
    entries = [edition.snapshot.entries[n] for n in release.body.entries if n in edition.snapshot.entries]
    superseding = [_change(edition, e) for e in entries if e.envelope.supersedes]
    new = [_change(edition, e) for e in entries if not e.envelope.supersedes and release.body.number > 1]
    return {
        **release_data(release),
        "kinds": dict(sorted(Counter(entry.kind.replace("_", " ") for entry in entries).items())),
        "entries": len(release.body.entries),
        "superseding": superseding[:SHOWN_CHANGES],
        "new": new[:SHOWN_CHANGES],
        "not_shown": max(0, len(superseding) - SHOWN_CHANGES) + max(0, len(new) - SHOWN_CHANGES),
    }


def _change(edition: Edition, entry: Entry) -> Data:
    folders = {Action: "actions", Finding: "findings", Coding: "codings", Source: "sources"}
    folder = folders.get(type(entry.body))
    page = fragments.page(folder, entry.id) if folder else None
    if isinstance(entry.body, Actor):
        page = fragments.actor_page(edition, entry.id)
    title = getattr(entry.body, "title", None) or entry.id
    return {
        "id": entry.id,
        "kind": entry.kind.replace("_", " "),
        "title": title,
        "page": page,
        "reason": entry.envelope.reason,
    }


def _data(edition: Edition) -> Data:
    return {
        "release": release_data(edition.snapshot.release),
        "entries": len(edition.snapshot.entries),
        "withheld": len(edition.snapshot.withheld),
    }
