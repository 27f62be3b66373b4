"""The record at one release as flat tables, for whoever computes with it: the data package and the database.

A reference that leads nowhere, because its target is withheld, is left empty; a row that cannot
stand without it is left out, so that every foreign key of a download holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from mercwatch.assessment.cells import Cell, Scorecard
from mercwatch.coding.agreement import Agreement
from mercwatch.framework.codebook import Codebook
from mercwatch.publishing.captures import source_of
from mercwatch.publishing.table_shapes import (
    ACTOR,
    DATES,
    ENTRY,
    INDICATOR,
    INDICATOR_LEVEL,
    RECOMMENDATION,
    THINGS,
    Column,
    Foreign,
    Row,
    Table,
    Thing,
    Value,
    day,
    flag,
    maybe,
    number,
    text,
)
from mercwatch.publishing.verdicts import is_draft, passage_of
from mercwatch.record.entries import Entry
from mercwatch.record.kinds import Action, Capture, Coding, Finding, Passage, Recheck, Verdict
from mercwatch.record.ledger import Snapshot

# A column of one of these names always refers to that table, by its id.
_REFERS = {
    "action": "actions",
    "actor": "actors",
    "capture": "captures",
    "coder": "coders",
    "coding": "codings",
    "country": "actors",
    "finding": "findings",
    "indicator": "indicators",
    "instrument": "instruments",
    "recorded_by": "coders",
    "passage": "passages",
    "recheck": "rechecks",
    "recommendation": "recommendations",
    "search_log": "search_logs",
    "source": "sources",
    "stands": "codings",
}
# Lists of texts, joined by "; "; all other lists are of ids or codes, joined by a space.
_TEXTS = {
    "counts",
    "does_not_count",
    "documents",
    "vendors",
    "aliases",
    "owners",
    "places",
    "queries",
    "hits",
    "gaps",
}


def tables(
    snapshot: Snapshot,
    codebook: Codebook,
    cards: Mapping[str, Scorecard],
    agreement: Sequence[Agreement] = (),
) -> list[Table]:
    """All tables of a release: the questions, what is recorded, and the levels that follow from it."""
    found = [
        *_questions(codebook),
        *(_things(thing, snapshot) for thing in THINGS),
        *(_parts(part, snapshot) for part in _PARTS),
        _levels(snapshot, cards),
        _agreement(agreement),
        _withheld(snapshot),
    ]
    return _sound(found)


def _table(
    name: str, title: str, columns: Sequence[Column], rows: Iterable[Row], key: Sequence[str] = ("id",)
) -> Table:
    refers = [(c.name, _REFERS[c.name]) for c in columns if c.name in _REFERS]
    foreign = tuple(Foreign(column, table, "id") for column, table in refers)
    table = Table(name, title, tuple(columns), tuple(key), foreign, ())
    places = [table.place(column) for column in key]
    return replace(table, rows=tuple(sorted(rows, key=lambda row: [_order(row[place]) for place in places])))


def _order(value: Value) -> tuple[list[str | int], str]:
    """Numbers inside a text count as numbers: R2 before R10."""
    pieces = re.split(r"([0-9]+)", str(value))
    return [int(piece) if n % 2 else piece for n, piece in enumerate(pieces)], str(value)


def _plain(column: str, value: object) -> Value:
    """A field's value as text, number or flag; an empty text or list is no value."""
    if isinstance(value, tuple | list):
        glue = "; " if column in _TEXTS else " "
        return glue.join(str(_plain("", item)) for item in value) or None
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, int):
        return value
    return str(value) or None


def _row(columns: Sequence[Column], item: object, **more: Value) -> Row:
    """The item's fields in the columns' order, with those that are not its own."""
    return tuple(
        more[c.name] if c.name in more else _plain(c.name, getattr(item, c.name, None)) for c in columns
    )


def _questions(codebook: Codebook) -> Iterator[Table]:
    yield _table(
        "recommendations",
        "The Blueprint's recommendations, in our working reading",
        RECOMMENDATION,
        (_row(RECOMMENDATION, r, addressees="; ".join(r.addressees)) for r in codebook.recommendations),
    )
    yield _table(
        "indicators",
        "The questions asked under each recommendation",
        INDICATOR,
        (_row(INDICATOR, indicator) for indicator in codebook.indicators),
    )
    yield _table(
        "indicator_levels",
        "The test for each level of an indicator",
        INDICATOR_LEVEL,
        (_row(INDICATOR_LEVEL, level, indicator=i.id) for i in codebook.indicators for level in i.levels),
        ("indicator", "level"),
    )


def _things(thing: Thing, snapshot: Snapshot) -> Table:
    columns = (*thing.columns, *ENTRY)
    live = (entry for entry in snapshot.live.values() if isinstance(entry.body, thing.kind))
    rows = [_row(columns, entry.body, **_of_entry(snapshot, entry)) for entry in live]
    return _table(thing.name, thing.title, columns, rows)


