"""Importing: what a person saved by hand, a WARC, a WACZ or a single document, enters as captures do.

A file from outside is hostile: every record is read within bounds and its digests are checked; what is wrong
is said and left out, the rest is kept.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO
from urllib.parse import quote

from warcio.digestverifyingreader import DigestChecker, DigestVerifyingReader
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser

from mercwatch.capture.addresses import AddressError, target
from mercwatch.capture.archive import Archive, Kept
from mercwatch.capture.asking import Exchange, Rules, media_type
from mercwatch.capture.decoding import DecodingError, dechunked, decoded
from mercwatch.capture.fetching import Fetched
from mercwatch.capture.taking import Handed

MAX_FILE = 4 << 30
MAX_UNPACKED = 16 << 30
"""Bytes that a file may unpack to, all its records together."""
MAX_RECORDS = 1_000_000
MAX_DOCUMENT = 64 << 20
MAX_MEMBERS = 10_000
MAX_DIRECTORY = 4 << 20
"""Bytes of a WACZ's own list of what is in it."""
MAX_PROBLEMS = 1_000
ADVICE = "save the page again, or save the document itself and use import-file"

_HEAD, _HTTP_HEAD, _STEP = 64 << 10, 256 << 10, 64 << 10
_TAKEN = frozenset({"response", "resource", "revisit", "request"})
_WARC_IN_WACZ = re.compile(r"archive/[^/\\\0]{1,200}\.warc(\.gz)?")
_BLANK = re.compile(rb"\n\r?\n")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? ([1-5]\d\d)[ \r\n]")
_PACKING = re.compile(rb"^(content-encoding|content-length|transfer-encoding)(?=[ \t]*:)", re.I | re.M)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,200})?\r\n")
_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z")
_ODD = re.compile(r'[ "<>\\^`{|}]')
_SAME = "/revisit/identical-payload-digest"
_SUFFIXES = {
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


class ImportRefused(Exception):
    """A file that is not taken in at all; says why and what to do."""


class RecordRefused(ValueError):
    """A record that is left out. lost: where the next one begins is not known either."""

    def __init__(self, message: str, lost: bool = False) -> None:
        super().__init__(message)
        self.lost = lost


class _Stop(Exception):
    """A file that cannot be read further."""


@dataclass
class Imported:
    """What became of a file. skipped: left out rightly, counted; problems: what is wrong, one line each.

    unsaid: problems beyond the first MAX_PROBLEMS; unchecked: kept records without a digest, so that nothing
    in the file vouches for them.
    """

    kept: list[Kept] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    unsaid: int = 0
    unchecked: int = 0

    def problem(self, line: str) -> None:
        """Remember a problem; beyond MAX_PROBLEMS they are only counted."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(line)
        else:
            self.unsaid += 1


@dataclass
class Budget:
    """What one file may cost in all, whatever is packed in what. bytes: unpacked; steps: records, gzip members."""

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
        return _plain(self.header("WARC-Type").lower())[:20]

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
            blank = _BLANK.search(self._ready, searched)
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
            raise _Stop(f"its gzip data are broken ({_plain(error)})") from None
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
    size, most = int(length), MAX_DOCUMENT + _HTTP_HEAD
    wanted = found.kind in _TAKEN and size <= most
    block = source.take(size) if wanted else b""
    there = len(block) if wanted else source.skip(size)
    if there < size:
        raise RecordRefused(f"it says that it has {size:,} bytes, and {there:,} are there", lost=True)
    if not source.ends_record():
        raise RecordRefused(f"it says that it has {size:,} bytes, and does not end after them", lost=True)
    if found.kind in _TAKEN and size > most:
        raise RecordRefused(f"it has {size:,} bytes; more than {MAX_DOCUMENT >> 20} MiB are not taken")
    return replace(found, block=block)


def handed_file(path: Path, address: str, moment: str, kind: str = "") -> Handed:
    """A document that a person saved from an address, ready to be taken; raises ImportRefused.

    moment: when it was saved, `2026-01-02T03:04:05Z`; kind: its media type, by its first bytes and its
    name where none is given.
    """
    try:
        at, when = _address(address), _moment(moment)
    except RecordRefused as error:
        raise ImportRefused(f"{path.name}: {error}; give the address and the time of saving") from None
    with _opened(path, MAX_DOCUMENT) as stream:
        body = stream.read(MAX_DOCUMENT + 1)
    if not body:
        raise ImportRefused(f"{path.name} is empty; save the document again")
    return Handed(body, media_type(kind or _kind_of(body, path.name)), at, when)


def import_file(archive: Archive, path: Path, address: str, moment: str, kind: str = "") -> Kept:
    """Keep a document that a person saved, without reading it; as `handed_file`."""
    handed = handed_file(path, address, moment, kind)
    return archive.keep_file(handed.body, handed.media_type, handed.address, handed.moment)


def _kind_of(body: bytes, name: str) -> str:
    if body.startswith(b"%PDF-"):
        return "application/pdf"
    markup = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"
    return _SUFFIXES.get(Path(name).suffix.lower()) or ("text/html" if markup else "application/octet-stream")


def import_warc(archive: Archive, path: Path, budget: Budget | None = None) -> Imported:
    """Keep the documents in a WARC (plain or gzip) or WACZ file; raises ImportRefused where it is neither."""
    done, budget = Imported(), budget or Budget()
    with _opened(path, MAX_FILE) as stream:
        begin = stream.read(5)
        stream.seek(0)
        if begin[:4] == b"PK\x03\x04":
            _import_wacz(archive, stream, path.name, budget, done)
        elif begin == b"WARC/" or begin[:2] == b"\x1f\x8b":
            _Import(archive, done, "").take_all(stream, budget)
        else:
            raise ImportRefused(f"{path.name} is no WARC and no WACZ; for a single document use import-file")
    return done


def _opened(path: Path, most: int) -> IO[bytes]:
    """A plain file, bounded in size; raises ImportRefused."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ImportRefused(f"{path} is no plain file; give the file that was saved")
        if path.stat().st_size > most:
            raise ImportRefused(f"{path.name} has more than {most >> 20:,} MiB; save fewer pages in one file")
        return path.open("rb")
    except OSError as error:
        raise ImportRefused(f"{path}: cannot be read ({error.strerror}); check its name and rights") from None


class _Sparing(io.RawIOBase):
    """A file of which no single read gives more than a ZIP's list may have: a forged length costs nothing."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int | None = -1, /) -> bytes:
        """At most MAX_DIRECTORY bytes; raises BadZipFile where more is asked."""
        if size is not None and size > MAX_DIRECTORY:
            raise zipfile.BadZipFile("its list of members is too long")
        return self._stream.read(MAX_DIRECTORY if size is None or size < 0 else size)

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As in any file."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """As in any file."""
        return self._stream.tell()


def _import_wacz(archive: Archive, stream: IO[bytes], name: str, budget: Budget, done: Imported) -> None:
    """The WARC files in a WACZ, read where they lie: nothing is unpacked to the disk, no name is followed."""
    try:
        box = zipfile.ZipFile(_Sparing(stream))
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError, OSError) as error:
        raise ImportRefused(f"{name} is a broken ZIP ({_plain(error)}); save it again") from None
    members = box.infolist()
    if len(members) > MAX_MEMBERS:
        raise ImportRefused(f"{name} has more than {MAX_MEMBERS:,} members; save fewer pages in one file")
    found = [member for member in members if _WARC_IN_WACZ.fullmatch(member.filename)]
    if not found:
        raise ImportRefused(f"{name} has no WARC file in its folder archive/; a WACZ has one")
    for member in found:
        said = f"{_plain(member.filename)}: "
        why = _unfit(member)
        if why:
            done.problem(f"{said}{why}; left out")
            continue
        try:
            with box.open(member) as inner:
                _Import(archive, done, said).take_all(inner, budget)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            done.problem(f"{said}cannot be unpacked ({_plain(error)}); what came before is kept")


def _unfit(member: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link, not a file"
    if member.flag_bits & 1:
        return "is encrypted"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in a way that a WACZ is not"
    return f"says that it has more than {MAX_FILE >> 30} GiB" if member.file_size > MAX_FILE else ""


@dataclass(frozen=True)
class _Answer:
    """A checked answer. checked: its record carries a digest, and it is right."""

    record: Record
    fetched: Fetched
    checked: bool


class _Import:
    """Takes the records of one WARC file in their order; an answer waits for the request that follows it."""

    def __init__(self, archive: Archive, done: Imported, said: str) -> None:
        self.archive = archive
        self.done = done
        self.said = said
        self._waiting: _Answer | None = None
        self._request: Record | None = None
        self._bodies: dict[str, str] = {}

    def take_all(self, stream: IO[bytes], budget: Budget) -> None:
        """Keep every document of the file; say what is not kept."""
        try:
            for record in records(stream, budget, lambda line: self.done.problem(self.said + line)):
                try:
                    self._take(record)
                except RecordRefused as error:
                    self.done.problem(f"{self.said}{record.name}: {error}; left out")
        finally:
            self._flush()

    def _take(self, record: Record) -> None:
        kind = record.kind
        scheme = record.header("WARC-Target-URI").lstrip("<").partition(":")[0].lower()
        if kind not in _TAKEN:
            self.done.skipped[f"{kind or 'unnamed'} record"] += 1
        elif scheme not in ("http", "https"):
            self.done.skipped[f"{kind} record of no web address"] += 1
        elif kind == "request":
            _check_block(record)
            self._take_request(record)
        else:
            self._flush()
            take = {"response": self._response, "resource": self._resource, "revisit": self._revisit}[kind]
            _check_whole(record)
            _check_block(record)
            take(record, _address(record.header("WARC-Target-URI")), _moment(record.header("WARC-Date")))

    def _take_request(self, record: Record) -> None:
        if self._waiting and record.goes_with(self._waiting.record):
            answer, self._waiting = self._waiting, None
            self._keep(answer, record.block)
        else:
            self._request = record

    def _response(self, record: Record, at: str, moment: str) -> None:
        head, raw = _parts(record.block)
        checked = _checked(record, raw)
        self._hold(_Answer(record, _fetched(at, moment, head, raw), checked))

    def _resource(self, record: Record, at: str, moment: str) -> None:
        checked = _checked(record, record.block)
        if len(record.block) > MAX_DOCUMENT:
            raise RecordRefused(f"it has more than {MAX_DOCUMENT >> 20} MiB")
        if not record.block:
            self.done.skipped["empty resource"] += 1
        elif not self._there(at, moment, record.block):
            kind = media_type(record.header("Content-Type"))
            self._add(self.archive.keep_file(record.block, kind, at, moment), checked)

    def _revisit(self, record: Record, at: str, moment: str) -> None:
        """The answer's own head, and the body that it says is the same: as a reader sees it, not packed."""
        if not record.header("WARC-Profile").strip("<>").endswith(_SAME):
            self.done.skipped["revisit record that names no body"] += 1
            return
        earlier = self._bodies.get(record.header("WARC-Payload-Digest"))
        if earlier is None:
            raise RecordRefused("it repeats a record that was not kept from this file")
        head, _ = _parts(record.block)
        body = self.archive.body(self.archive.with_sha256(earlier)[-1])
        self._hold(_Answer(record, _fetched(at, moment, _PACKING.sub(rb"X-Orig-\1", head), body), True))

    def _hold(self, answer: _Answer) -> None:
        """Keep an answer with the request before it, or let it wait for the one that follows."""
        request, self._request = self._request, None
        if answer.fetched.status not in (200, 203):
            self.done.skipped[f"answer {answer.fetched.status}"] += 1
        elif not answer.fetched.body:
            self.done.skipped["empty answer"] += 1
        elif request and request.goes_with(answer.record):
            self._keep(answer, request.block)
        else:
            self._waiting = answer

    def _flush(self) -> None:
        if self._waiting:
            answer, self._waiting = self._waiting, None
            self._keep(answer, b"")

    def _keep(self, answer: _Answer, request: bytes) -> None:
        if request and not request.startswith(b"GET "):
            self.done.skipped["answer to another request than GET"] += 1
            return
        fetched = answer.fetched
        digest = answer.record.header("WARC-Payload-Digest")
        if digest:
            self._bodies[digest] = sha256(fetched.body).hexdigest()
        if not self._there(fetched.address, fetched.moment, fetched.body):
            exchange = replace(fetched.exchanges[0], request=request)
            self._add(self.archive.keep(replace(fetched, exchanges=(exchange,))), answer.checked)

    def _add(self, kept: Kept, checked: bool) -> None:
        self.done.kept.append(kept)
        self.done.unchecked += not checked

    def _there(self, address: str, moment: str, body: bytes) -> bool:
        """Is this very capture in the archive? Then the file was imported before."""
        same = self.archive.with_sha256(sha256(body).hexdigest())
        found = any((kept.address, kept.moment) == (address, moment) for kept in same)
        if found:
            self.done.skipped["record that is in the archive already"] += 1
        return found


def _check_whole(record: Record) -> None:
    if record.header("WARC-Truncated"):
        raise RecordRefused(
            f"it says itself that it was cut short ({_plain(record.header('WARC-Truncated'))})"
        )
    if record.header("WARC-Segment-Number"):
        raise RecordRefused("it holds only a part of a document")


def _parts(block: bytes) -> tuple[bytes, bytes]:
    """An answer's head, and what follows it."""
    blank = _BLANK.search(block, 0, _HTTP_HEAD)
    if blank is None:
        raise RecordRefused("the head of its answer has no end, or is very long")
    return block[: blank.end()], block[blank.end() :]


def _check_block(record: Record) -> None:
    digest = record.header("WARC-Block-Digest")
    if digest and not _agrees(digest, record.block):
        raise RecordRefused("its block has another digest than it says")


def _checked(record: Record, payload: bytes) -> bool:
    """Does the payload's digest hold, taken with or without chunks? False: the record has no digest at all."""
    digest = record.header("WARC-Payload-Digest")
    if digest and not (_agrees(digest, payload) or _agrees(digest, _unchunked(payload))):
        raise RecordRefused("its payload has another digest than it says")
    return bool(digest or record.header("WARC-Block-Digest"))


def _agrees(digest: str, data: bytes) -> bool:
    checker = DigestChecker()
    try:
        reader = DigestVerifyingReader(io.BytesIO(data), len(data), checker, payload_digest=digest)
        reader.begin_payload()
        reader.read()
    except (ValueError, TypeError):
        return False
    return checker.passed is True


def _fetched(address: str, moment: str, head: bytes, raw: bytes) -> Fetched:
    """An answer as the fetcher gives it; raises RecordRefused where its head and its body do not agree.

    Tools that save from inside a browser see bodies already unpacked. Where the head still speaks of packing
    that is not there, its names become X-Orig-…, as those tools write them, and the body stays plain.
    """
    status, headers = _http(head)
    named = {name.lower(): value.strip() for name, value in reversed(headers)}
    chunked = "chunked" in named.get("transfer-encoding", "").lower()
    encoding = named.get("content-encoding", "").lower()
    payload = _unchunked(raw) if chunked else raw
    packed = bool(encoding) and ("gzip" not in encoding or payload.startswith(b"\x1f\x8b"))
    try:
        body = decoded(payload, encoding, Rules().decoded) if packed else payload
    except DecodingError as error:
        raise RecordRefused(str(error)) from None
    said = named.get("content-length", "")
    unpacked = (encoding and not packed) or "x-orig-content-encoding" in named
    if said and not chunked and not unpacked and said != str(len(raw)):
        raise RecordRefused(f"its answer says that it has {_plain(said)} bytes, and has {len(raw):,}")
    if (encoding and not packed) or (chunked and (payload is raw or dechunked(raw) != payload)):
        head, raw = _PACKING.sub(rb"X-Orig-\1", head), body
        _, headers = _http(head)
    kind = media_type(named.get("content-type", ""))
    exchange = Exchange(address, moment, b"", head + raw)
    return Fetched(address, address, moment, status, headers, kind, body, (exchange,))


def _http(head: bytes) -> tuple[int, tuple[tuple[str, str], ...]]:
    """The status and the headers of an answer's head."""
    status = _STATUS.match(head)
    if status is None:
        raise RecordRefused("what it holds is no answer of a web server")
    stream = io.BytesIO(head)
    parsed = StatusAndHeadersParser([], verify=False).parse(stream)
    if stream.tell() != len(head):
        raise RecordRefused("the head of its answer has an empty line in it")
    if len(parsed.headers) > Rules().headers:
        raise RecordRefused(f"its answer has more than {Rules().headers} headers")
    return int(status.group(1)), tuple(parsed.headers)


def _unchunked(raw: bytes) -> bytes:
    """A body without its chunks; as it is where it has none. Raises RecordRefused where they break off."""
    body, at, chunks = bytearray(), 0, 0
    if not _CHUNK.match(raw):
        return raw
    while found := _CHUNK.match(raw, at):
        size, at, chunks = int(found.group(1), 16), found.end(), chunks + 1
        if size == 0:
            return bytes(body)
        body += raw[at : at + size]
        at += size + 2
        if raw[at - 2 : at] != b"\r\n" or chunks > MAX_RECORDS:
            break
    raise RecordRefused("the chunks of its answer break off")


def _address(text: str) -> str:
    """An address as the fetcher writes it, on whatever port it was served; raises RecordRefused."""
    text = _ODD.sub(lambda found: quote(found.group()), text.removeprefix("<").removesuffix(">"))
    try:
        return target(text).text
    except AddressError as error:
        try:
            return target(text, None).text
        except AddressError:
            raise RecordRefused(str(error)) from None


def _moment(text: str) -> str:
    """A full moment, without fractions of a second, that has been; raises RecordRefused."""
    found = _DATE.fullmatch(text)
    try:
        when = datetime.fromisoformat(f"{found.group(1)}+00:00") if found else None
    except ValueError:
        when = None
    if found is None or when is None:
        raise RecordRefused(f"its time is not like 2026-01-02T03:04:05Z: {_plain(text) or 'it has none'}")
    if when > datetime.now(UTC) + timedelta(days=1):
        raise RecordRefused(f"its time lies in the future: {found.group(1)}Z")
    return f"{found.group(1)}Z"


def _plain(text: object) -> str:
    """Words from a stranger's file, for one line: printable, short."""
    return " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())[:120]
