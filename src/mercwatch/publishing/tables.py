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
from typing import Literal

from mercwatch.assessment.cells import Cell, Scorecard
from mercwatch.framework.codebook import Codebook, Strict
from mercwatch.record.kinds import (
    Action,
    Actor,
    Adjudication,
    Body,
    Coder,
    Coding,
    Context,
    Correction,
    Endorsement,
    Finding,
    Instrument,
    Membership,
    Reply,
    SearchLog,
    Source,
)
from mercwatch.record.ledger import Snapshot

Value = str | int | bool | None
Row = tuple[Value, ...]
Type = Literal["string", "integer", "boolean", "date"]


@dataclass(frozen=True)
class Column:
    """One column, with what its values mean."""

    name: str
    type: Type
    description: str
    required: bool


@dataclass(frozen=True)
class Foreign:
    """A column whose values are keys of another table."""

    column: str
    table: str
    key: str


@dataclass(frozen=True)
class Table:
    """One table; its rows are sorted by its key."""

    name: str
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    foreign: tuple[Foreign, ...]
    rows: tuple[Row, ...]

    def place(self, column: str) -> int:
        """Where the column stands in a row."""
        return [c.name for c in self.columns].index(column)


# A column of one of these names always refers to that table, by its id.
_REFERS = {
    "action": "actions",
    "actor": "actors",
    "coder": "coders",
    "coding": "codings",
    "country": "actors",
    "finding": "findings",
    "indicator": "indicators",
    "instrument": "instruments",
    "recommendation": "recommendations",
    "search_log": "search_logs",
    "source": "sources",
    "stands": "codings",
}
# Lists of texts, joined by "; "; all other lists are of ids or codes, joined by a space.
_TEXTS = {"counts", "does_not_count", "documents", "vendors", "places", "queries", "hits", "gaps"}


def tables(snapshot: Snapshot, codebook: Codebook, cards: Mapping[str, Scorecard]) -> list[Table]:
    """All tables of a release: the questions, what is recorded, and the levels that follow from it."""
    found = [
        *_questions(codebook),
        *(_things(thing, snapshot) for thing in _THINGS),
        *(_parts(part, snapshot) for part in _PARTS),
        _levels(snapshot, cards),
        _withheld(snapshot),
    ]
    return _sound(found)


def _text(name: str, description: str) -> Column:
    return Column(name, "string", description, True)


def _maybe(name: str, description: str) -> Column:
    return Column(name, "string", description, False)


def _number(name: str, description: str, required: bool = True) -> Column:
    return Column(name, "integer", description, required)


def _flag(name: str, description: str) -> Column:
    return Column(name, "boolean", description, True)


def _day(name: str, description: str, required: bool = False) -> Column:
    return Column(name, "date", description, required)


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
        _RECOMMENDATION,
        (_row(_RECOMMENDATION, r, addressees="; ".join(r.addressees)) for r in codebook.recommendations),
    )
    yield _table(
        "indicators",
        "The questions asked under each recommendation",
        _INDICATOR,
        (_row(_INDICATOR, indicator) for indicator in codebook.indicators),
    )
    yield _table(
        "indicator_levels",
        "The test for each level of an indicator",
        _INDICATOR_LEVEL,
        (_row(_INDICATOR_LEVEL, level, indicator=i.id) for i in codebook.indicators for level in i.levels),
        ("indicator", "level"),
    )


_RECOMMENDATION = (
    _text("id", "Id, R1 to R11."),
    _text("title", "Title."),
    _text("addressees", "Whom it addresses, joined by '; '."),
    _text("asks", "What it asks, in our words."),
)
_INDICATOR = (
    _text("id", "Id: the recommendation's and a number."),
    _text("recommendation", "The recommendation that it belongs to."),
    _number("meaning", "Meaning-version: grows by one when the meaning changes."),
    _text("title", "Title."),
    _text("question", "The question."),
    _text("kind", "How its levels are to be read: ladder, coverage, stage, count or yes_no."),
    _number("window_months", "Months after which the evidence of windowed levels ages out.", False),
    _flag("top_needs_application", "Whether the highest level needs an application."),
    _flag("inheritable", "Whether members of the EU are shown the EU's level beside their own."),
    _text("counts", "What counts, joined by '; '."),
    _text("does_not_count", "What does not count, joined by '; '."),
    _text("documents", "What a search must have covered, joined by '; '."),
    _maybe("not_applicable", "Reasons for which it may be not applicable, joined by a space."),
)
_INDICATOR_LEVEL = (
    _text("indicator", "The indicator."),
    _number("level", "The level, 1 and up."),
    _text("stage", "What it shows: committed, in_force or applied."),
    _text("test", "The test that must be met."),
    _flag("windowed", "Whether its evidence ages out of the indicator's window."),
)