def _of_entry(snapshot: Snapshot, entry: Entry) -> dict[str, Value]:
    """What a row says of its entry, and what it takes from other entries or from the parts of its own."""
    found: dict[str, Value] = {
        "entry": entry.name,
        "release": snapshot.released_in[entry.name].body.number,
    }
    if isinstance(entry.body, Verdict):
        passage = passage_of(snapshot, entry.body)
        found |= {"recorded_by": entry.envelope.recorded_by, "draft": is_draft(snapshot, entry)}
        found |= {name: getattr(passage, name, None) for name in ("file", "start", "end")}
        found["source"] = source_of(snapshot, passage) if passage else None
    elif isinstance(entry.body, Passage):
        found["source"] = source_of(snapshot, entry.body)
    elif isinstance(entry.body, Capture):
        found |= _of_capture(entry.body)
    return found


def _of_capture(body: Capture) -> dict[str, Value]:
    """How it was read, and its time stamp: empty where there is none."""
    read = ("reader", "text_sha256", "language", "published", "pages", "scanned")
    stamp = ("authority", "time", "token_sha256")
    return {
        **{name: _plain(name, getattr(body.read, name, None)) for name in read},
        **{f"stamp_{name}": getattr(body.stamp, name, None) for name in stamp},
    }


@dataclass(frozen=True)
class _Part:
    """A table of what things of one kind hold several of."""

    name: str
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rows: Callable[[Snapshot, tuple[Column, ...]], Iterator[Row]]


def _stages(snapshot: Snapshot, columns: tuple[Column, ...]) -> Iterator[Row]:
    for action in snapshot.all(Action):
        for position, stage in enumerate(action.stages, start=1):
            yield _row(columns, stage, action=action.id, position=position)


def _action_sources(snapshot: Snapshot, columns: tuple[Column, ...]) -> Iterator[Row]:
    for action in snapshot.all(Action):
        yield from ((action.id, source, action.where.get(source)) for source in dict.fromkeys(action.sources))


def _finding_sources(snapshot: Snapshot, columns: tuple[Column, ...]) -> Iterator[Row]:
    for finding in snapshot.all(Finding):
        yield from (
            (finding.id, source, finding.where.get(source)) for source in dict.fromkeys(finding.sources)
        )


def _coding_tests(snapshot: Snapshot, columns: tuple[Column, ...]) -> Iterator[Row]:
    for coding in snapshot.all(Coding):
        yield from (_row(columns, test, coding=coding.id) for test in coding.tests)


def _coding_evidence(snapshot: Snapshot, columns: tuple[Column, ...]) -> Iterator[Row]:
    for coding in snapshot.all(Coding):
        for position, (level, thing) in enumerate(_cited(coding), start=1):
            yield coding.id, position, level, thing, coding.pins.get(thing)


def _cited(coding: Coding) -> Iterator[tuple[int | None, str]]:
    for test in coding.tests:
        yield from ((test.level, thing) for thing in dict.fromkeys(test.by))
    yield from ((None, thing) for thing in dict.fromkeys(coding.counted))
    if coding.search_log:
        yield None, coding.search_log


def _recheck_passages(snapshot: Snapshot, columns: tuple[Column, ...]) -> Iterator[Row]:
    for recheck in snapshot.all(Recheck):
        told = {now.passage: now for now in recheck.passages}
        yield from (_row(columns, now, recheck=recheck.id) for now in told.values())


PLACE = maybe("place", "Where in the source the fact stands: article, section, page.")
_PARTS = (
    _Part(
        "action_stages",
        "The steps in the history of each action",
        (
            text("action", "The action."),
            number("position", "Its place in the history, from 1."),
            text("stage", "announced, adopted, in_force, applied or ended."),
            text("date", f"When. {DATES}"),
            maybe("note", "Note."),
        ),
        ("action", "position"),
        _stages,
    ),
    _Part(
        "action_sources",
        "The sources of each action",
        (text("action", "The action."), text("source", "The source."), PLACE),
        ("action", "source"),
        _action_sources,
    ),
    _Part(
        "finding_sources",
        "The sources of each finding",
        (text("finding", "The finding."), text("source", "The source."), PLACE),
        ("finding", "source"),
        _finding_sources,
    ),
    _Part(
        "coding_tests",
        "The tests that each coding judged",
        (
            text("coding", "The coding."),
            number("level", "The level whose test was judged."),
            flag("met", "Whether it is met."),
            maybe("since", f"From when. {DATES}"),
            maybe("until", f"Until when. {DATES}"),
        ),
        ("coding", "level"),
        _coding_tests,
    ),
    _Part(
        "coding_evidence",
        "What each coding rests on, pinned to the version that the coder saw",
        (
            text("coding", "The coding."),
            number("position", "Its place in the coding, from 1."),
            number("level", "The level whose test it bears on; empty for a count or a search.", False),
            text("thing", "Id of the action, endorsement or search log."),
            maybe("entry", "Name of its entry as pinned."),
        ),
        ("coding", "position"),
        _coding_evidence,
    ),
    _Part(
        "recheck_passages",
        "What became of each passage that is cited, at the recheck of its capture",
        (
            text("recheck", "The recheck."),
            text("passage", "The passage."),
            text("fate", "unchanged, moved, altered or gone."),
            number("start", "Where it begins now, in bytes of the text read then.", False),
        ),
        ("recheck", "passage"),
        _recheck_passages,
    ),
)


