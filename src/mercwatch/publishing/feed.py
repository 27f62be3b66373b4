"""What changed, as an Atom feed: each release, and what the newest of them brought."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape

from mercwatch.record.dates import parse
from mercwatch.record.entries import Entry, Release
from mercwatch.record.kinds import Action, Actor, Adjudication, Coder, Coding, Correction, Finding
from mercwatch.record.ledger import Ledger, Snapshot

MOST_ITEMS = 200
RELEASES_IN_FULL = 3
# Where not all fit, what was wrong or has changed comes before what is new.
_TOLD = ("correction", "coding", "finding", "action")
# No host: every mirror of one record gives an item the same id.
_TAG = "tag:mercwatch,2026:"
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class _Item:
    """One item, before it is written."""

    release: Release
    title: str
    path: str
    tag: str
    lines: tuple[str, ...]


def atom(ledger: Ledger, site: str) -> bytes:
    """The feed of a ledger, its addresses under `site`; LedgerError where nothing has been released."""
    snapshot = ledger.at()
    home = site.rstrip("/")
    feed = Atom1Feed(
        title="Mercwatch: what changed",
        link=f"{home}/",
        description=None,
        subtitle="Releases of the record, and what the newest of them brought.",
        language="en",
        author_name="Mercwatch",
        feed_url=f"{home}/feed.atom",
        feed_guid=f"{_TAG}changes",
        feed_copyright="CC BY 4.0, third parties' text excepted",
    )
    for item in _items(snapshot):
        _add(feed, item, home)
    return str(feed.writeString("utf-8")).encode()


def _add(feed: Atom1Feed, item: _Item, home: str) -> None:
    day = datetime.combine(parse(item.release.body.date).last, time(), tzinfo=UTC)
    feed.add_item(
        title=_clean(item.title),
        link=f"{home}{item.path}",
        # Atom readers take the summary for HTML, so what the record says is escaped for them too.
        description="".join(f"<p>{escape(_clean(line))}</p>" for line in item.lines if line),
        unique_id=item.tag,
        pubdate=day,
        updateddate=day,
    )


def _clean(text: str) -> str:
    """The text without the characters that XML forbids."""
    return _FORBIDDEN.sub("", text)


def _items(snapshot: Snapshot) -> list[_Item]:
    """Newest release first, each before what it brought; no release gives way to an entry."""
    newest = snapshot.releases[::-1]
    heads = [_of_release(release, snapshot) for release in newest[:MOST_ITEMS]]
    entries = [item for r in newest[:RELEASES_IN_FULL] for item in _of_entries(r, snapshot)]
    kept = [*heads, *entries[: MOST_ITEMS - len(heads)]]
    return sorted(kept, key=lambda item: -item.release.body.number)


def _of_release(release: Release, snapshot: Snapshot) -> _Item:
    body = release.body
    known = [snapshot.entries[name] for name in body.entries if name in snapshot.entries]
    withheld = sum(name in snapshot.withheld for name in body.entries)
    lines = (
        f"Head {release.head}, codebook {body.codebook}.",
        _counted("New", (e for e in known if not e.envelope.supersedes)),
        _counted("Superseding", (e for e in known if e.envelope.supersedes)),
        f"Withheld: {withheld}." if withheld else "",
        body.note or "",
    )
    title = f"Release {body.number} of {body.date}"
    return _Item(release, title, f"/changes/#release-{body.number}", f"{_TAG}release/{release.head}", lines)


def _counted(what: str, entries: Iterable[Entry]) -> str:
    counts = Counter(entry.kind.replace("_", " ") for entry in entries)
    listed = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
    return f"{what}: {listed}." if listed else ""


def _of_entries(release: Release, snapshot: Snapshot) -> Iterator[_Item]:
    known = (snapshot.entries[name] for name in release.body.entries if name in snapshot.entries)
    telling = (entry for entry in known if entry.kind in _TOLD)
    for entry in sorted(telling, key=lambda entry: (_TOLD.index(entry.kind), entry.id, entry.name)):
        told = _told(entry, snapshot)
        if told:
            title, path, lines = told
            why = entry.envelope.reason
            because = f"Changed because: {why}" if entry.envelope.supersedes and why else ""
            yield _Item(release, title, path, f"{_TAG}{entry.id}/{entry.name}", (because, *lines))


def _told(entry: Entry, snapshot: Snapshot) -> tuple[str, str, tuple[str, ...]] | None:
    """Title, page and text of an entry's item; None for what the feed does not tell."""
    body = entry.body
    changed = " changed" if entry.envelope.supersedes else ""
    if isinstance(body, Action):
        title = f"Action{changed}: {_name(body.actor, snapshot)}, {body.title}"
        return title, f"/actions/{body.id}/", (body.summary, body.note or "")
    if isinstance(body, Finding):
        what = "Finding" if body.series else "Context"
        title = f"{what}{changed} ({body.state}): {_name(body.actor, snapshot)}, {body.title}"
        return title, f"/findings/{body.id}/", (body.summary, body.note or "")
    if isinstance(body, Correction):
        lines = (f"Was: {body.was}", f"Now: {body.now}", f"Why: {body.reason}")
        return f"Correction{changed}: {body.about}", f"/corrections/#{body.id}", lines
    if isinstance(body, Coding) and entry.envelope.supersedes:
        draft = "" if entry.name in _reviewed(snapshot) else " (draft)"
        title = f"Coding changed{draft}: {_name(body.actor, snapshot)}, {body.indicator}"
        return title, f"/codings/{body.id}/", (body.rationale,)
    return None


def _name(actor: str, snapshot: Snapshot) -> str:
    entry = snapshot.live.get(actor)
    return entry.body.name if entry and isinstance(entry.body, Actor) else actor


def _reviewed(snapshot: Snapshot) -> set[str]:
    """Names of the codings that a person let stand."""
    persons = {coder.id for coder in snapshot.all(Coder) if coder.type == "person"}
    return {a.pins[a.stands] for a in snapshot.all(Adjudication) if a.coder in persons and a.stands in a.pins}