@dataclass(frozen=True)
class _Thing:
    """A table of all live things of one kind, one row a thing."""

    name: str
    title: str
    kind: type[Strict]
    columns: tuple[Column, ...]


# Which version of the thing a row shows: whoever holds the dump can check it.
_ENTRY = (
    _text("entry", "Name of the entry that this row shows: the SHA-256 of its canonical JSON."),
    _number("release", "Number of the release that added this entry."),
)
_ID = _text("id", "Stable id.")
_ACTOR = _text("actor", "Whose it is: an id in actors.")
_SOURCES = _text("sources", "Ids in sources, joined by a space.")
_RECOMMENDATIONS = _text("recommendations", "Ids in recommendations, joined by a space.")
_CODER = _maybe("coder", "Who judged: an id in coders.")
_NOTE = _maybe("note", "What is not confirmed, or stands against it.")
_CAPABILITIES = _maybe("capabilities", "Capabilities that it is about, joined by a space.")
_VENDORS = _maybe("vendors", "Vendors as the sources name them, joined by '; '.")
_DATES = "Written as 2024, 2024-03, 2024-03-05, or an interval A/B; '..' is an unknown beginning."

_THINGS = (
    _Thing(
        "sources",
        "Documents, and how far each was read",
        Source,
        (
            _ID,
            _text("publisher", "Publisher."),
            _text("title", "Title, in the document's own words."),
            _text("address", "Address on the web."),
            _text("language", "Language, ISO 639."),
            _text("nature", "primary, official-summary, secondary or press."),
            _text("read", "How far it was read: full-text, provision, excerpt or not-read."),
            _maybe("read_on", "Day on which it was read."),
            _maybe("copy_read", "live page or stored copy."),
            _maybe("published", f"When it was published. {_DATES}"),
            _maybe("note", "What is to be known about the source."),
        ),
    ),
    _Thing(
        "actors",
        "Governments, companies, civil-society organisations and other bodies",
        Actor,
        (
            _text("id", "Stable id; for a government its ISO 3166-1 alpha-2 code, EU or XK."),
            _text("type", "government, company, civil-society or body."),
            _text("name", "Name."),
            _maybe("name_fr", "Name in French, for governments."),
            _maybe("iso3", "ISO 3166-1 alpha-3 code."),
            _maybe("region", "Region, for governments."),
            _maybe("status", "At the United Nations: member, observer, union or other."),
            _maybe("country", "Seat of an organisation: an id in actors."),
            _NOTE,
            _SOURCES,
        ),
    ),
    _Thing(
        "coders",
        "Who judged: persons, and machines under instructions",
        Coder,
        (
            _ID,
            _text("type", "person or machine."),
            _maybe("model", "Which model, for a machine."),
            _maybe("instructions", "Under which instructions, for a machine."),
        ),
    ),
    _Thing(
        "memberships",
        "Membership of the European Union",
        Membership,
        (
            _ID,
            _ACTOR,
            _text("group", "Of what: EU."),
            _text("since", "First day."),
            _maybe("until", "Last day."),
            _SOURCES,
        ),
    ),
    _Thing(
        "instruments",
        "Texts that actors endorse",
        Instrument,
        (
            _ID,
            _text("title", "Title."),
            _text("date", f"Date. {_DATES}"),
            _text("summary", "What it says, in our words."),
            _maybe("recommendations", "Recommendations that it bears on, joined by a space."),
            _SOURCES,
        ),
    ),
    _Thing(
        "endorsements",
        "Who endorsed which instrument",
        Endorsement,
        (
            _ID,
            _ACTOR,
            _text("instrument", "What was endorsed: an id in instruments."),
            _maybe("date", f"When; empty where the source gives no day. {_DATES}"),
            _maybe("ended", f"When it ended. {_DATES}"),
            _NOTE,
            _SOURCES,
        ),
    ),
    _Thing(
        "actions",
        "Actors' own deeds",
        Action,
        (
            _ID,
            _ACTOR,
            _text("title", "Title."),
            _text("summary", "What was done."),
            _text("type", "Law, sanction, judgment and so on."),
            _CAPABILITIES,
            _maybe("reach", "Classes of agencies that it reaches, joined by a space."),
            _maybe("origin", "national, sub-national or eu."),
            _RECOMMENDATIONS,
            _maybe("about", "Other actors that it concerns, joined by a space."),
            _VENDORS,
            _NOTE,
        ),
    ),
    _Thing(
        "findings",
        "Contradicting practice, and context; it stands beside levels and is never netted into them",
        Finding,
        (
            _ID,
            _ACTOR,
            _text("title", "Title."),
            _text("summary", "What was found."),
            _maybe("conduct", f"When it was done. {_DATES}"),
            _text("found", f"When it was found. {_DATES}"),
            _text("found_by", "Who found it."),
            _maybe("government_then", "The government then in office."),
            _maybe("agency", "Agency."),
            _maybe("operator", "Who operated it."),
            _maybe("operator_established_by", "Who established the operator; empty for context."),
            _maybe("series", "N1 to N3; empty for context, which has no established operator."),
            _text("state", "allegation, charge, finding, conviction (final or not), acquittal or remedied."),
            _maybe("reply", "What the actor answered, as sourced."),
            _CAPABILITIES,
            _RECOMMENDATIONS,
            _VENDORS,
            _NOTE,
        ),
    ),
    _Thing(
        "search_logs",
        "What was searched, and what was hit and why it did not count",
        SearchLog,
        (
            _ID,
            _ACTOR,
            _CODER,
            _text("indicators", "Indicators that it covers, joined by a space."),
            _flag("covers_checklist", "Whether it covers all documents that the indicator lists."),
            _text("places", "Where was searched, joined by '; '."),
            _text("languages", "Languages, joined by a space."),
            _flag("official_languages_covered", "Whether the official languages were searched."),
            _text("queries", "Queries, joined by '; '."),
            _text("period", f"Period searched. {_DATES}"),
            _text("searched_on", "Day of the search; it holds twelve months."),
            _maybe("hits", "What was hit and why it did not count, joined by '; '."),
            _maybe("gaps", "Known gaps, joined by '; '. With a gap it supports no level 0."),
        ),
    ),
    _Thing(
        "codings",
        "Judgements: one coder, one indicator, one actor",
        Coding,
        (
            _ID,
            _ACTOR,
            _text("indicator", "The indicator."),
            _number("meaning", "The indicator's meaning-version that was judged."),
            _CODER,
            _maybe("answer", "A direct answer: zero, unknown or not-applicable."),
            _maybe("search_log", "The search that zero rests on: an id in search_logs."),
            _maybe("reason", "The codebook's reason, where not applicable."),
            _number("count", "The count, for indicators that count.", False),
            _text("rationale", "Why, in the coder's words."),
        ),
    ),
    _Thing(
        "adjudications",
        "Which coding of a cell stands, and why",
        Adjudication,
        (
            _ID,
            _ACTOR,
            _text("indicator", "The indicator."),
            _maybe("coder", "Who decided: an id in coders. Only a person's makes a level final."),
            _maybe("stands", "The coding that stands: an id in codings."),
            _text("reason", "Why."),
        ),
    ),
    _Thing(
        "context_marks",
        "Actions and findings that bear on no test, and why",
        Context,
        (_ID, _text("about", "Id of the action or finding."), _CODER, _text("reason", "Why.")),
    ),
    _Thing(
        "corrections",
        "What was published and wrong, and what was done",
        Correction,
        (
            _ID,
            _text("about", "Id of the thing that was wrong."),
            _text("date", "Day."),
            _text("was", "What it said."),
            _text("now", "What it says now."),
            _text("reason", "Why."),
        ),
    ),
    _Thing(
        "replies",
        "What actors answered, and what we answered them",
        Reply,
        (
            _ID,
            _ACTOR,
            _text("about", "Id of what it is about."),
            _text("received", "Day."),
            _text("summary", "What they answered."),
            _text("state", "pending or answered."),
            _maybe("answer", "What we answered."),
            _SOURCES,
        ),
    ),
)


