"""Looking at official places: fetches what they give, keeps what told something, takes their new documents.

Each step is remembered before the next, so that a run that was killed goes on where it was.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from mercwatch.capture.archive import Archive
from mercwatch.capture.asking import FetchError
from mercwatch.capture.basics import moment, one_line
from mercwatch.capture.changes import Difference, mark, same_address
from mercwatch.capture.fetching import Fetched, Fetcher, Validators
from mercwatch.capture.places import Form, Place
from mercwatch.capture.reading import Item, Listing, ReadError, Reading
from mercwatch.capture.taking import Taken, refuse_stand_in, take, text_sha256
from mercwatch.capture.waiting import Item as WaitingItem
from mercwatch.capture.waiting import Waiting
from mercwatch.capture.watching import (
    MAX_SEEN,
    Document,
    Look,
    Poll,
    State,
    StateError,
    Text,
    poll,
    read_state,
    with_baseline,
    write_state,
)

MAX_SITEMAPS = 50
MAX_TRIES = 3
"""Runs in which a new document is asked for, before a person is."""


class Reads(Protocol):
    """Reads documents and listings: `Sandbox`."""

    def read(self, body: bytes, media_type: str, address: str, day: str) -> Reading:
        """A document's reading; raises ReadError."""

    def listing(self, body: bytes, address: str) -> Listing:
        """What a feed or a sitemap lists; raises ReadError."""


@dataclass(frozen=True)
class Visit:
    """What came of one look at a place, for people. problem: why it told nothing; change: of its own text."""

    place: Place
    problem: str = ""
    first: bool = False
    documents: int = 0
    change: str = ""
    note: str = ""


@dataclass(frozen=True)
class Attempt:
    """What came of asking for one new document: taken, or why not."""

    document: Document
    taken: Taken | None = None
    problem: str = ""


