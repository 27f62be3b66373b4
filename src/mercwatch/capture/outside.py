"""Records of WARC files from outside, split within bounds; warcio reads their heads."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import IO

from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser

from mercwatch.capture.basics import one_line
from mercwatch.capture.decoding import BLANK

MAX_UNPACKED = 16 << 30
"""Bytes that a file may unpack to, all its records together."""
MAX_RECORDS = 1_000_000
MAX_DOCUMENT = 64 << 20

HTTP_HEAD = 256 << 10
TAKEN = frozenset({"response", "resource", "revisit", "request"})
_HEAD, _STEP = 64 << 10, 64 << 10


class RecordRefused(ValueError):
    """A record that is left out. lost: where the next one begins is not known either."""

    def __init__(self, message: str, lost: bool = False) -> None:
        super().__init__(message)
        self.lost = lost


class _Stop(Exception):
    """A file that cannot be read further."""


@dataclass
class Budget:
    """What one file may cost in all, whatever is packed in what. steps: records, and gzip members."""

    most_bytes: int = MAX_UNPACKED
    most_records: int = MAX_RECORDS
    bytes: int = 0
    steps: int = 0

    def spend(self, unpacked: int) -> None:
        """Count unpacked bytes; raises where the file costs more than it may."""
        self.bytes += unpacked
        if self.bytes > self.most_bytes:
            raise _Stop(f"the file unpacks to more than {self.most_bytes:,} bytes")

    def step(self) -> None:
        """Count one record, or one gzip member around it."""
        self.steps += 1
        if self.steps > 2 * self.most_records:
            raise _Stop(f"the file has more than {self.most_records:,} records")


@dataclass(frozen=True)
class Record:
    """A record of a WARC file. offset: where it begins, or the gzip member around it; block: its content."""

    number: int
    offset: int
    headers: StatusAndHeaders
    block: bytes

    @property
    def name(self) -> str:
        """How a person finds it."""
        return f"record {self.number:,} (offset {self.offset:,})"

    @property
    def kind(self) -> str:
        """Its type: response, resource …, in plain letters."""
        return one_line(self.header("WARC-Type").lower())[:20]

    def header(self, name: str) -> str:
        """A header's first value, or empty."""
        return str(self.headers.get_header(name) or "").strip()

    def goes_with(self, other: Record) -> bool:
        """Are these an answer and its request? One of them names the other, and both the same address."""
        named = other.header("WARC-Record-ID") in self._concurrent or (
            self.header("WARC-Record-ID") in other._concurrent
        )
        return named and self.header("WARC-Target-URI") == other.header("WARC-Target-URI")

    @property
    def _concurrent(self) -> frozenset[str]:
        return frozenset(
            value.strip() for name, value in self.headers.headers if name.lower() == "warc-concurrent-to"
        )


