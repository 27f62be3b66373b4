"""From a sheet's rows to new entries: name them, pin their evidence, hold them to the rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mercwatch.framework.codebook import Codebook
from mercwatch.record.checking import known_of
from mercwatch.record.entries import Entry, Envelope
from mercwatch.record.kinds import Adjudication, Body, Coder, Coding, Withholding
from mercwatch.record.ledger import Ledger
from mercwatch.record.problems import Problem, Refused
from mercwatch.record.rules import broken, used_twice
from mercwatch.record.sheets import Row

_PINNING = {"coding": 1, "adjudication": 2}  # each pins what stands before it


@dataclass(frozen=True)
class Recorder:
    """Who records, and on which day."""

    coder: str
    day: str


def new_entries(rows: Sequence[Row], ledger: Ledger, codebook: Codebook, by: Recorder) -> list[Entry]:
    """The entries that a sheet adds to a ledger; Refused with every problem at once.

    A row that says what its thing's live entry says already adds nothing, so adding twice is safe.
    """
    live = {thing: versions[-1] for thing, versions in ledger.live.items()}
    problems = _ids_used_once(rows, live)
    fresh = [row for row in rows if not _already(row, live)]
    things = {thing: entry.body for thing, entry in live.items()} | {row.body.id: row.body for row in fresh}
    known = known_of(ledger, things)
    if not isinstance(things.get(by.coder), Coder):
        problems.append(Problem(rows[0].file if rows else "-", 1, f"recorded by nobody: no coder {by.coder}"))
    doubled = used_twice(body for body in things.values() if isinstance(body, Coding))
    for row in fresh:
        messages = broken(row.body, known, codebook)
        messages += [doubled[row.body.id]] if row.body.id in doubled else []
        messages += _meaning_is_current(row.body, codebook)
        problems += [Problem(row.file, row.line, message) for message in messages]
    if problems:
        raise Refused(problems)
    return _name(fresh, ledger, by)


def _ids_used_once(rows: Iterable[Row], live: dict[str, Entry]) -> list[Problem]:
    problems, seen = [], dict[str, Row]()
    for row in rows:
        first = seen.setdefault(row.body.id, row)
        if first is not row:
            rule = f"the id {row.body.id} is used for two things, also on line {first.line}"
            problems.append(Problem(row.file, row.line, rule))
        known = live.get(row.body.id)
        if known and known.kind != row.body.kind:
            rule = f"the id {row.body.id} is used for two things: it is a {known.kind} already"
            problems.append(Problem(row.file, row.line, rule))
        elif known and row.because is None and not _already(row, live):
            rule = f"{row.body.id} is recorded already; to supersede it, say why in `because`"
            problems.append(Problem(row.file, row.line, rule))
    return problems


def _already(row: Row, live: dict[str, Entry]) -> bool:
    known = live.get(row.body.id)
    return known is not None and _unpinned(known.body) == _unpinned(row.body) and row.because is None


def _unpinned(body: Body) -> Body:
    if isinstance(body, Coding | Adjudication):
        return body.model_copy(update={"pins": {}})
    return body


def _meaning_is_current(body: Body, codebook: Codebook) -> list[str]:
    indicator = codebook.by_id.get(body.indicator) if isinstance(body, Coding) else None
    if not isinstance(body, Coding) or indicator is None or body.meaning >= indicator.meaning:
        return []
    return [f"coding {body.id}: {indicator.id} is at meaning-version {indicator.meaning} now"]


def _name(rows: Sequence[Row], ledger: Ledger, by: Recorder) -> list[Entry]:
    """Evidence first, then what pins it: codings, then adjudications.

    An entry supersedes every live one of its thing, so it also settles a conflict of two.
    """
    named = {thing: versions[-1].name for thing, versions in ledger.live.items()}
    entries = []
    for row in sorted(rows, key=lambda row: _PINNING.get(row.body.kind, 0)):
        old = ledger.live.get(row.body.id, [])
        envelope = Envelope(
            body=_pinned(row.body, named, ledger),
            recorded_by=by.coder,
            recorded_on=by.day,
            supersedes=tuple(entry.name for entry in old),
            reason=row.because,
        )
        entry = Entry.of(envelope)
        named[entry.id] = entry.name
        entries.append(entry)
    return entries


def _pinned(body: Body, named: dict[str, str], ledger: Ledger) -> Body:
    if isinstance(body, Withholding):
        target = ledger.entries[body.target].envelope
        return body.model_copy(update={"superseded": target.supersedes})
    if isinstance(body, Coding):
        return body.model_copy(
            update={"pins": {thing: named[thing] for thing in body.evidence if thing in named}}
        )
    if isinstance(body, Adjudication):
        return body.model_copy(update={"pins": {body.stands: named[body.stands]}})
    return body
