"""What holds for any record: two clocks, falling levels, findings beside, order without meaning."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import BASE, Record, Thing, action, coding, government, source
from mercwatch.assessment.assess import assess_all
from mercwatch.assessment.cells import Cell, Scorecard
from mercwatch.framework.load import load
from mercwatch.record.dates import parse
from mercwatch.record.ledger import Ledger, Snapshot

CODEBOOK = load()
GOVERNMENTS = {f"R{number}" for number in range(1, 8)}
LADDERS = [i.id for i in CODEBOOK.indicators if i.kind == "ladder" and i.recommendation in GOVERNMENTS]
SOURCES = [
    source("src-primary"),
    source("src-summary", "official-summary"),
    source("src-secondary", "secondary"),
    source("src-press", "press", "full-text"),
]

days = st.dates(date(2019, 1, 1), date(2026, 1, 1))


@st.composite
def dates(draw: st.DrawFn) -> str:
    """A day, a month, a year, or an interval of two days."""
    day = draw(days)
    form = draw(st.sampled_from(["day", "month", "year", "interval"]))
    if form == "interval":
        return f"{day}/{day + timedelta(days=draw(st.integers(1, 400)))}"
    return {"day": day.isoformat(), "month": f"{day:%Y-%m}", "year": f"{day:%Y}"}[form]


@st.composite
def deeds(draw: st.DrawFn, number: int, actor: str) -> Thing:
    """A law with some of its stages, from some source."""
    stages = [("in_force", draw(dates()))]
    stages += [("applied", text) for text in draw(st.lists(dates(), min_size=1, max_size=3))]
    if draw(st.booleans()):
        stages.append(("ended", draw(dates())))
    of = draw(st.sampled_from(SOURCES))["id"]
    return action(f"{actor.lower()}-deed-{number}", *stages, actor=actor, of=of)


@st.composite
def records(draw: st.DrawFn) -> list[Thing]:
    """Two governments' deeds, and codings of some ladders by one or two coders."""
    rows: list[Thing] = [*BASE, government("DE"), *SOURCES]
    for actor in ("FR", "DE"):
        mine = [draw(deeds(number, actor)) for number in range(draw(st.integers(1, 3)))]
        rows += mine
        indicators = draw(st.lists(st.sampled_from(LADDERS), min_size=1, max_size=3, unique=True))
        for indicator in indicators:
            for coder in draw(st.sampled_from([["machine-1"], ["machine-1", "person-1"]])):
                rows.append(draw(judged(indicator, actor, coder, mine)))
    return rows


@st.composite
def judged(draw: st.DrawFn, indicator: str, actor: str, coder: str, deeds: Sequence[Thing]) -> Thing:
    """A coding that some of the deeds meet some of the tests."""
    tests = []
    for level in draw(st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=3, unique=True)):
        by = draw(st.lists(st.sampled_from(deeds), min_size=1, max_size=2, unique_by=lambda deed: deed["id"]))
        begun = max(min(parse(s["date"]).first for s in deed["stages"]) for deed in by)
        later = begun + timedelta(days=draw(st.integers(0, 300)))
        since = draw(st.sampled_from([later.isoformat(), f"{later:%Y}", f"{begun}/{later}"]))
        tests.append((level, [deed["id"] for deed in by], since))
    return coding(indicator, *tests, actor=actor, coder=coder)


def cards(snapshot: Snapshot, as_of: date) -> dict[str, Scorecard]:
    return assess_all(snapshot, CODEBOOK, as_of)


def released(rows: Sequence[Thing], day: str = "2026-01-02") -> Record:
    return Record(CODEBOOK).release(day, *rows)


@settings(max_examples=40, deadline=None)
@given(records(), records(), days)
def test_what_is_released_after_a_day_never_changes_what_was_known_on_it(
    first: list[Thing], second: list[Thing], as_of: date
) -> None:
    record = released(first)
    known = cards(record.ledger.known_on(date(2026, 3, 1)), as_of)
    ids = {row["id"]: row for row in first}
    fresh = [row for row in second if row["id"] not in ids]
    revised = [{**row, "because": "Revised."} for row in second if ids.get(row["id"], row) != row]
    extra = action("fr-extra", ("applied", "2020-01-01"))
    record.release("2026-04-01", *_consistent(fresh + revised, ids), extra)
    assert cards(record.ledger.known_on(date(2026, 3, 1)), as_of) == known