@dataclass(frozen=True)
class Tools:
    """What a watcher works with."""

    fetcher: Fetcher
    archive: Archive
    reads: Reads
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class Watcher:
    """Looks at places and takes their new documents; most: how many of one place in one run.

    Several threads may use it, each for places of its own.
    """

    def __init__(self, tools: Tools, most: int = 50) -> None:
        self.tools = tools
        self.most = most
        self.waiting = Waiting(tools.archive.folder)
        self._keeping = threading.Lock()

    def state(self, place: Place) -> State:
        """What is remembered of a place; anew where the list gives it another address. Raises StateError."""
        state = read_state(self.tools.archive.folder, place.id)
        if state is None or (state.address, state.form) != (place.address, place.form):
            return State(place=place.id, address=place.address, form=place.form)
        return state

    def visit(self, place: Place, from_start: bool = False) -> Visit:
        """Look at a place and remember what is new there; what goes wrong is in the visit, never raised."""
        moment = self._moment()
        try:
            state = self.state(place)
        except StateError as error:
            return Visit(place, str(error))
        try:
            told, sha256 = self._look(place, state, from_start)
        except (FetchError, ReadError) as error:
            if isinstance(error, FetchError):
                self.tools.archive.fail(place.address, moment, error)
            reason = error.reason if isinstance(error, FetchError) else "unreadable"
            failed = state.with_(polled=moment, failures=state.failures + 1, problem=f"{reason}: {error}")
            self._save(failed)
            return Visit(place, one_line(error, 500))
        change = _in_words(told.change)
        if change:
            self.waiting.add(
                WaitingItem(
                    f"change-{place.id}-{moment[:10]}-{_name(told.change)}",
                    "change",
                    moment,
                    place.id,
                    place.address,
                    change,
                    sha256,
                )
            )
        self._save(told.state.with_(polled=moment, answered=moment[:10], failures=0, problem=""))
        return Visit(place, "", told.first, len(told.documents), change, told.state.note)

    def take(self, place: Place) -> Iterator[Attempt]:
        """Take a place's new documents, one after the other; each is remembered before it is given."""
        try:
            state = self.state(place)
        except StateError:
            return  # said by the visit
        for document in state.pending[: self.most]:
            attempt = self._attempt(document)
            left = tuple(other for other in state.pending if other != document)
            if attempt.taken is None and document.tries + 1 < MAX_TRIES:
                left += (document.model_copy(update={"tries": document.tries + 1}),)
            else:
                self._tell(place, attempt)
            state = _with_text(state.with_(pending=left), attempt, self._moment())
            self._save(state)
            yield attempt

    def unmined(self, place: Place) -> tuple[str, tuple[Text, ...]]:
        """The texts of a place that wait for the miner, and the name under which they are mined."""
        try:
            state = self.state(place)
        except StateError:
            return "", ()
        return state.batch, state.unmined

    def mined(self, place: Place) -> None:
        """Remember that what waited for the miner is mined."""
        self._save(self.state(place).with_(unmined=(), batch=""))

    def _look(self, place: Place, state: State, from_start: bool) -> tuple[Poll, str]:
        """What a place tells, and the hash of the capture that shows it where it tells something."""
        if place.form is not Form.PAGE:
            return self._look_at_items(place, state, from_start), ""
        fetched = self._fetch(place.address, state)
        if fetched.not_modified:
            return Poll(state), ""
        page = self._page(fetched)
        told = poll(place, state, Look(page, fetched.moment), from_start)
        if told.again:
            second = self._page(self.tools.fetcher.fetch(place.address))
            told = poll(place, state, Look(page, fetched.moment, second), from_start)
        met = told.state.with_(validators={place.address: _validators(fetched, state)})
        sha256 = ""
        if told.first or told.documents or told.change:
            sha256 = self.tools.archive.keep(fetched).sha256
        return Poll(met, told.documents, told.change, told.first), sha256

    def _page(self, fetched: Fetched) -> Reading:
        page = self.tools.reads.read(fetched.body, fetched.media_type, fetched.address, fetched.moment[:10])
        refuse_stand_in(page, fetched.status)
        if not page.pieces:
            raise ReadError("the page has no text that can be read; see whether it has a feed instead")
        return page

    def _look_at_items(self, place: Place, state: State, from_start: bool) -> Poll:
        """A feed, or a sitemap with those that it points to. A sitemap that failed before is a baseline."""
        main = self._fetch(place.address, state)
        validators = {place.address: _validators(main, state)}
        items: list[Item] = []
        older: list[Item] = []
        sitemaps, problems = state.sitemaps, []
        if not main.not_modified:
            listing = self.tools.reads.listing(main.body, main.address)
            items, sitemaps = list(listing.items), _some(listing.more)
        for address in sitemaps:
            try:
                fetched = self._fetch(address, state)
                told = () if fetched.not_modified else self._listed(fetched)
            except (FetchError, ReadError) as error:
                problems.append(f"{address}: {error}")
                if address in state.validators:
                    validators[address] = state.validators[address]
                continue
            known = address in state.validators or address not in state.sitemaps
            (items if known else older).extend(told[: max(0, MAX_SEEN - len(items) - len(older))])
            validators[address] = _validators(fetched, state)
        if problems and len(problems) == len(sitemaps) and not items:
            raise ReadError(f"none of its {len(sitemaps)} sitemaps can be read; {problems[0]}")
        note = f"{len(problems)} of {len(sitemaps)} sitemaps failed; {problems[0]}" if problems else ""
        met = state.with_(sitemaps=sitemaps, validators=validators, note=note)
        if older and state.began:
            met = with_baseline(met, tuple(older))
        elif older:
            items += older
        kind = "feed" if place.form is Form.FEED else "sitemap"
        told_all = poll(place, met, Look(Listing(kind=kind, items=tuple(items)), main.moment), from_start)
        if (told_all.first or told_all.documents) and not main.not_modified:
            self.tools.archive.keep(main)
        return told_all

    def _listed(self, fetched: Fetched) -> tuple[Item, ...]:
        return self.tools.reads.listing(fetched.body, fetched.address).items

    def _fetch(self, address: str, state: State) -> Fetched:
        known = state.validators.get(address)
        return self.tools.fetcher.fetch(address, Validators(*known) if known and any(known) else None)

    def _attempt(self, document: Document) -> Attempt:
        try:
            fetched = self.tools.fetcher.fetch(document.address)
            with self._keeping:  # two places may name one document
                return Attempt(document, take(fetched, self.tools.archive, self.tools.reads.read))
        except FetchError as error:
            self.tools.archive.fail(document.address, self._moment(), error)
            return Attempt(document, None, one_line(error, 500))

    def _tell(self, place: Place, attempt: Attempt) -> None:
        """Put a new document before a person that no program can read: no answer, no text, or scans."""
        taken, why = attempt.taken, ""
        if taken is None:
            why = f"could not be fetched {MAX_TRIES} times: {attempt.problem}"
        elif taken.reading is None:
            why = f"is kept, but cannot be read: {taken.problem}"
        elif not _has_text(taken.reading):
            why = "is kept, but has hardly any text: " + (
                f"{len(taken.reading.scanned)} of {taken.reading.pages} pages are scans"
                if taken.reading.scanned
                else "open it and see"
            )
        if why:
            name = mark(f"{same_address(attempt.document.address)}\n{attempt.document.dated}").hex()
            self.waiting.add(
                WaitingItem(
                    f"new-document-{place.id}-{name}",
                    "new-document",
                    self._moment(),
                    place.id,
                    attempt.document.address,
                    f"{attempt.document.title or 'A new document'} {why}",
                    taken.kept.sha256 if taken else "",
                )
            )

    def _moment(self) -> str:
        return moment(self.tools.now())

    def _save(self, state: State) -> None:
        write_state(self.tools.archive.folder, state)