class _Unpacked:
    """A WARC file's bytes with its gzip members undone, one member after the other, within a budget."""

    def __init__(self, stream: IO[bytes], budget: Budget) -> None:
        self._stream = stream
        self._budget = budget
        self._raw = stream.read(_STEP)
        self._read = len(self._raw)
        self._ready = bytearray()
        self._member = 0
        self._gzip = self._raw.startswith(b"\x1f\x8b")
        self._engine = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def offset(self) -> int:
        """Where in the file we are; in a packed one, where the gzip member begins."""
        return self._member if self._gzip else self._read - len(self._raw) - len(self._ready)

    def begin(self) -> bool:
        """Go to where the next record begins; False at the file's end."""
        while True:
            while self._have(1):
                self._ready = self._ready.lstrip(b"\r\n")
                if self._ready:
                    self._budget.step()
                    return True
            if not self._next_member():
                return False

    def leave_member(self) -> bool:
        """Skip the rest of a gzip member, and whatever record was not understood; False if it is none."""
        while self._have(1):
            if not self._gzip:
                return False
            self._ready.clear()
        return True

    def head(self) -> bytes:
        """A record's head, to the blank line after it; raises RecordRefused."""
        searched = 0
        while True:
            blank = BLANK.search(self._ready, searched)
            if blank and blank.end() <= _HEAD:
                return self.take(blank.end())
            if len(self._ready) > _HEAD:
                raise RecordRefused(f"its head has no end within {_HEAD:,} bytes", lost=True)
            searched = max(0, len(self._ready) - 3)
            if not self._have(len(self._ready) + 1):
                raise RecordRefused("it is cut off in its head", lost=True)

    def take(self, size: int) -> bytes:
        """So many bytes of this member, or fewer where it ends."""
        self._have(size)
        data = bytes(self._ready[:size])
        del self._ready[:size]
        return data

    def skip(self, size: int) -> int:
        """Pass over so many bytes without keeping them; how many there were."""
        left = size
        while left and self._have(1):
            step = min(left, len(self._ready))
            del self._ready[:step]
            left -= step
        return size - left

    def ends_record(self) -> bool:
        """Does a record end here, with two line ends or the end of what holds it?"""
        self._have(4)
        return self._ready.startswith((b"\r\n\r\n", b"\n\n")) or bytes(self._ready) in (b"", b"\n", b"\r\n")

    def _have(self, size: int) -> bool:
        while len(self._ready) < size:
            if not self._fill():
                return False
        return True

    def _fill(self) -> bool:
        if not self._gzip:
            if not self._raw:
                self._more()
            self._budget.spend(len(self._raw))
            self._ready += self._raw
            there, self._raw = bool(self._raw), b""
            return there
        if self._engine.eof:
            return False
        if not self._raw and not self._more():
            raise _Stop("the file ends in the middle of a gzip member")
        try:
            part = self._engine.decompress(self._raw, 4 * _STEP)
        except zlib.error as error:
            raise _Stop(f"its gzip data are broken ({one_line(error)})") from None
        self._budget.spend(len(part))
        self._ready += part
        self._raw = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail
        return True

    def _more(self) -> bool:
        data = self._stream.read(_STEP)
        self._read += len(data)
        self._raw += data
        return bool(data)

    def _next_member(self) -> bool:
        if not self._gzip:
            return False
        if len(self._raw) < 2:
            self._more()
        if not self._raw:
            return False
        self._member = self._read - len(self._raw)
        if not self._raw.startswith(b"\x1f\x8b"):
            raise _Stop(f"what stands at offset {self._member:,} is no gzip member")
        self._budget.step()
        self._engine = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return True


def records(stream: IO[bytes], budget: Budget, problem: Callable[[str], None]) -> Iterator[Record]:
    """The records of a WARC file in their order; what is no whole record goes to `problem`, a line each."""
    source = _Unpacked(stream, budget)
    number, name = 0, "at its beginning"
    try:
        while source.begin():
            number += 1
            name = f"record {number:,} (offset {source.offset:,})"
            try:
                record = _record(source, number)
            except RecordRefused as error:
                problem(f"{name}: {error}; left out")
                if error.lost and not source.leave_member():
                    problem(f"{name}: where it ends cannot be told; the rest of the file was not read")
                    return
                continue
            yield record
            name = f"after {record.name}"
    except _Stop as error:
        problem(f"{name}: {error}; the rest of the file was not read")


def _record(source: _Unpacked, number: int) -> Record:
    """The record that begins here. Of kinds that are not taken, and their content, only the head is read."""
    offset, head = source.offset, source.head()
    if not head.startswith(b"WARC/"):
        raise RecordRefused("what stands here is no WARC record", lost=True)
    found = Record(number, offset, StatusAndHeadersParser([], verify=False).parse(io.BytesIO(head)), b"")
    length = found.header("Content-Length")
    if not (length.isascii() and length.isdigit() and len(length) <= 12):
        raise RecordRefused("it does not say how long it is", lost=True)
    size, most = int(length), MAX_DOCUMENT + HTTP_HEAD
    wanted = found.kind in TAKEN and size <= most
    block = source.take(size) if wanted else b""
    there = len(block) if wanted else source.skip(size)
    if there < size:
        raise RecordRefused(f"it says that it has {size:,} bytes, and {there:,} are there", lost=True)
    if not source.ends_record():
        raise RecordRefused(f"it says that it has {size:,} bytes, and does not end after them", lost=True)
    if found.kind in TAKEN and size > most:
        raise RecordRefused(f"it has {size:,} bytes; more than {MAX_DOCUMENT >> 20} MiB are not taken")
    return replace(found, block=block)


def check_whole(record: Record) -> None:
    """Raise RecordRefused where a record is not whole."""
    if record.header("WARC-Truncated"):
        raise RecordRefused(
            f"it says itself that it was cut short ({one_line(record.header('WARC-Truncated'))})"
        )
    if record.header("WARC-Segment-Number"):
        raise RecordRefused("it holds only a part of a document")
