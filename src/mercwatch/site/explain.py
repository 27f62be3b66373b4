"""A scorecard explained in the terminal: every level with its way back to the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from mercwatch.assessment.assess import next_step
from mercwatch.assessment.cells import Cell, Evidence, Holds, Scorecard, State, Test
from mercwatch.framework.codebook import Codebook
from mercwatch.record.kinds import Actor, Coding, Finding
from mercwatch.record.ledger import Snapshot


def as_json(card: Scorecard, snapshot: Snapshot, codebook: Codebook) -> dict[str, Any]:
    """The scorecard with the release it follows from and the address of every source."""
    return {
        "actor": card.actor,
        "as_of": card.as_of.isoformat(),
        "release": {"head": snapshot.release.head, "date": snapshot.release.body.date},
        "codebook": codebook.version,
        "reading": codebook.reading,
        "cells": [_cell_json(cell, snapshot) for cell in card.cells.values()],
        "summaries": [{**asdict(s), "coverage": round(s.coverage, 4)} for s in card.summaries.values()],
        "findings": [finding.model_dump(mode="json") for finding in snapshot.findings_on(card.actor)],
    }


def _cell_json(cell: Cell, snapshot: Snapshot) -> dict[str, Any]:
    found: dict[str, Any] = {k: v for k, v in asdict(cell).items() if k not in ("inherited", "tests")}
    found["as_of"] = cell.as_of.isoformat()
    found["until"] = cell.until.isoformat() if cell.until else None
    found["tests"] = [
        {
            **asdict(test),
            "until": test.until.isoformat() if test.until else None,
            "evidence": [{**asdict(e), "addresses": _addresses(e, snapshot)} for e in test.evidence],
        }
        for test in cell.tests
    ]
    found["inherited"] = _cell_json(cell.inherited, snapshot) if cell.inherited else None
    return found


def as_text(card: Scorecard, snapshot: Snapshot, codebook: Codebook) -> str:
    """The scorecard for people."""
    return "\n".join(_lines(card, snapshot, codebook))


def _lines(card: Scorecard, snapshot: Snapshot, codebook: Codebook) -> Iterator[str]:
    actor = snapshot.get(Actor, card.actor)
    release = snapshot.release
    yield f"{actor.name} as of {card.as_of}"
    yield f"known by release {release.body.number} of {release.body.date} ({release.head[:12]})"
    yield "Levels follow our working reading of the recommendations; see the codebook."
    for summary in card.summaries.values():
        title = next(r.title for r in codebook.recommendations if r.id == summary.recommendation)
        yield ""
        yield f"{summary.recommendation} {title}"
        yield f"  coded {summary.coded} of {summary.applicable}, {summary.drafts} draft; band: " + (
            summary.band or f"none, because {summary.band_reason}"
        )
        for indicator in codebook.of(summary.recommendation):
            yield from _cell(card.cells[indicator.id], snapshot, codebook)
    yield from _findings(snapshot, card.actor)


def _cell(cell: Cell, snapshot: Snapshot, codebook: Codebook) -> Iterator[str]:
    indicator = codebook.by_id[cell.indicator]
    yield f"  {cell.indicator} {indicator.title}: {verdict(cell)}"
    if cell.reason:
        yield f"      {cell.reason}"
    for test in cell.tests:
        yield from _test(test, snapshot)
    for coding in cell.codings:
        yield f"      coding {coding}: {snapshot.get(Coding, coding).rationale}"
    step = next_step(cell, indicator)
    if step:
        yield f"      next step, level {step.level}: {step.test}"
    if cell.inherited:
        yield f"      inherited from the EU: {verdict(cell.inherited)}"


def verdict(cell: Cell) -> str:
    """The cell in one phrase."""
    if cell.state is State.COUNT:
        said = f"count {cell.count}"
    elif cell.state is State.LEVEL:
        shown = cell.stage.value.replace("_", " ") if cell.stage else ""
        said = f"level {cell.level}, {shown}, since {cell.since}"
        said += f", until {cell.until}" if cell.until else ""
        said += f", confidence {cell.confidence}"
        if cell.judged and cell.level and cell.judged > cell.level:
            said += f" (judged {cell.judged}, capped by its sources)"
    elif cell.state is State.CONTESTED:
        said = f"contested, {cell.level} to {cell.high}"
    else:
        said = cell.state.value
    if cell.coming:
        said += f"; level {cell.coming[0]} from {cell.coming[1]}, day unknown"
    return said + (" [draft]" if cell.draft and cell.state is not State.UNKNOWN else "")


def _test(test: Test, snapshot: Snapshot) -> Iterator[str]:
    if not test.met:
        yield f"      level {test.level}: judged not met"
        return
    state = {Holds.YES: "met", Holds.NO: "was or will be met", Holds.DAY_UNKNOWN: "day unknown"}[test.holds]
    yield f"      level {test.level}: {state}, since {test.since}" + (
        f", until {test.until}" if test.until else ""
    )
    for evidence in test.evidence:
        yield f"        {evidence.id} (entry {evidence.entry[:12]}, confidence {evidence.confidence})"
        for address in _addresses(evidence, snapshot):
            yield f"          {address}"


def _addresses(evidence: Evidence, snapshot: Snapshot) -> list[str]:
    body = snapshot.live[evidence.id].body if evidence.id in snapshot.live else None
    return [source.address for source in snapshot.sources_of(body)] if body else []


def _findings(snapshot: Snapshot, actor: str) -> Iterator[str]:
    findings: list[Finding] = snapshot.findings_on(actor)
    if not findings:
        return
    yield ""
    yield "Contradicting practice, beside the levels and never netted into them"
    for finding in findings:
        series = finding.series or "context, operator not established"
        yield f"  {series}: {finding.title} ({finding.state}, found {finding.found} by {finding.found_by})"
        for source in snapshot.sources_of(finding):
            yield f"      {source.address}"
