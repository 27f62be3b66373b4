"""What the capture commands share: settings, hosts asked side by side, captures named in the record."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from queue import Queue
from types import ModuleType

import click

from mercwatch.capture.addresses import AddressError, target
from mercwatch.capture.archive import Archive, ArchiveError
from mercwatch.capture.asking import FetchError, Rules
from mercwatch.capture.basics import moment, one_line
from mercwatch.capture.fetching import Fetched, Fetcher, Validators
from mercwatch.capture.passages import Selector
from mercwatch.capture.reading import Reading
from mercwatch.capture.taking import Taken, reread, text_sha256
from mercwatch.capture.witnesses import Token
from mercwatch.framework.load import load as load_codebook
from mercwatch.record.adding import Recorder, new_entries
from mercwatch.record.entries import Json
from mercwatch.record.kinds import Capture, Coder, Passage, Recheck, Source
from mercwatch.record.ledger import Ledger
from mercwatch.record.problems import Refused
from mercwatch.record.sheets import Row, parse_row

_COMMAND = Path("capture")
"""Where a row that a command makes says it comes from, in messages."""
_ADDRESS = re.compile(r"https?://[^\s<>\"']{1,990}")
_BATCH = 20
_SECONDS = 5.0
_SILENT = 2
"""Addresses of one host without an answer, after which its others are not asked in this run."""


class SettingsError(Exception):
    """A setting that is missing or wrong; says which, and what to do."""


def rules(pace: float | None, timeout: float | None) -> Rules:
    """How the commands fetch, from options and the environment; raises SettingsError."""
    contact = os.environ.get("MERCWATCH_CONTACT", "").strip()
    if not contact:
        raise SettingsError(
            "MERCWATCH_CONTACT is not set: give a mail address or page where a site's owner can complain; "
            "it is sent with every request"
        )
    loopback = os.environ.get("MERCWATCH_CAPTURE_LOOPBACK", "") == "yes"
    if pace is not None and pace < 1 and not loopback:
        raise SettingsError("--pace is at least 1 second between two requests to one host")
    told = Rules(contact=contact, loopback=loopback)
    return replace(
        told,
        pace=told.pace if pace is None else pace,
        seconds=told.seconds if timeout is None else timeout,
    )


def archive_folder(given: Path | None) -> Path:
    """The archive's folder: as given, or MERCWATCH_ARCHIVE, or var/archive."""
    return given or Path(os.environ.get("MERCWATCH_ARCHIVE", "var/archive"))


@dataclass(frozen=True)
class Outcome:
    """What came of asking one address: a document, or why there is none."""

    address: str
    fetched: Fetched | None
    error: FetchError | None


def fetch_all(
    fetcher: Fetcher, addresses: Iterable[str], known: Callable[[str], Validators | None], workers: int = 4
) -> Generator[Outcome, None, None]:
    """Ask all addresses, hosts side by side and one host's in order; outcomes as they come."""
    hosts = _by_host(addresses)
    found: Queue[Outcome | Exception | None] = Queue(maxsize=workers)
    stop = threading.Event()

    def ask(mine: list[str]) -> None:
        silent = 0
        for address in mine:
            if stop.is_set():
                break
            try:
                if silent == _SILENT:
                    raise FetchError(
                        "no-answer", "its host did not answer a moment ago, and was not asked again"
                    )
                found.put(Outcome(address, fetcher.fetch(address, known(address)), None))
                silent = 0
            except FetchError as error:
                silent = min(silent + 1, _SILENT) if error.reason == "no-answer" else 0
                found.put(Outcome(address, None, error))
            except Exception as error:  # a mistake of ours: the run says it, and does not wait for ever
                found.put(error)
        found.put(None)

    with ThreadPoolExecutor(workers, thread_name_prefix="fetch") as pool:
        try:
            for mine in hosts:
                pool.submit(ask, mine)
            left = len(hosts)
            while left:
                outcome = found.get()
                if outcome is None:
                    left -= 1
                elif isinstance(outcome, Exception):
                    raise outcome
                else:
                    yield outcome
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            threading.Thread(target=_drain, args=(found,), daemon=True).start()


def _drain(found: Queue[Outcome | Exception | None]) -> None:
    """Let threads end that wait to put what nobody takes any more."""
    while True:
        found.get()


def _by_host(addresses: Iterable[str]) -> list[list[str]]:
    hosts: dict[str, list[str]] = defaultdict(list)
    for address in dict.fromkeys(addresses):
        hosts[_host(address)].append(address)
    return list(hosts.values())


def _host(address: str) -> str:
    try:
        return target(address, None).host
    except AddressError:
        return address


