"""Watching at the command line: official places are looked at, new documents kept, read, mined and queued."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from mercwatch.capture.archive import Archive
from mercwatch.capture.basics import moment, one_line
from mercwatch.capture.fetching import Fetcher
from mercwatch.capture.looking import Attempt, Tools, Visit, Watcher
from mercwatch.capture.places import Place, PlaceKind, PlacesError, load, shipped
from mercwatch.capture.waiting import Item, Waiting
from mercwatch.capture.watching import StateError, Text, read_state
from mercwatch.mining import candidates as files
from mercwatch.mining.candidates import CandidatesError, Row
from mercwatch.mining.language import detect
from mercwatch.record.writing import write_whole
from mercwatch.site.capturing import archive_folder, rules
from mercwatch.site.desk import ARCHIVE, CLEARLY, PACE, TIMEOUT, desk
from mercwatch.site.ends import fail

_WORKERS = 4
_OPENING = 12_000
LIST = click.option(
    "--list",
    "lists",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A watch list of your own, instead of the one that ships; may be given more than once.",
)
ACTOR = click.option("--actor", help="Only places of this government, EU, or INT.")
KIND = click.option("--kind", type=click.Choice([kind.value for kind in PlaceKind]), help="Only this kind.")


def _places(
    named: tuple[str, ...], lists: tuple[Path, ...], actor: str | None, kind: str | None
) -> list[Place]:
    """The places that are meant; ends the command where a list is broken, or nothing is meant."""
    try:
        every = load(lists) if lists else shipped()
    except PlacesError as error:
        fail(f"{error}\n{len(error.problems)} problem(s) in the watch list.")
    if unknown := [name for name in named if name not in {place.id for place in every}]:
        fail(f"the watch list has no place {', '.join(unknown)}; `mercwatch places` lists them")
    chosen = [
        place
        for place in every
        if (not named or place.id in named)
        and (actor is None or place.actor == actor.upper())
        and (kind is None or place.kind.value == kind)
    ]
    if not chosen:
        fail("no place of the watch list is meant by these options; `mercwatch places` lists them")
    return chosen


@dataclass(frozen=True)
class _Report:
    """One place in one run: the look at it, and what came of its new documents."""

    visit: Visit
    attempts: tuple[Attempt, ...]


@click.command()
@click.argument("places", metavar="[PLACE]...", nargs=-1)
@ACTOR
@KIND
@LIST
@click.option("--from-start", is_flag=True, help="Take at the first look what a place has, too.")
@click.option(
    "--most",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="New documents of one place in one run; the others come in the next.",
)
@PACE
@TIMEOUT
@ARCHIVE
@CLEARLY
def watch(
    *,
    places: tuple[str, ...],
    actor: str | None,
    kind: str | None,
    lists: tuple[Path, ...],
    from_start: bool,
    most: int,
    pace: float | None,
    timeout: float | None,
    folder: Path | None,
) -> None:
    """Look at official PLACES (all of the watch list if none): what is new is kept, read, mined and queued.

    The first look at a place only remembers what is there. A new document with candidates, a document that no
    program can read, and a change of a page's own text wait in the review queue. A run that was stopped goes
    on where it was.

    Exit codes: 0 done, also where some places failed (each is named, and asked again next time); 1 every
    place failed; 2 bad input.
    """
    chosen = _places(places, lists, actor, kind)
    fetcher = Fetcher(rules(pace, timeout))
    failed = documents = changes = queued = 0
    with desk(folder) as (archive, sandbox):
        watcher = Watcher(Tools(fetcher, archive, sandbox), most)
        for number, report in enumerate(_reports(watcher, chosen, from_start), 1):
            mined = _Mining(archive, watcher, report.visit.place).run()
            click.echo(f"[{number}/{len(chosen)}] {report.visit.place.id}: {_told(report, mined)}")
            failed += bool(report.visit.problem)
            changes += bool(report.visit.change)
            documents += sum(attempt.taken is not None for attempt in report.attempts)
            queued += mined.queued
    click.echo(
        f"{len(chosen)} places: {len(chosen) - failed} answered, {failed} failed; {documents} new documents, "
        f"{queued} with candidates; {changes} pages changed."
    )
    sys.exit(1 if failed == len(chosen) else 0)


def _reports(watcher: Watcher, places: list[Place], from_start: bool) -> Iterator[_Report]:
    """Places side by side (each host keeps its pace), and reports as they come."""

    def look(place: Place) -> _Report:
        return _Report(watcher.visit(place, from_start), tuple(watcher.take(place)))

    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="watch")
    try:
        for done in as_completed([pool.submit(look, place) for place in places]):
            yield done.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _told(report: _Report, mined: _Mined) -> str:
    """One line for people."""
    visit, attempts = report.visit, report.attempts
    if visit.problem:
        told = [f"failed: {visit.problem}"]
    elif visit.first and not visit.documents:
        told = ["remembered; from now on what is new is told"]
    elif visit.change:
        told = [f"the page changed, {visit.change}"]
    else:
        told = [f"{visit.documents} new"] if visit.documents else ["nothing new"]
    taken = [attempt for attempt in attempts if attempt.taken is not None]
    if attempts:
        told.append(f"{len(taken)} of {len(attempts)} documents taken")
    told += [f"{attempt.document.address}: {attempt.problem}" for attempt in attempts if attempt.problem][:3]
    told += mined.lines
    if visit.note:
        told.append(visit.note)
    return one_line("; ".join(told), 1_000)


@dataclass
class _Mined:
    """What the miner made of a place's new texts. queued: documents with candidates."""

    lines: list[str]
    queued: int = 0