def _has_text(reading: Reading) -> bool:
    scanned = bool(reading.pages) and 2 * len(reading.scanned) > (reading.pages or 0)
    return bool(reading.text.strip()) and not scanned


def _with_text(state: State, attempt: Attempt, moment: str) -> State:
    """The state with a taken document's text among those that wait for the miner."""
    taken = attempt.taken
    if taken is None or taken.reading is None or not taken.reading.text.strip():
        return state
    text = Text(
        file=f"{text_sha256(taken.reading)}.txt",
        sha256=taken.kept.sha256,
        address=taken.kept.address,
        title=taken.reading.title or attempt.document.title,
        language=taken.reading.language,
    )
    batch = state.batch or f"{state.place}-{moment.replace(':', '-')}"
    return state.with_(unmined=(*state.unmined, text), batch=batch)


def _validators(fetched: Fetched, state: State) -> tuple[str, str]:
    """What lets the server say next time that nothing changed; "unchanged" itself need not repeat it."""
    told = fetched.header("etag")[:500], fetched.header("last-modified")[:500]
    return state.validators.get(fetched.asked, told) if fetched.not_modified and not any(told) else told


def _some(sitemaps: tuple[str, ...]) -> tuple[str, ...]:
    """At most 50 sitemaps of an index: its first and its last ones, among which the newest are."""
    each = tuple(dict.fromkeys(sitemaps))
    half = MAX_SITEMAPS // 2
    return each if len(each) <= MAX_SITEMAPS else each[:half] + each[-half:]


def _name(change: Difference) -> str:
    """What tells one change of a page from another, whatever else the page shows that moment."""
    return mark(f"{change.gone} {sorted(block.plain.hex() for block in change.new)}").hex()


def _in_words(change: Difference) -> str:
    """A change of a page's own text, in one line."""
    if not change:
        return ""
    told = f"{len(change.new)} new" + (f", {change.gone} gone" if change.gone else "")
    first = one_line(change.new[0].text, 200) if change.new else ""
    return f"paragraphs: {told}" + (f"; “{first}”" if first else "")
