"""A capture's address asked again: what became of each passage, for the record and the review queue."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import click

from mercwatch.capture.archive import Archive, ArchiveError, Kept
from mercwatch.capture.asking import FetchError
from mercwatch.capture.basics import moment, one_line
from mercwatch.capture.drift import Found, found_in
from mercwatch.capture.passages import Fate, selector_of
from mercwatch.capture.reading import Reading
from mercwatch.capture.sandbox import Sandbox
from mercwatch.capture.taking import Taken, reread, text_path
from mercwatch.capture.waiting import Item, Waiting
from mercwatch.record.entries import Json, plain
from mercwatch.record.kinds import Capture, Passage
from mercwatch.site.capturing import Named

_OURS = frozenset({"robots", "too-long", "packed", "no-address", "forbidden-address"})
"""Reasons that lie with us: we did not ask, or did not take it. They say nothing of the address."""
_TO_PROGRAMS = frozenset({"forbidden", "login"})
"""Reasons for which a document that a person saved by hand cannot be asked for again by a program."""
_PASSING = frozenset({"no-answer", "too-slow", "busy", "server-error", "broken-answer"})
"""Reasons that may be gone tomorrow: they are recorded only where an earlier day's attempt failed, too."""


@dataclass(frozen=True)
class Checked:
    """A capture checked again: each passage with what became of it, or why the address gave nothing."""

    outcome: str
    sha256: str | None
    reason: str | None
    passages: tuple[tuple[Passage, Found], ...]


class Checker:
    """Compares captures with what their addresses give now, says it, records it, queues what is lost."""

    def __init__(self, archive: Archive, sandbox: Sandbox, named: Named) -> None:
        self.archive, self.sandbox, self.named = archive, sandbox, named
        self.waiting = Waiting(archive.folder)
        self.answered = False
        self._lasting: list[tuple[Capture, Checked]] = []

    def compare(self, capture: Capture, now: Kept) -> Checked:
        """What a newly served document means for a capture's passages."""
        passages = self.named.passages_of(capture.id)
        if now.sha256 == capture.sha256:
            same = tuple((passage, Found(Fate.UNCHANGED, passage.start)) for passage in passages)
            return Checked("unchanged", now.sha256, None, same)
        before = read_capture(self.archive, self.sandbox, self.named, capture).reading
        taken = reread(now, self.archive, self.sandbox.read)
        after = taken.reading
        if after is None:
            gone = tuple((passage, Found(Fate.GONE)) for passage in passages)
            return Checked("changed", now.sha256, one_line(taken.problem), gone)
        if before is not None and before.text == after.text and _tells(after):
            same = tuple((passage, Found(Fate.UNCHANGED, passage.start)) for passage in passages)
            return Checked("unchanged", now.sha256, None, same)
        found = tuple((passage, self._found(capture, passage, before, after)) for passage in passages)
        return Checked("changed", now.sha256, None, found)

    def _found(self, capture: Capture, passage: Passage, before: Reading | None, after: Reading) -> Found:
        old, wanted = text_of(self.archive, self.named, capture, passage), selector_of(passage)
        if before is not None and before.reader != passage.reader:
            anchored = found_in(old, wanted, before.text.encode(), before.pieces)
            if anchored.selector is not None:  # compare like with like: both read by today's reader
                old, wanted = before.text.encode(), anchored.selector
        return found_in(old, wanted, after.text.encode(), after.pieces)

    def tell(self, capture: Capture, found: Checked, error: FetchError | None) -> bool:
        """Say it, record it where it is new, and queue what is lost; True where something changed."""
        for passage, now in found.passages:
            where = f" (begins at byte {now.at} now)" if now.fate is Fate.MOVED else ""
            click.echo(f"  {passage.id} {passage.article or ''}: {now.fate}{where}")
        what = found.outcome if error is None else f"{found.outcome}: {one_line(str(error), 500)}"
        click.echo(f"  {capture.id}: {what}")
        lost = [passage.id for passage, now in found.passages if now.fate in (Fate.ALTERED, Fate.GONE)]
        self.answered = self.answered or error is None
        if error is not None and _by_hand(capture, error):
            click.echo("  not recorded: this says nothing of the document; look at it by hand")
            return False
        if error is not None and error.reason in _PASSING:
            if self._failed_before(capture):
                self._lasting.append((capture, found))
            else:
                click.echo("  not recorded yet: this may be over tomorrow, so it is asked again first")
            return True
        if self._record(capture, found) and (lost or error is not None):
            self._queue(capture, found, lost)
        return found.outcome != "unchanged"

    def finish(self) -> None:
        """Record the addresses that failed for days, unless nothing at all answered: then it may be us."""
        if not self.answered and self._lasting:
            click.echo("nothing answered, so nothing is recorded: is this machine connected?", err=True)
            return
        for capture, found in self._lasting:
            if self._record(capture, found):
                self._queue(capture, found, [])

    def _failed_before(self, capture: Capture) -> bool:
        """Whether the address failed on an earlier day as well, since it last gave something."""
        address = self.named.sources[capture.source].address
        newest = self.archive.newest(address)
        since = newest.moment if newest else ""
        return any(since < a.moment and a.moment[:10] < moment()[:10] for a in self.archive.attempts(address))

    def _record(self, capture: Capture, found: Checked) -> bool:
        """Record an outcome, unless it is the last one again; whether it was recorded."""
        last = self.named.rechecks.get(capture.id)
        passages = [
            {"passage": passage.id, "fate": now.fate.value, "start": now.at}
            for passage, now in found.passages
        ]
        if last and (last.outcome, [plain(now) for now in last.passages]) == (
            found.outcome,
            [{key: value for key, value in now.items() if value is not None} for now in passages],
        ):
            return False
        row: Json = {
            "kind": "recheck",
            "id": f"r{capture.id}",
            "capture": capture.id,
            "checked": moment(),
            "outcome": found.outcome,
            "sha256": found.sha256,
            "reason": found.reason,
            "passages": passages,
        }
        why = "The address was asked again, with another outcome." if last else None
        return self.named.row(row, why) is not None

    def _queue(self, capture: Capture, found: Checked, lost: list[str]) -> None:
        total = len(found.passages)
        what = (
            f"{len(lost)} of {total} passages altered or gone: {', '.join(lost)}"
            if lost
            else f"the address gives nothing any more: {found.reason}"
        )
        address = self.named.sources[capture.source].address
        when = moment()
        self.waiting.add(
            Item(
                id=f"drift-{capture.id}-{re.sub('[^0-9]', '', when)}",
                kind="drift",
                made=when,
                about=capture.source,
                address=address,
                what=what,
                sha256=found.sha256 or "",
            )
        )