class Named:
    """The record's sources, captures and passages, and a way to add to them in small batches."""

    def __init__(self, store: ModuleType, coder: str) -> None:
        self._store = store
        self._codebook = load_codebook()
        self._coder = coder
        self._waiting: list[Row] = []
        self._flushed = time.monotonic()
        self.added = 0
        self.read()
        live = self.ledger.live.get(coder)
        if self.sources and not (live and isinstance(live[-1].body, Coder)):
            raise SettingsError(f"the record has no coder {coder}; --by names one of `coders` in it")

    def read(self) -> None:
        """Read the ledger again."""
        self.ledger: Ledger = self._store.read()
        live = [versions[-1].body for versions in self.ledger.live.values()]
        self.sources = {body.id: body for body in live if isinstance(body, Source)}
        self.captures = {body.id: body for body in live if isinstance(body, Capture)}
        self.passages = {body.id: body for body in live if isinstance(body, Passage)}
        self.rechecks = {body.capture: body for body in live if isinstance(body, Recheck)}
        self._at: dict[str, list[Source]] = defaultdict(list)
        for source in self.sources.values():
            for address in {source.address, _plain(source.address)}:
                self._at[address].append(source)

    def at(self, address: str) -> list[Source]:
        """The sources that have an address."""
        return self._at.get(address) or self._at.get(_plain(address), [])

    def captures_of(self, source: str) -> list[Capture]:
        """A source's captures, oldest first."""
        found = [capture for capture in self.captures.values() if capture.source == source]
        return sorted(found, key=lambda capture: (capture.fetched, capture.id))

    def passages_of(self, capture: str) -> list[Passage]:
        """A capture's passages, in the text's order."""
        found = [passage for passage in self.passages.values() if passage.capture == capture]
        return sorted(found, key=lambda passage: (passage.start, passage.id))

    def pending(self) -> list[Source]:
        """Sources without a capture."""
        done = {capture.source for capture in self.captures.values()}
        return [source for source in self.sources.values() if source.id not in done]

    def name(self, source: Source, taken: Taken, how: str, witness: Witness) -> Capture | None:
        """Name a capture of a source in the record; None where these bytes are named already."""
        if any(capture.sha256 == taken.kept.sha256 for capture in self.captures_of(source.id)):
            return None
        row = self.row(capture_row(source, taken, how, witness), None)
        if row is None or not isinstance(row.body, Capture):
            return None
        self.captures[row.body.id] = row.body
        return row.body

    def row(self, body: Json, because: str | None) -> Row | None:
        """Put a row into the next batch; written when enough have come, or time has passed.

        None, and said, where the record refuses it: one odd document does not stop a run.
        """
        try:
            row = parse_row(_COMMAND, len(self._waiting) + 1, body, because)
        except Refused as refused:
            click.echo(f"not recorded: {one_line(str(refused), 1_000)}", err=True)
            return None
        self._waiting.append(row)
        if len(self._waiting) >= _BATCH or time.monotonic() - self._flushed > _SECONDS:
            self.flush()
        return row

    def flush(self) -> None:
        """Write what waits into the record, in one transaction."""
        self._flushed = time.monotonic()
        if not self._waiting:
            return
        recorder = Recorder(self._coder, moment()[:10])
        rows, self._waiting = self._waiting, []
        try:
            entries = new_entries(rows, self.ledger, self._codebook, recorder)
        except Refused as refused:
            if len(rows) == 1:
                click.echo(f"not recorded: {one_line(str(refused), 1_000)}", err=True)
                return
            for row in rows:  # one odd row does not take the others with it
                self._waiting = [row]
                self.flush()
            return
        self.added += self._store.append(entries)
        self.ledger = Ledger.of(
            [*self.ledger.entries.values(), *entries], self.ledger.releases, self.ledger.withheld.values()
        )


def _plain(address: str) -> str:
    try:
        return target(address, None).text
    except AddressError:
        return address


@dataclass(frozen=True)
class Witness:
    """What others say of a capture: where an archive that is not ours has it, and a stamp on its hash."""

    second_address: str | None = None
    stamp: Token | None = None


def capture_row(source: Source, taken: Taken, how: str, witness: Witness) -> Json:
    """A capture as a row of the record."""
    kept = taken.kept
    place = hashlib.sha256(f"{source.id}\n{kept.sha256}".encode()).hexdigest()
    row: Json = {
        "kind": "capture",
        "id": f"c-{kept.sha256[:12]}-{place[:8]}",
        "source": source.id,
        "sha256": kept.sha256,
        "bytes": kept.bytes,
        "media_type": kept.media_type,
        "fetched": kept.moment,
        "how": how,
        "read": how_read(taken.reading) if taken.reading else None,
        "second_address": witness.second_address,
    }
    if kept.address != source.address and _ADDRESS.fullmatch(kept.address):
        row["address"] = kept.address
    if witness.stamp:
        row["stamp"] = {
            "authority": witness.stamp.authority,
            "time": witness.stamp.time,
            "token_sha256": witness.stamp.sha256,
        }
    return row


def passage_row(whose: Json, at: Selector) -> Json:
    """A passage as a row of the record. whose: its capture and reader, or its source and file."""
    of = whose.get("capture") or f"{whose['source']}\n{whose['file']}"
    place = hashlib.sha256(f"{of}\n{at.start}".encode()).hexdigest()
    return {
        "kind": "passage",
        "id": f"p-{at.quote[:12]}-{place[:8]}",
        **whose,
        "article": at.article or None,
        "start": at.start,
        "end": at.end,
        "quote_sha256": at.quote,
        "before_sha256": at.before,
        "after_sha256": at.after,
    }


def how_read(reading: Reading) -> Json:
    """How a capture was read, as the record says it."""
    return {
        "reader": reading.reader,
        "text_sha256": text_sha256(reading),
        "language": reading.language or None,
        "published": _day(reading.published),
        "pages": reading.pages,
        "scanned": list(reading.scanned),
    }


def _day(text: str) -> str | None:
    """A day that there is; a document may say others."""
    try:
        return date.fromisoformat(text).isoformat() if text else None
    except ValueError:
        return None


def adopt(named: Named, archive: Archive, read: Callable[..., Reading]) -> int:
    """Name captures in the record that the archive holds of its sources, and the record does not; how many.

    A run that was stopped between the two leaves such captures behind.
    """
    count = 0
    for source in named.pending():
        kept = archive.newest(source.address, "fetched")
        try:
            taken = reread(kept, archive, read) if kept else None
        except ArchiveError as error:  # damaged: it is fetched again
            click.echo(str(error), err=True)
            continue
        count += taken is not None and named.name(source, taken, "fetched", Witness()) is not None
    named.flush()
    return count
