"""Watching official places: what a place has that it had not when it was looked at last.

`poll` compares and touches nothing. What is remembered of a place lies in one file of the archive's folder.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator, ValidationError

from mercwatch.capture import changes
from mercwatch.capture.changes import Difference, Memory, blocks_of, mark, same_address
from mercwatch.capture.places import Form, Place
from mercwatch.capture.reading import Item, Listing, Reading
from mercwatch.record.writing import write_whole

MAX_SEEN = 200_000
"""Addresses of a place that are remembered, and items of one look that are read."""
MAX_PENDING = 10_000
_REDATED = 5
"""One in so many documents may have a new date; where more have, the site dates its list instead."""
_SAME = Difference()
_ANEW = "its text is read in another way than before, and was remembered anew"


def _packed(marks: Iterable[bytes]) -> str:
    return base64.b64encode(b"".join(sorted(marks))).decode()


def _unpacked(size: int) -> Callable[[object], frozenset[bytes]]:
    def unpack(value: object) -> frozenset[bytes]:
        if isinstance(value, frozenset):
            return value
        data = base64.b64decode(str(value), validate=True)
        if len(data) % size:
            raise ValueError("the marks are cut off")
        return frozenset(data[at : at + size] for at in range(0, len(data), size))

    return unpack


# Taken apart by hand: a check of each of 400,000 marks would take a second.
Marks = Annotated[frozenset[bytes], PlainValidator(_unpacked(8)), PlainSerializer(_packed)]
Pairs = Annotated[frozenset[bytes], PlainValidator(_unpacked(16)), PlainSerializer(_packed)]


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Document(_Plain):
    """A document that a place named and that is not taken yet. tries: looks in which it did not answer."""

    address: str
    title: str = ""
    dated: str = ""
    tries: int = 0


class Text(_Plain):
    """A document that was taken and read, and waits for the miner.

    file: of the archive's folder texts; sha256: of the capture.
    """

    file: str
    sha256: str
    address: str
    title: str
    language: str = ""


class State(_Plain):
    """What is remembered of a place. Moments: `2026-01-02T03:04:05Z`; answered: a day.

    began: when its baseline was taken, or empty; validators: of each address that a look asks, so also those
    that were ever read; seen: marks of addresses; blocks, fleeting, counters, places: see changes.Memory;
    read_as: how the page's text was read; batch: the name under which the texts that wait are mined.
    """

    place: str
    address: str
    form: Form
    began: str = ""
    polled: str = ""
    answered: str = ""
    failures: int = 0
    problem: str = ""
    note: str = ""
    validators: dict[str, tuple[str, str]] = {}
    sitemaps: tuple[str, ...] = ()
    seen: Marks = frozenset()
    blocks: Pairs = frozenset()
    fleeting: Marks = frozenset()
    counters: tuple[str, ...] = ()
    places: int = 0
    read_as: str = ""
    pending: tuple[Document, ...] = ()
    unmined: tuple[Text, ...] = ()
    batch: str = ""

    def with_(self, **changed: object) -> State:
        """This state with some fields changed."""
        return self.model_copy(update=changed)

    @property
    def memory(self) -> Memory:
        """What it remembers of the page's text."""
        pairs = frozenset((b[:8], b[8:]) for b in self.blocks)
        return Memory(pairs, self.fleeting, self.counters, self.places)

    def remembering(self, memory: Memory) -> State:
        """This state with another memory of the page's text."""
        return self.with_(
            blocks=frozenset(plain + masked for plain, masked in memory.blocks),
            fleeting=memory.fleeting,
            counters=memory.counters,
            places=memory.places,
        )


@dataclass(frozen=True)
class Poll:
    """What a look at a place told. first: it was the baseline; again: the page has to be fetched once more.

    documents: new ones; change: of the page's own text.
    """

    state: State
    documents: tuple[Document, ...] = ()
    change: Difference = _SAME
    first: bool = False
    again: bool = False


@dataclass(frozen=True)
class Look:
    """What a place gave at a moment. second: the page once more, fetched at once after the first."""

    seen: Listing | Reading
    moment: str
    second: Reading | None = None


def poll(place: Place, state: State, look: Look, from_start: bool = False) -> Poll:
    """What is new at a place, and its state from now on.

    The first look is a baseline, in which nothing is new, unless from_start.
    """
    if isinstance(look.seen, Reading):
        told = _poll_page(place, state, look, look.seen, from_start)
    else:
        told = _poll_items(state, look.seen.items, from_start)
    if told.again:
        return told
    met = told.state
    return Poll(
        met.with_(
            began=met.began or look.moment,
            pending=(met.pending + told.documents)[:MAX_PENDING],
            note="more new documents than are kept in mind" if _too_many(met, told) else met.note,
        ),
        told.documents,
        told.change,
        not state.began,
    )