def _consistent(rows: Sequence[Thing], ids: dict[str, Any]) -> list[Thing]:
    """Only deeds: codings of the second record may rest on deeds that this one dates otherwise."""
    return [row for row in rows if row["kind"] == "action"]


@settings(max_examples=40, deadline=None)
@given(records(), days, st.data())
def test_deeds_after_a_day_never_change_an_answer_as_of_it(
    rows: list[Thing], as_of: date, data: st.DataObject
) -> None:
    before = cards(released(rows).ledger.at(), as_of)
    later = (as_of + timedelta(days=data.draw(st.integers(1, 900)))).isoformat()
    deed = action("fr-later", ("in_force", later), ("applied", later), of="src-primary")
    grown = [
        _with_test(row, later) if row["kind"] == "coding" and row["actor"] == "FR" else row for row in rows
    ]
    after = cards(released([*grown, deed]).ledger.at(), as_of)
    for actor, card in before.items():
        for indicator, cell in card.cells.items():
            assert _answer(after[actor].cells[indicator]) == _answer(cell)


def _with_test(row: Thing, later: str) -> Thing:
    """The coding, with its unused levels met by a deed that comes later."""
    used = {test["level"] for test in row["tests"]}
    more = [
        {"level": level, "met": True, "by": ["fr-later"], "since": later}
        for level in (1, 2, 3)
        if level not in used
    ]
    return {**row, "tests": [*row["tests"], *more]}


def _answer(cell: Cell) -> tuple[object, ...]:
    return cell.state, cell.level, cell.high, cell.judged, cell.since, cell.coming, cell.confidence


@settings(max_examples=40, deadline=None)
@given(records(), days)
def test_adding_context_or_findings_never_changes_a_level(rows: list[Thing], as_of: date) -> None:
    before = cards(released(rows).ledger.at(), as_of)
    finding = {
        "kind": "finding",
        "id": "fr-finding",
        "actor": "FR",
        "title": "A finding",
        "summary": "It was found.",
        "found": "2022",
        "found_by": "A court",
        "operator": "Police",
        "operator_established_by": "A court",
        "series": "N3",
        "state": "finding",
        "recommendations": ["R1"],
        "sources": ["src-primary"],
    }
    mark = {"kind": "context", "id": "c", "about": "fr-deed-0", "coder": "machine-1", "reason": "Context."}
    assert cards(released([*rows, finding, mark]).ledger.at(), as_of) == before


@settings(max_examples=60, deadline=None)
@given(records())
def test_with_no_new_deeds_a_level_only_falls_and_on_the_printed_day(rows: list[Thing]) -> None:
    snapshot = released(rows).ledger.at()
    day = date(2028, 1, 1)  # after every deed, even where only a year or an interval is known
    while day < date(2031, 1, 1):
        today = cards(snapshot, day)
        tomorrow = cards(snapshot, day + timedelta(days=1))
        for actor, card in today.items():
            for indicator, cell in card.cells.items():
                after = tomorrow[actor].cells[indicator]
                if cell.high is None and after.high is None:
                    assert (after.level or 0) <= (cell.level or 0)
                    if (after.level or 0) < (cell.level or 0):
                        assert cell.until == day + timedelta(days=1)
        untils = [c.until for card in today.values() for c in card.cells.values() if c.until]
        day = max(day + timedelta(days=1), min(untils, default=date(2031, 1, 1)) - timedelta(days=1))


@settings(max_examples=40, deadline=None)
@given(records(), st.integers(0, 2**32), days)
def test_the_order_in_which_entries_come_in_means_nothing(rows: list[Thing], seed: int, as_of: date) -> None:
    ledger = released(rows).ledger
    entries = list(ledger.entries.values())
    random.Random(seed).shuffle(entries)  # noqa: S311 - an order, not a secret
    half = len(entries) // 2
    union = Ledger.of([*entries[half:], *entries[:half], *entries[:3]], reversed(ledger.releases))
    assert cards(union.at(), as_of) == cards(ledger.at(), as_of)