def _by_hand(capture: Capture, error: FetchError) -> bool:
    """Whether a failure tells nothing of the document, so that only a person can see what became of it."""
    return error.reason in _OURS or (capture.how == "imported" and error.reason in _TO_PROGRAMS)


def _tells(reading: Reading) -> bool:
    """Whether a text can show a change: an empty one, or one beside scanned pages, cannot."""
    return bool(reading.text.strip()) and not reading.scanned


def read_capture(archive: Archive, sandbox: Sandbox, named: Named, capture: Capture) -> Taken:
    """A capture of the record read by today's reader, as what the record says it is and by its own address.

    The archive may have the same bytes from another address, under another media type.
    """
    kept = replace(
        kept_of(archive, capture),
        media_type=capture.media_type,
        address=capture.address or named.sources[capture.source].address,
        moment=capture.fetched,
    )
    return reread(kept, archive, sandbox.read)


def text_of(archive: Archive, named: Named, capture: Capture, passage: Passage) -> bytes:
    """The text that a passage was cut from, as its reader made it; ArchiveError where it is lost."""
    for text_hash in _texts(named, capture, passage.reader):
        path = text_path(archive.folder, text_hash)
        if path.is_file():
            text = path.read_bytes()
            if hashlib.sha256(text).hexdigest() == text_hash:
                if hashlib.sha256(text[passage.start : passage.end]).hexdigest() != passage.quote_sha256:
                    raise ArchiveError(f"{passage.id}: the bytes that it names have another hash; correct it")
                return text
    raise ArchiveError(f"{passage.id}: the text that it was cut from is not in this archive, or damaged")


def _texts(named: Named, capture: Capture, reader: str | None) -> Iterator[str]:
    """Hashes of the texts that a reader made of a capture, by all entries of it, the newest first."""
    entries = [e.body for e in named.ledger.entries.values() if e.id == capture.id]
    for body in (capture, *entries):
        if isinstance(body, Capture) and body.read and body.read.reader == reader:
            yield body.read.text_sha256


def kept_of(archive: Archive, capture: Capture) -> Kept:
    """The bytes that the record's capture names; raises ArchiveError where they are not here."""
    found = archive.with_sha256(capture.sha256)
    if not found:
        raise ArchiveError(f"{capture.id}: its bytes are not in this archive; look for the right --archive")
    return next((kept for kept in found if kept.kind != "revisit"), found[0])