def _too_many(state: State, told: Poll) -> bool:
    return len(state.pending) + len(told.documents) > MAX_PENDING


def _poll_items(state: State, items: tuple[Item, ...], from_start: bool) -> Poll:
    """A feed or sitemap: new is what was not met under this address, or not with this date."""
    here: set[bytes] = set()
    fresh: list[Item] = []
    redated: list[Item] = []
    for item in items[:MAX_SEEN]:
        same = same_address(item.address)
        by_address, with_date = mark(same), mark(f"{same}\n{item.dated}")
        if not same or with_date in here:
            continue
        if by_address not in state.seen:
            if by_address not in here:
                fresh.append(item)
        elif item.dated and with_date not in state.seen:
            redated.append(item)
        here |= {by_address, with_date}
    if len(redated) > max(3, len(items) // _REDATED):
        redated = []
    new = (*fresh, *redated) if state.began or from_start else ()
    documents = tuple(Document(address=i.address, title=i.title[:300], dated=i.dated) for i in new)
    return Poll(state.with_(seen=_kept(state.seen, here)), documents)


def with_baseline(state: State, items: tuple[Item, ...]) -> State:
    """The state after items were met that are not new: of a sitemap that could not be read before."""
    return _poll_items(state, items, False).state


def _kept(old: frozenset[bytes], here: set[bytes]) -> frozenset[bytes]:
    """Marks to remember: those of today, and of older ones as many as there is room for; two a document."""
    room = max(0, 2 * MAX_SEEN - len(here))
    older = old - here
    return frozenset(here | (older if len(older) <= room else set(sorted(older)[:room])))


def _poll_page(place: Place, state: State, look: Look, page: Reading, from_start: bool) -> Poll:
    """A page: new links are documents, and a change of its own text counts where there is no new link.

    A text that is read in another way than last time, by a newer reader, cannot be compared with what is
    remembered: it is remembered anew.
    """
    same_way = state.read_as in ("", _way(page))
    memory = state.memory if same_way else Memory()
    links = _links(place, page)
    blocks = blocks_of(page, look.moment, place.language)
    if look.second is None:
        fresh = any(key not in state.seen for key in links)
        if not state.began or fresh or not same_way or changes.difference(memory, blocks):
            return Poll(state, again=True)
        return Poll(state.remembering(changes.remembered(memory, blocks)).with_(note=""))
    there = _links(place, look.second)
    second = blocks_of(look.second, look.moment, place.language)
    change, memory = changes.told_twice(memory, blocks, second)
    met = state.remembering(memory).with_(read_as=_way(page), note="" if same_way else _ANEW)
    if not state.began and not from_start:
        return Poll(met.with_(seen=_kept(state.seen, {*links, *there})))
    # A link that only one of two fetches has comes and goes by itself; it is asked about again next time.
    new = {key: link for key, link in links.items() if key in there and key not in state.seen}
    met = met.with_(seen=_kept(state.seen, {*new, *(links.keys() & state.seen)}))
    told = state.began and same_way and not new
    return Poll(met, tuple(new.values()), change if told else _SAME)


def _way(page: Reading) -> str:
    """By which reader a page was read, and whether as a whole where its main part could not be told."""
    return page.reader + ("; whole" if any("all its text was taken" in note for note in page.notes) else "")


def _links(place: Place, page: Reading) -> dict[bytes, Document]:
    own = same_address(place.address)
    found: dict[bytes, Document] = {}
    for link in page.links:
        same = same_address(link.address)
        if same and same != own:
            found.setdefault(mark(same), Document(address=link.address, title=link.words[:300]))
    return found


class StateError(Exception):
    """What is remembered of a place cannot be read; says why and what to do."""


def _path(folder: Path, place: str) -> Path:
    return folder / "watch" / f"{place}.json"


def read_state(folder: Path, place: str) -> State | None:
    """What an archive's folder remembers of a place, or None; raises StateError."""
    path = _path(folder, place)
    try:
        return State.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValidationError, OSError) as error:
        raise StateError(
            f"{path}: cannot be read ({type(error).__name__}); move it away, and a new baseline is taken"
        ) from None


def write_state(folder: Path, state: State) -> None:
    """Keep what is remembered of a place: written aside, flushed, renamed."""
    data = json.dumps(state.model_dump(mode="json"), ensure_ascii=False)
    path = _path(folder, state.place)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data.encode("utf-8", "surrogatepass"))
