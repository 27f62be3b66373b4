"""From what an address gave to a capture: read it, refuse a login page, keep it, keep its text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mercwatch.capture.archive import Archive, Kept
from mercwatch.capture.asking import FetchError
from mercwatch.capture.fetching import Fetched
from mercwatch.capture.readers import LOGIN, MISSING, instead_of_document
from mercwatch.capture.reading import ReadError, Reading
from mercwatch.record.writing import write_whole


class Reader(Protocol):
    """Reads a document: `Sandbox.read`."""

    def __call__(self, body: bytes, media_type: str, address: str, day: str) -> Reading:
        """Its reading; raises ReadError."""


@dataclass(frozen=True)
class Taken:
    """A capture, and its reading; problem: why there is none."""

    kept: Kept
    reading: Reading | None
    problem: str = ""


def take(fetched: Fetched, archive: Archive, read: Reader) -> Taken:
    """Read and keep what an address gave.

    Raises FetchError, and keeps nothing, where it is a login page or says that the document is not there.
    """
    if fetched.not_modified:
        kept = archive.keep(fetched)
        return reread(kept, archive, read)
    reading, problem = _read(read, fetched.body, fetched.media_type, fetched.address, fetched.moment)
    refuse_stand_in(reading, fetched.status)
    kept = archive.keep(fetched)
    _keep_text(archive.folder, reading)
    return Taken(kept, reading, problem)


@dataclass(frozen=True)
class Handed:
    """A document that a person hands in: what it is, where it was found, and when."""

    body: bytes
    media_type: str
    address: str
    moment: str


def take_file(handed: Handed, archive: Archive, read: Reader) -> Taken:
    """Read and keep a document that a person handed in."""
    reading, problem = _read(read, handed.body, handed.media_type, handed.address, handed.moment)
    kept = archive.keep_file(handed.body, handed.media_type, handed.address, handed.moment)
    _keep_text(archive.folder, reading)
    return Taken(kept, reading, problem)


def reread(kept: Kept, archive: Archive, read: Reader) -> Taken:
    """Read a capture again, from the archive; raises ArchiveError where its bytes are lost."""
    reading, problem = _read(read, archive.body(kept), kept.media_type, kept.address, kept.moment)
    _keep_text(archive.folder, reading)
    return Taken(kept, reading, problem)


def text_path(folder: Path, text_sha256: str) -> Path:
    """Where the archive keeps a text that a reader made, by its hash."""
    return folder / "texts" / f"{text_sha256}.txt"


def text_sha256(reading: Reading) -> str:
    """The hash of a reading's text (UTF-8)."""
    return hashlib.sha256(reading.text.encode()).hexdigest()


def _read(read: Reader, body: bytes, kind: str, address: str, moment: str) -> tuple[Reading | None, str]:
    try:
        return read(body, kind, address, moment[:10]), ""
    except ReadError as error:
        return None, str(error)


def refuse_stand_in(reading: Reading | None, status: int) -> None:
    """Raise FetchError for a page that was served in the document's place: a login, a "not found"."""
    reason = instead_of_document(reading) if reading else None
    if reading is not None and reason is not None:
        note = next(note for note in reading.notes if note.startswith((LOGIN, MISSING)))
        raise FetchError(reason, note.split(":", 1)[1].strip(), status)


def _keep_text(folder: Path, reading: Reading | None) -> None:
    """The text, so that passages are found again when a reader has changed; written aside, then renamed."""
    if reading is None:
        return
    path = text_path(folder, text_sha256(reading))
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        write_whole(path, reading.text.encode())
