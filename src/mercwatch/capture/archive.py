"""The archive: WARC files that hold what was served, and a catalogue that finds it.

A capture is written whole and flushed to the disk before the catalogue names it, in one transaction. What
stands behind the last named byte of a file is a rest of a run that was killed, and is cut off.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from mercwatch.capture.asking import FetchError
from mercwatch.capture.fetching import Fetched
from mercwatch.capture.warcs import (
    DAMAGE,
    Block,
    Earlier,
    Seen,
    body_in,
    info,
    payload_digest,
    problems_in,
    records_in,
    resource,
    written,
)

FILE_SIZE = 1 << 30
"""Bytes after which a new WARC file is begun."""

_TABLES = """
CREATE TABLE IF NOT EXISTS file (
  name TEXT PRIMARY KEY, "end" INTEGER NOT NULL, "full" INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS capture (
  number INTEGER PRIMARY KEY, asked TEXT NOT NULL, address TEXT NOT NULL, moment TEXT NOT NULL,
  sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, media_type TEXT NOT NULL, status INTEGER NOT NULL,
  kind TEXT NOT NULL, file TEXT NOT NULL, "offset" INTEGER NOT NULL, length INTEGER NOT NULL,
  etag TEXT NOT NULL, last_modified TEXT NOT NULL, payload TEXT NOT NULL, how TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS capture_asked ON capture (asked, number);
CREATE INDEX IF NOT EXISTS capture_address ON capture (address, number);
CREATE INDEX IF NOT EXISTS capture_sha256 ON capture (sha256, number);
CREATE INDEX IF NOT EXISTS capture_payload ON capture (payload, kind);
CREATE TABLE IF NOT EXISTS attempt (
  number INTEGER PRIMARY KEY, address TEXT NOT NULL, moment TEXT NOT NULL, reason TEXT NOT NULL,
  message TEXT NOT NULL, status INTEGER);
CREATE INDEX IF NOT EXISTS attempt_address ON attempt (address, number);
"""


class ArchiveError(Exception):
    """An archive that cannot be used; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A capture in the archive. sha256, bytes: of the body as a reader sees it, without content encoding.

    kind: response (as served), revisit (the same payload as an earlier capture), resource (handed in);
    file, offset, length: the WARC record; payload: the payload's digest, with its encoding; how:
    fetched by us, or imported: handed in by a person, on whose word its address and time rest.
    """

    number: int
    asked: str
    address: str
    moment: str
    sha256: str
    bytes: int
    media_type: str
    status: int
    kind: str
    file: str
    offset: int
    length: int
    etag: str
    last_modified: str
    payload: str
    how: str

    def read_as(self) -> tuple[str, int, str]:
        """What a revisit of it is read as: SHA-256, bytes, media type."""
        return self.sha256, self.bytes, self.media_type

    def earlier(self) -> Earlier:
        """What a revisit of it says of it."""
        return Earlier(self.address, self.moment, self.payload, self.sha256, self.bytes, self.media_type)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that failed, and why."""

    address: str
    moment: str
    reason: str
    message: str
    status: int | None


_COLUMNS = ", ".join(f'"{field.name}"' for field in fields(Kept))
_MARKS = ", ".join("?" for _ in fields(Kept))


class Archive:
    """Captures in a folder. One process writes at a time; any number read. Threads share it."""

    def __init__(self, folder: Path, database: sqlite3.Connection) -> None:
        self.folder = folder
        self._database = database
        self._lock = threading.RLock()

    @classmethod
    @contextmanager
    def open(cls, folder: Path, write: bool = False) -> Iterator[Archive]:
        """The archive in a folder, until the end of the block; raises ArchiveError."""
        if write:
            (folder / "warc").mkdir(parents=True, exist_ok=True)
        elif not (folder / "catalogue.sqlite3").is_file():
            raise ArchiveError(f"{folder}: there is no archive here; `mercwatch capture` makes one")
        with _locked(folder / "lock") if write else _unlocked():
            database = sqlite3.connect(folder / "catalogue.sqlite3", timeout=20, check_same_thread=False)
            try:
                archive = cls(folder, database)
                if write:
                    archive._prepare()
                yield archive
            except sqlite3.OperationalError as error:
                raise ArchiveError(
                    f"{folder}: catalogue.sqlite3: {error}; see that no program holds it, that the disk "
                    "has room and that you may write there, and try again"
                ) from None
            except sqlite3.DatabaseError as error:
                raise ArchiveError(
                    f"{folder}: catalogue.sqlite3: {error}; move it away and it is made anew"
                ) from None
            finally:
                database.close()

    def _prepare(self) -> None:
        """Make the tables; name or cut off what a killed run left behind; make a lost catalogue again."""
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(_TABLES)
        known = dict(self._database.execute('SELECT name, "end" FROM file'))
        there = {path.name: path for path in sorted((self.folder / "warc").glob("*.warc.gz"))}
        sizes = {name: there[name].stat().st_size if name in there else 0 for name in {*known, *there}}
        if all(sizes[name] == known.get(name) for name in sizes):
            return
        seen = {(kept.address, kept.moment, kept.payload): kept.read_as() for kept in self.all()}
        for name in sorted(sizes):
            with self._database:
                if name not in known:
                    self._take_in(there[name], seen)
                elif sizes[name] > known[name]:
                    end = self._adopt(there[name], known[name], seen)
                    os.truncate(there[name], end)
                    self._database.execute('UPDATE file SET "end" = ? WHERE name = ?', (end, name))
                elif sizes[name] < known[name]:  # it lost bytes: nothing more is written to it
                    self._database.execute('UPDATE file SET "full" = 1 WHERE name = ?', (name,))

    def _take_in(self, path: Path, seen: Seen) -> None:
        """A file that the catalogue does not know: name its captures, and write nothing more to it."""
        size = path.stat().st_size
        if size < len(info(path.name)) + 64:
            path.unlink()  # a run was killed when it had just begun the file: no capture is so small
            return
        self._adopt(path, 0, seen)
        self._database.execute("INSERT INTO file VALUES (?, ?, 1)", (path.name, size))

    def _adopt(self, path: Path, start: int, seen: Seen) -> int:
        """Name the whole captures behind `start`; returns where the last whole record ends."""
        end = start
        try:
            for record_end, found in records_in(path, start, seen):
                end = record_end
                if found is not None:
                    self._insert(_kept(found, path.name))
        except DAMAGE:
            pass
        return end

    def keep(self, fetched: Fetched, how: str = "fetched") -> Kept:
        """Write a document with all its hops; the capture is on the disk when this returns.

        Raises FetchError where the answer's head is such that its record would be read as another document.
        """
        with self._lock:
            earlier = self._earlier(fetched)
            blocks = written(fetched, earlier, how)
            if earlier is None and not _reads_back(blocks, fetched):
                raise FetchError("broken-answer", "its head cannot be kept so that others read it as we did")
            return self._append(blocks)

    def keep_file(self, body: bytes, media_type: str, address: str, moment: str) -> Kept:
        """Write a document that a person handed in, as a resource record."""
        with self._lock:
            return self._append(resource(body, media_type, address, moment))

    def _earlier(self, fetched: Fetched) -> Earlier | None:
        """The capture that a revisit refers to: the same payload, or what the server says is unchanged."""
        if fetched.not_modified:
            found = self.newest(fetched.asked, "fetched") or self.newest(fetched.address, "fetched")
            if found is None:
                raise ArchiveError(f"{fetched.asked}: said to be unchanged, but no capture is here")
        else:
            payload = payload_digest(fetched.exchanges[-1].response)
            same = (
                payload,
                hashlib.sha256(fetched.body).hexdigest(),
            )  # one payload may be said to be packed, or not
            found = self._one("payload = ? AND sha256 = ? AND kind = 'response'", same)
        return found.earlier() if found else None

    def _append(self, blocks: list[Block]) -> Kept:
        """Records to the end of the newest file, flushed; then the catalogue names the capture."""
        name, end = self._place()
        path = self.folder / "warc" / name
        data = b"".join(block.data for block in blocks)
        main = next(n for n, block in enumerate(blocks) if block.capture)
        start = end + sum(len(block.data) for block in blocks[:main])
        with path.open("r+b") as stream:
            stream.truncate(end)  # an earlier write may have failed half-way
            stream.seek(end)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        found = blocks[main].capture
        assert found is not None  # noqa: S101 - chosen so above
        with self._database:
            kept = self._insert(_kept({**found, "offset": start, "length": len(blocks[main].data)}, name))
            self._database.execute('UPDATE file SET "end" = ? WHERE name = ?', (end + len(data), name))
        return kept

    def _place(self) -> tuple[str, int]:
        """The file that is written to, and where it ends; a new one is begun where the last one is full."""
        last = self._database.execute('SELECT name, "end", "full" FROM file ORDER BY name DESC').fetchone()
        if last and last[1] < FILE_SIZE and not last[2]:
            return str(last[0]), int(last[1])
        name = f"mercwatch-{int(last[0][10:16]) + 1 if last else 1:06d}.warc.gz"
        data = info(name)
        path = self.folder / "warc" / name
        with path.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        _flush_folder(path.parent)
        with self._database:
            self._database.execute("INSERT INTO file VALUES (?, ?, 0)", (name, len(data)))
        return name, len(data)

    def _insert(self, kept: Kept) -> Kept:
        values = (None, *astuple(kept)[1:])
        cursor = self._database.execute(f"INSERT INTO capture ({_COLUMNS}) VALUES ({_MARKS})", values)  # noqa: S608
        return Kept(int(cursor.lastrowid or 0), *astuple(kept)[1:])

    def fail(self, address: str, moment: str, error: FetchError) -> None:
        """Remember an attempt that failed."""
        with self._lock, self._database:
            self._database.execute(
                "INSERT INTO attempt VALUES (NULL, ?, ?, ?, ?, ?)",
                (
                    address.encode("utf-8", "replace").decode()[:2_000],
                    moment,
                    error.reason,
                    error.message,
                    error.status,
                ),
            )

    def attempts(self, address: str | None = None) -> list[Attempt]:
        """Attempts that failed, oldest first; of one address, or all."""
        where, values = ("WHERE address = ?", (address,)) if address else ("", ())
        with self._lock:
            rows = self._database.execute(
                f"SELECT address, moment, reason, message, status FROM attempt {where} ORDER BY number",  # noqa: S608
                values,
            ).fetchall()
        return [Attempt(*row) for row in rows]

    def newest(self, address: str, how: str = "") -> Kept | None:
        """The newest capture of an address, asked for or redirected to; how: only those so obtained."""
        alike = how or "%"
        asked = self._one("asked = ? AND how LIKE ?", (address, alike))
        final = self._one("address = ? AND how LIKE ?", (address, alike))
        return max((kept for kept in (asked, final) if kept), key=lambda kept: kept.number, default=None)

    def of(self, address: str) -> list[Kept]:
        """Every capture of an address, oldest first."""
        found = [*self._select("asked = ?", (address,)), *self._select("address = ?", (address,))]
        return sorted({kept.number: kept for kept in found}.values(), key=lambda kept: kept.number)

    def with_sha256(self, sha256: str) -> list[Kept]:
        """Every capture of these bytes, oldest first."""
        return list(self._select("sha256 = ? ORDER BY number", (sha256,)))

    def all(self) -> list[Kept]:
        """Every capture, oldest first."""
        return list(self._select("1 ORDER BY number", ()))

    def __len__(self) -> int:
        with self._lock:
            return int(self._database.execute("SELECT count(*) FROM capture").fetchone()[0])

    def _one(self, where: str, values: tuple[str, ...]) -> Kept | None:
        return next(self._select(f"{where} ORDER BY number DESC LIMIT 1", values), None)

    def _select(self, where: str, values: tuple[str, ...]) -> Iterator[Kept]:
        with self._lock:
            rows = self._database.execute(f"SELECT {_COLUMNS} FROM capture WHERE {where}", values).fetchall()  # noqa: S608
        return (Kept(*row) for row in rows)

    def body(self, kept: Kept) -> bytes:
        """A capture's bytes, whose hash is checked; raises ArchiveError where they are lost or damaged."""
        holder = kept
        if kept.kind == "revisit":
            found = self._one("sha256 = ? AND kind <> 'revisit'", (kept.sha256,))
            if found is None:
                raise _lost(kept, "the capture that it repeats is missing")
            holder = found
        path = self.folder / "warc" / holder.file
        try:
            with path.open("rb") as stream:
                stream.seek(holder.offset)
                body = body_in(stream.read(holder.length))
        except (OSError, ValueError) as error:
            raise _lost(kept, f"{path.name}: {error}") from None
        if hashlib.sha256(body).hexdigest() != kept.sha256:
            raise _lost(kept, f"{path.name}: its bytes have another hash")
        return body

    def verify(self) -> Iterator[str]:
        """Everything that is wrong with the files and the catalogue, one line each."""
        ends = dict(self._database.execute('SELECT name, "end" FROM file'))
        for name, end in sorted(ends.items()):
            path = self.folder / "warc" / name
            size = path.stat().st_size if path.is_file() else 0
            if size < end:
                yield f"{name}: is missing, or shorter than the {end:,} bytes that were written"
            else:
                yield from problems_in(path, end)
        for kept in self.all():
            try:
                self.body(kept)
            except ArchiveError as error:
                yield str(error)


def _lost(kept: Kept, why: str) -> ArchiveError:
    return ArchiveError(f"capture {kept.number} of {kept.address}: {why}")


def _reads_back(blocks: list[Block], fetched: Fetched) -> bool:
    try:
        return body_in(next(block.data for block in blocks if block.capture)) == fetched.body
    except ValueError:
        return False


def _kept(found: dict[str, Any], file: str) -> Kept:
    return Kept(number=0, file=file, **found)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ArchiveError(f"{path.parent}: another run writes here; wait for its end") from None
        yield


@contextmanager
def _unlocked() -> Iterator[None]:
    yield


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