def _parts(part: _Part, snapshot: Snapshot) -> Table:
    return _table(part.name, part.title, part.columns, part.rows(snapshot, part.columns), part.key)


_LEVEL = (
    ACTOR,
    text("indicator", "The indicator."),
    day("as_of", "The day that the level is of.", True),
    text("state", "What is known; only 'level' and 'searched, nothing found' enter sums."),
    number("level", "The level; 0 only where a complete search found nothing; empty is not 0.", False),
    number("high", "Where contested: the range runs from level to high.", False),
    maybe("stage", "What the level shows: committed, in_force or applied."),
    number("judged", "The level as judged, where the sources cap it lower.", False),
    number("count", "The count, for indicators that count.", False),
    maybe("since", f"Since when. {DATES}"),
    day("until", "With no new deeds the level falls on that day."),
    flag("draft", "Whether no person has reviewed it."),
    maybe("confidence", "A to D, from the weakest needed source."),
    maybe("codings", "Codings that it rests on, joined by a space."),
    number("inherited_level", "The EU's level, beside the member's own and never summed with it.", False),
    maybe("reason", "Why there is no level, or why it is not applicable or under review."),
    text("page", "Its place on the site."),
)


def _levels(snapshot: Snapshot, cards: Mapping[str, Scorecard]) -> Table:
    governments = {actor.id for actor in snapshot.governments()}
    rows = (
        _row(
            _LEVEL,
            cell,
            inherited_level=cell.inherited.level if cell.inherited else None,
            page=_page(cell, cell.actor in governments),
        )
        for card in cards.values()
        for cell in card.cells.values()
    )
    return _table("levels", "One row for each actor and indicator", _LEVEL, rows, ("actor", "indicator"))


def _page(cell: Cell, government: bool) -> str:
    return f"/{'governments' if government else 'organisations'}/{cell.actor}/#{cell.indicator}"


_AGREEMENT = (
    text("indicator", "The indicator."),
    number("meaning", "The meaning-version that was judged."),
    flag("current", "Whether it is the current one; if not, these are the figures before a revision."),
    text("pairing", "Who was compared: machine with machine, machine with person, person with person."),
    number("cells", "Cells judged by at least two blind coders."),
    number("left_out", "Cells left out, of actors whose disagreements shaped this wording."),
    text("percent", "Share of pairs that judged the same, 0 to 1."),
    maybe("alpha", "Krippendorff's alpha; empty where undefined."),
    maybe("low", "Lower end of its 95 % bootstrap interval; empty where undefined."),
    maybe("high", "Upper end."),
    maybe("ac2", "Gwet's AC2; empty where undefined."),
)


def _agreement(found: Sequence[Agreement]) -> Table:
    rows = (
        _row(
            _AGREEMENT,
            one,
            cells=one.n,
            percent=_decimal(one.percent),
            alpha=_decimal(one.alpha),
            low=_decimal(one.interval[0] if one.interval else None),
            high=_decimal(one.interval[1] if one.interval else None),
            ac2=_decimal(one.ac2),
        )
        for one in found
    )
    key = ("indicator", "meaning", "pairing")
    return _table(
        "agreement", "How far blind coders agree on each indicator's wording", _AGREEMENT, rows, key
    )


def _decimal(number: float | None) -> str | None:
    """Four decimals, as text: a float's last digits may differ between machines."""
    return None if number is None else f"{number:.4f}"


_WITHHELD = (
    text("name", "Name of the entry."),
    text("date", "Day."),
    text("reason", "Why."),
)


def _withheld(snapshot: Snapshot) -> Table:
    rows = (_row(_WITHHELD, gone) for gone in snapshot.withheld.values())
    return _table("withheld", "Entries whose body is not published", _WITHHELD, rows, ("name",))


def _sound(found: list[Table]) -> list[Table]:
    """The tables with every reference holding; what is left out may be referred to, so look again."""
    known = {table.name: {row[0] for row in table.rows} for table in found}
    mended = [_mended(table, known) for table in found]
    return mended if mended == found else _sound(mended)


def _mended(table: Table, known: Mapping[str, set[Value]]) -> Table:
    rows: list[Row] = []
    for row in table.rows:
        lost = {
            place
            for foreign in table.foreign
            if row[place := table.place(foreign.column)] not in known[foreign.table]
        }
        if not any(table.columns[place].required for place in lost):
            rows.append(tuple(None if place in lost else value for place, value in enumerate(row)))
    return replace(table, rows=tuple(rows))