def _things(thing: _Thing, snapshot: Snapshot) -> Table:
    columns = (*thing.columns, *_ENTRY)
    rows = []
    for name, body in _live(snapshot, thing.kind):
        number = snapshot.released_in[name].body.number
        rows.append(_row(columns, body, entry=name, release=number))
    return _table(thing.name, thing.title, columns, rows)


def _live(snapshot: Snapshot, kind: type[Strict]) -> Iterator[tuple[str, Body]]:
    for entry in snapshot.live.values():
        if isinstance(entry.body, kind):
            yield entry.name, entry.body


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
        yield from ((action.id, source) for source in dict.fromkeys(action.sources))


def _finding_sources(snapshot: Snapshot, columns: tuple[Column, ...]) -> Iterator[Row]:
    for finding in snapshot.all(Finding):
        yield from ((finding.id, source) for source in dict.fromkeys(finding.sources))


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


_PARTS = (
    _Part(
        "action_stages",
        "The steps in the history of each action",
        (
            _text("action", "The action."),
            _number("position", "Its place in the history, from 1."),
            _text("stage", "announced, adopted, in_force, applied or ended."),
            _text("date", f"When. {_DATES}"),
            _maybe("note", "Note."),
        ),
        ("action", "position"),
        _stages,
    ),
    _Part(
        "action_sources",
        "The sources of each action",
        (_text("action", "The action."), _text("source", "The source.")),
        ("action", "source"),
        _action_sources,
    ),
    _Part(
        "finding_sources",
        "The sources of each finding",
        (_text("finding", "The finding."), _text("source", "The source.")),
        ("finding", "source"),
        _finding_sources,
    ),
    _Part(
        "coding_tests",
        "The tests that each coding judged",
        (
            _text("coding", "The coding."),
            _number("level", "The level whose test was judged."),
            _flag("met", "Whether it is met."),
            _maybe("since", f"From when. {_DATES}"),
            _maybe("until", f"Until when. {_DATES}"),
        ),
        ("coding", "level"),
        _coding_tests,
    ),
    _Part(
        "coding_evidence",
        "What each coding rests on, pinned to the version that the coder saw",
        (
            _text("coding", "The coding."),
            _number("position", "Its place in the coding, from 1."),
            _number("level", "The level whose test it bears on; empty for a count or a search.", False),
            _text("thing", "Id of the action, endorsement or search log."),
            _maybe("entry", "Name of its entry as pinned."),
        ),
        ("coding", "position"),
        _coding_evidence,
    ),
)