class _MinerFailed(Exception):
    """The miner could not do its work; says why."""


class _Mining:
    """A place's new texts through the miner into the review queue."""

    def __init__(self, archive: Archive, watcher: Watcher, place: Place) -> None:
        self.archive, self.watcher, self.place = archive, watcher, place
        self.texts = archive.folder / "texts"
        self.queue = archive.folder / "queue"
        self.waiting = Waiting(archive.folder)

    def run(self) -> _Mined:
        """Mine what waits, queue it, and remember that it is done; where the miner fails it still waits."""
        batch, texts = self.watcher.unmined(self.place)
        if not texts:
            return _Mined([])
        told = {text.file: text for text in texts}
        codes = {file: self._language(file) for file in told}
        known = {file: code for file, code in codes.items() if code}
        try:
            rows = self._rows(batch, known, told) if known else []
        except _MinerFailed as error:
            return _Mined([f"the miner failed, and is asked again in the next run: {error}"])
        outcomes: list[str] = []
        for file, text in told.items():
            found = [row for row in rows if any(place.file == file for place in row.places)]
            if found:
                self._queue(text, found, f"queue/{batch}.jsonl")
            outcomes.append(_outcome(codes[file], found))
            self._log(text, codes[file], outcomes[-1])
        self.watcher.mined(self.place)
        counts = Counter(outcomes)
        return _Mined(
            [f"{counts[outcome]} {outcome}" for outcome in _OUTCOMES if counts[outcome]], counts[_FOUND]
        )

    def _language(self, file: str) -> str | None:
        with (self.texts / file).open(encoding="utf-8", errors="ignore") as stream:
            return detect(stream.read(_OPENING))

    def _rows(self, batch: str, known: dict[str, str], told: dict[str, Text]) -> list[Row]:
        """The candidates of texts whose language is known, written where `queue` and `judge` read them."""
        from mercwatch.mining.mine import MineError, Options, mine  # noqa: PLC0415 - half a second to load

        out = self.queue / f"{batch}.jsonl"
        with self._book(batch, known) as book:
            try:
                mine(Options(str(book), out, ",".join(sorted(set(known.values())))), lambda *_: None)
                mined = files.read(out)
            except (MineError, CandidatesError) as error:
                raise _MinerFailed(str(error)) from None
        rows = [_named(row, told) for row in mined]
        told_rows = (f"{json.dumps(row.model_dump(), ensure_ascii=False)}\n" for row in rows)
        write_whole(out, "".join(told_rows).encode())
        if not rows:
            out.unlink()
            out.with_name(f"{out.stem}.summary.json").unlink(missing_ok=True)
        return rows

    @contextmanager
    def _book(self, batch: str, known: Iterable[str]) -> Iterator[Path]:
        """The texts as a law book: a folder with only them, under the names that they have in the archive."""
        book = self.queue / f".{batch}"
        shutil.rmtree(book, ignore_errors=True)
        book.mkdir(parents=True)
        for file in known:
            shutil.copyfile(self.texts / file, book / file)
        try:
            yield book
        finally:
            shutil.rmtree(book, ignore_errors=True)

    def _queue(self, text: Text, rows: list[Row], file: str) -> None:
        """Put a document with candidates before a person, once, whatever place named it."""
        best = max(row.score for row in rows)
        spoken = ", ".join(sorted({row.recommendation for row in rows}))
        self.waiting.add(
            Item(
                id=f"candidates-{text.file[:16]}",
                kind="candidates",
                made=moment(),
                about=self.place.id,
                address=text.address,
                what=f"{len(rows)} for {spoken}, the best {best:.0%}: {text.title or 'no title'}",
                sha256=text.sha256,
                file=file,
            )
        )

    def _log(self, text: Text, language: str | None, outcome: str) -> None:
        """List a document that was mined, also where nobody has to look at it."""
        told = {"mined": moment(), "place": self.place.id, **text.model_dump()}
        with (self.archive.folder / "watch" / "documents.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(
                json.dumps({**told, "language": language, "outcome": outcome}, ensure_ascii=False) + "\n"
            )


