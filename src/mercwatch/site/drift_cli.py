"""Commands on passages of captures: read a document, cut a passage, check again, read again, settle."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from mercwatch.capture.archive import Archive, ArchiveError, Kept
from mercwatch.capture.asking import FetchError
from mercwatch.capture.basics import moment, one_line
from mercwatch.capture.drift import Found, found_in
from mercwatch.capture.fetching import Fetcher
from mercwatch.capture.passages import selector, selector_of
from mercwatch.capture.reading import ReadError, Reading
from mercwatch.capture.sandbox import Sandbox
from mercwatch.capture.taking import take
from mercwatch.capture.waiting import Item, Waiting
from mercwatch.record.entries import plain
from mercwatch.record.kinds import Capture, Passage, Source
from mercwatch.site.capturing import (
    Named,
    Outcome,
    archive_folder,
    fetch_all,
    how_read,
    passage_row,
    rules,
)
from mercwatch.site.database import open_store
from mercwatch.site.desk import ARCHIVE, BY, CLEARLY, PACE, TIMEOUT, desk
from mercwatch.site.ends import fail
from mercwatch.site.rechecking import Checked, Checker, read_capture, text_of

_MOST_FILE = 64 << 20


@click.command("read")
@click.argument("document")
@click.option("--media-type", default="", help="What a file is (default: as its bytes and name say).")
@click.option("--text", "whole", is_flag=True, help="Print the text instead of the list of passages.")
@ARCHIVE
@CLEARLY
def read_document(document: str, media_type: str, whole: bool, folder: Path | None) -> None:
    """Read DOCUMENT and list its passages: a file, a capture's or a source's id, an address, or a SHA-256.

    Exit codes: 0 read, 2 it cannot be read, or is not here.
    """
    with Sandbox() as sandbox:
        try:
            reading = _reading(document, media_type, folder, sandbox)
        except ReadError as error:
            fail(f"{one_line(document)}: {error}")
    facts = [reading.reader, reading.language, reading.published, one_line(reading.title)]
    if reading.pages is not None:
        facts.append(f"{reading.pages} pages")
    click.echo(" · ".join(fact for fact in facts if fact), err=True)
    for note in reading.notes:
        click.echo(f"note: {one_line(note)}", err=True)
    text = reading.text.encode()
    if whole:
        click.echo("\n".join(one_line(line, 100_000) for line in reading.text.splitlines()))
        return
    for number, piece in enumerate(reading.pieces, 1):
        page = f" p. {piece.page}" if piece.page else ""
        words = one_line(text[piece.start : piece.end].decode("utf-8", "replace"), 100)
        click.echo(f"{number:5} {piece.start}–{piece.end}{page} {one_line(piece.label)} {words}")


def _reading(document: str, media_type: str, folder: Path | None, sandbox: Sandbox) -> Reading:
    path = Path(document)
    if path.is_file():
        if path.stat().st_size > _MOST_FILE:
            fail(f"{document}: is larger than {_MOST_FILE >> 20} MiB")
        return sandbox.read(path.read_bytes(), media_type, path.resolve().as_uri(), moment()[:10])
    with Archive.open(archive_folder(folder)) as archive:
        named = Named(open_store(), "machine-1")
        capture = named.captures.get(document) or next(reversed(named.captures_of(document)), None)
        found = archive.with_sha256(capture.sha256 if capture else document) or archive.of(document)
        if not found:
            fail(f"{one_line(document)}: there is no such file, and no such capture in the archive")
        kept = found[-1]
        return sandbox.read(archive.body(kept), media_type or kept.media_type, kept.address, kept.moment[:10])


@click.command()
@click.argument("capture")
@click.option("--piece", type=click.IntRange(1), help="A passage's number, as `mercwatch read` lists it.")
@click.option("--from", "begins", help="The words that the passage begins with.")
@click.option("--to", "ends", help="The words that it ends with (default: the end of --from).")
@click.option("--article", help="The article's label, as printed.")
@click.option(
    "--quote", is_flag=True, help="Publish the words, where the wording is the point (400 characters)."
)
@ARCHIVE
@BY
@CLEARLY
def cut(
    *,
    capture: str,
    piece: int | None,
    begins: str | None,
    ends: str | None,
    article: str | None,
    quote: bool,
    folder: Path | None,
    coder: str,
) -> None:
    """Cut a passage from CAPTURE (its id, or its source's): by number, or by its first and last words.

    Exit codes: 0 recorded, 2 the words do not stand there, or in more than one place.
    """
    if (piece is None) == (begins is None):
        fail("say which passage: either --piece NUMBER, or --from WORDS (and --to WORDS)")
    named = Named(open_store(), coder)
    of = named.captures.get(capture) or next(reversed(named.captures_of(capture)), None)
    if of is None:
        fail(f"the record has no capture {one_line(capture)}; mercwatch capture makes one")
    with desk(folder) as (archive, sandbox):
        taken = read_capture(archive, sandbox, named, of)
    reading = taken.reading
    if reading is None or of.read is None:
        fail(f"{of.id} was not read as text: {one_line(taken.problem)}")
    if reading.reader != of.read.reader:
        fail(f"{of.id} was read by {of.read.reader}, now by {reading.reader}; run mercwatch reread first")
    text = reading.text.encode()
    start, end = _span(text, reading, piece, begins, ends)
    inside = next((p for p in reading.pieces if p.start <= start < p.end), None)
    row = passage_row(
        {"capture": of.id, "reader": reading.reader, "page": inside.page if inside else None},
        selector(text, start, end),
    )
    row["article"] = article or (inside.label if inside else "") or None
    if quote:
        row["quote"] = text[start:end].decode()
        if len(row["quote"]) > 400:
            fail("a quotation has 400 characters at most; cut a shorter passage")
    named.row(row, None)
    named.flush()
    if not named.added:
        sys.exit(2)
    click.echo(f"{row['id']}: bytes {start}–{end} of the text of {of.id}, sha256 {row['quote_sha256']}")


def _span(
    text: bytes, reading: Reading, piece: int | None, begins: str | None, ends: str | None
) -> tuple[int, int]:
    if piece is not None:
        if piece > len(reading.pieces):
            fail(f"there are {len(reading.pieces)} passages; mercwatch read lists them")
        chosen = reading.pieces[piece - 1]
        return chosen.start, chosen.end
    first = (begins or "").encode()
    start = text.find(first)
    if not first or start < 0:
        fail("these first words do not stand in the text as read; mercwatch read --text shows it")
    if text.find(first, start + 1) >= 0:
        fail("these first words stand in more than one place; give more of them")
    if not ends:
        return start, start + len(first)
    last = text.find(ends.encode(), start)
    if last < 0:
        fail("these last words do not stand after the first ones")
    return start, last + len(ends.encode())


@click.command()
@click.argument("sources", nargs=-1)
@click.option("--actor", help="Only the sources of one government's or organisation's entries.")
@PACE
@TIMEOUT
@ARCHIVE
@BY
@CLEARLY
def recheck(
    *,
    sources: tuple[str, ...],
    actor: str | None,
    pace: float | None,
    timeout: float | None,
    folder: Path | None,
    coder: str,
) -> None:
    """Fetch SOURCES (default: all with a capture) again and say of each passage what became of it.

    Unchanged, moved, altered or gone. What is altered or gone, or cannot be reached, goes into the review
    queue, and the site says so. Exit codes: 0 all stands, 1 something changed or failed.
    """
    told = rules(pace, timeout)
    named = Named(open_store(), coder)
    wanted = _wanted(named, sources, actor)
    by_address: dict[str, list[Capture]] = {}
    for capture in wanted:
        by_address.setdefault(named.sources[capture.source].address, []).append(capture)
    changed = done = 0
    with desk(folder) as (archive, sandbox):
        checker = Checker(archive, sandbox, named)
        for outcome in fetch_all(Fetcher(told), by_address, lambda address: None):
            done += 1
            click.echo(f"[{done}/{len(by_address)}] {one_line(outcome.address)}")
            kept, error = _kept_now(outcome, archive, sandbox)
            for capture in by_address[outcome.address]:
                if error is not None:
                    found = Checked("unreachable", None, one_line(error.message), ())
                else:
                    assert kept is not None  # noqa: S101 - there is a document or an error
                    try:
                        found = checker.compare(capture, kept)
                    except ArchiveError as damaged:  # one lost capture does not stop the others
                        click.echo(f"  {damaged}", err=True)
                        changed += 1
                        continue
                changed += checker.tell(capture, found, error)
        checker.finish()
        named.flush()
    click.echo(f"{len(wanted)} captures checked, {changed} changed or not reached.", err=True)
    sys.exit(1 if changed else 0)


def _kept_now(outcome: Outcome, archive: Archive, sandbox: Sandbox) -> tuple[Kept | None, FetchError | None]:
    """What an address gave, kept; or why it gave nothing, remembered."""
    error = outcome.error
    if outcome.fetched is not None:
        try:
            return take(outcome.fetched, archive, sandbox.read).kept, None
        except FetchError as refused:
            error = refused
    assert error is not None  # noqa: S101 - an outcome has a document or an error
    archive.fail(outcome.address, moment(), error)
    return None, error


def _wanted(named: Named, sources: tuple[str, ...], actor: str | None) -> list[Capture]:
    """Captures with passages, and the newest one of each source."""
    unknown = [source for source in sources if source not in named.sources]
    if unknown:
        fail(f"the record has no source {one_line(', '.join(unknown))}")
    chosen = set(sources) or {capture.source for capture in named.captures.values()}
    if actor:
        live = [versions[-1].body for versions in named.ledger.live.values()]
        chosen &= {
            source
            for body in live
            if getattr(body, "actor", None) == actor
            for source in getattr(body, "sources", ())
        }
    found = []
    for source in sorted(chosen):
        captures = named.captures_of(source)
        found += [c for c in captures if c is captures[-1] or named.passages_of(c.id)]
    return found


@click.command()
@ARCHIVE
@BY
@CLEARLY
def reread(folder: Path | None, coder: str) -> None:
    """Read captures again whose reader has changed, and anchor their passages in the new text.

    A passage whose words the new reader does not give is named, put into the review queue, and left as it is.
    Exit codes: 0 all anchored, 1 some could not be, or a capture is damaged.
    """
    named = Named(open_store(), coder)
    total = len(named.captures)
    moved = lost = done = damaged = 0
    with desk(folder) as (archive, sandbox):
        for number, capture in enumerate(list(named.captures.values()), 1):
            try:
                found = _anchored(archive, sandbox, named, capture)
            except ArchiveError as error:  # one lost capture does not stop the others
                click.echo(str(error), err=True)
                damaged += 1
                continue
            if found is None:
                continue
            done += 1
            click.echo(f"[{number}/{total}] {capture.id}: read again by {found.reading.reader}", err=True)
            gone = _record_again(named, capture, found, Waiting(archive.folder))
            moved, lost = moved + len(found.passages) - gone, lost + gone
        named.flush()
    click.echo(f"{done} captures read again; {moved} passages anchored, {lost} could not be.")
    sys.exit(1 if lost or damaged else 0)


@dataclass(frozen=True)
class _Again:
    """A capture read by a newer reader: its reading, and where its passages stand in it."""

    reading: Reading
    passages: tuple[tuple[Passage, Found], ...]


def _anchored(archive: Archive, sandbox: Sandbox, named: Named, capture: Capture) -> _Again | None:
    """A capture read again; None where its reader is still the same, or it cannot be read."""
    reading = read_capture(archive, sandbox, named, capture).reading
    if reading is None or (capture.read and capture.read.reader == reading.reader):
        return None
    text = reading.text.encode()
    found = []
    for passage in named.passages_of(capture.id):
        old = text_of(archive, named, capture, passage)
        found.append((passage, found_in(old, selector_of(passage), text, reading.pieces)))
    return _Again(reading, tuple(found))


def _record_again(named: Named, capture: Capture, again: _Again, waiting: Waiting) -> int:
    """Record a new reading and the passages that it gives; how many it does not give."""
    reader = again.reading.reader
    named.row({**plain(capture), "read": how_read(again.reading)}, f"Read again by {reader}.")
    gone = 0
    for passage, found in again.passages:
        at = found.selector
        if at is None:
            gone += 1
            _queue_unanchored(waiting, named.sources[capture.source], passage, reader)
            continue
        inside = next((p for p in again.reading.pieces if p.start <= at.start < p.end), None)
        row = passage_row(
            {"capture": capture.id, "reader": reader, "page": inside.page if inside else None}, at
        )
        kept = {name: value for name, value in plain(passage).items() if name in ("article", "quote")}
        named.row({**row, **kept, "id": passage.id}, f"Anchored in the text of {reader}.")
    return gone


def _queue_unanchored(waiting: Waiting, source: Source, passage: Passage, reader: str) -> None:
    what = f"{reader} does not give the words of {passage.id}; it stays in the text of {passage.reader}"
    click.echo(what, err=True)
    mark = hashlib.sha256(reader.encode()).hexdigest()[:8]
    waiting.add(Item(f"reader-{passage.id}-{mark}", "drift", moment(), source.id, source.address, what))


@click.command()
@click.argument("item")
@click.option("--by", "coder", required=True, help="Who settles it: a coder's id.")
@click.option("--why", required=True, help="What was done, in a sentence.")
@ARCHIVE
@CLEARLY
def settle(item: str, coder: str, why: str, folder: Path | None) -> None:
    """Close ITEM of the review queue (`mercwatch queue` lists it), and say why.

    Exit codes: 0 closed, 2 there is no such item, or it is closed.
    """
    Waiting(archive_folder(folder)).settle(item, coder, why)
    click.echo(f"{one_line(item)} is settled.")


COMMANDS = (read_document, cut, recheck, reread, settle)