def _parts(part: _Part, snapshot: Snapshot) -> Table:
    return _table(part.name, part.title, part.columns, part.rows(snapshot, part.columns), part.key)


_LEVEL = (
    _ACTOR,
    _text("indicator", "The indicator."),
    _day("as_of", "The day that the level is of.", True),
    _text("state", "What is known; only 'level' and 'searched, nothing found' enter sums."),
    _number("level", "The level; 0 only where a complete search found nothing; empty is not 0.", False),
    _number("high", "Where contested: the range runs from level to high.", False),
    _maybe("stage", "What the level shows: committed, in_force or applied."),
    _number("judged", "The level as judged, where the sources cap it lower.", False),
    _number("count", "The count, for indicators that count.", False),
    _maybe("since", f"Since when. {_DATES}"),
    _day("until", "With no new deeds the level falls on that day."),
    _flag("draft", "Whether no person has reviewed it."),
    _maybe("confidence", "A to D, from the weakest needed source."),
    _maybe("codings", "Codings that it rests on, joined by a space."),
    _number("inherited_level", "The EU's level, beside the member's own and never summed with it.", False),
    _maybe("reason", "Why there is no level, or why it is not applicable or under review."),
    _text("page", "Its place on the site."),
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


_WITHHELD = (
    _text("name", "Name of the entry."),
    _text("date", "Day."),
    _text("reason", "Why."),
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
            if row[place := table.place(foreign.column)] is not None
            and row[place] not in known[foreign.table]
        }
        if not any(table.columns[place].required for place in lost):
            rows.append(tuple(None if place in lost else value for place, value in enumerate(row)))
    return replace(table, rows=tuple(rows))