_FOUND, _NOTHING, _UNKNOWN = "with candidates", "of another subject", "in a language without a lexicon"
_OUTCOMES = (_FOUND, _NOTHING, _UNKNOWN)


def _outcome(language: str | None, rows: list[Row]) -> str:
    if language is None:
        return _UNKNOWN
    return _FOUND if rows else _NOTHING


def _named(row: Row, texts: dict[str, Text]) -> Row:
    """A candidate that says which document it is of: the miner knows only the text's hash."""
    places = tuple(
        place.model_copy(update={"law": texts[place.file].address[:1_000]}) for place in row.places
    )
    text = texts[row.file]
    title = text.title or row.title
    return row.model_copy(update={"law": text.address[:1_000], "title": title, "places": places})


@click.command("places")
@click.argument("named", metavar="[PLACE]...", nargs=-1)
@ACTOR
@KIND
@LIST
@click.option("--check", is_flag=True, help="Only places that nobody ever saw answer.")
@click.option("--answered", is_flag=True, help="Ids and days on which they answered, for `checked_on`.")
@ARCHIVE
def list_places(
    *,
    named: tuple[str, ...],
    actor: str | None,
    kind: str | None,
    lists: tuple[Path, ...],
    check: bool,
    answered: bool,
    folder: Path | None,
) -> None:
    """List the official places that are watched: when they answered, and what they are watched for.

    A day stands where a person noted one in the watch list, or where `mercwatch watch` was answered in this
    archive. Exit codes: 0 done, 1 --check found places that were never seen to answer, 2 bad input.
    """
    chosen = _places(named, lists, actor, kind)
    days = {place.id: _answered(archive_folder(folder), place) for place in chosen}
    if answered:
        for place in chosen:
            if days[place.id]:
                click.echo(f"{place.id}  {days[place.id]}")
        return
    if check:
        chosen = [place for place in chosen if not (days[place.id] or place.checked_on)]
    width = max((len(place.id) for place in chosen), default=0)
    for place in chosen:
        day = max(days[place.id], place.checked_on or "") or "never"
        watched = ",".join(place.watched_for)
        click.echo(
            f"{place.id:{width}}  {place.kind.value:14}  {place.form.value:7}  {place.language:3}  {day:10}  "
            f"{watched:11}  {place.address}"
        )
    said = "never seen to answer" if check else "on the watch list"
    click.echo(f"{len(chosen)} places {said}.", err=True)
    sys.exit(1 if check and chosen else 0)


def _answered(folder: Path, place: Place) -> str:
    """The day on which a place last answered here, or empty."""
    try:
        state = read_state(folder, place.id)
    except StateError:
        return ""
    return state.answered if state and state.address == place.address else ""


COMMANDS = (watch, list_places)
