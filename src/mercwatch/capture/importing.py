"""Importing: what a person saved by hand, a WARC, a WACZ or a single document, enters as captures do.

A file from outside is hostile: every record is read within bounds and its digests are checked; what is wrong
is said and left out, the rest is kept.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO
from urllib.parse import quote

from warcio.digestverifyingreader import DigestChecker, DigestVerifyingReader
from warcio.statusandheaders import StatusAndHeadersParser

from mercwatch.capture.addresses import AddressError, target
from mercwatch.capture.archive import Archive, Kept
from mercwatch.capture.asking import Exchange, FetchError, Rules, media_type
from mercwatch.capture.basics import one_line
from mercwatch.capture.decoding import BLANK, DecodingError, dechunked, decoded
from mercwatch.capture.fetching import Fetched
from mercwatch.capture.outside import (
    HTTP_HEAD,
    MAX_DOCUMENT,
    MAX_RECORDS,
    TAKEN,
    Budget,
    Record,
    RecordRefused,
    check_whole,
    records,
)
from mercwatch.capture.taking import Handed

MAX_FILE = 4 << 30
MAX_MEMBERS = 10_000
MAX_DIRECTORY = 4 << 20
"""Bytes of a WACZ's own list of what is in it."""
MAX_PROBLEMS = 1_000
ADVICE = "save the page again, or save the document itself and use import-file"

_WARC_IN_WACZ = re.compile(r"archive/[^/\\\0]{1,200}\.warc(\.gz)?")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? ([1-5]\d\d)[ \r\n]")
_PACKING = re.compile(rb"^(content-encoding|content-length|transfer-encoding)(?=[ \t]*:)", re.I | re.M)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,200})?\r\n")
_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z")
_ODD = re.compile(r'[ "<>\\^`{|}]')
_SAME = "identical-payload-digest"
_BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OverflowError,
    UnicodeError,
    NotImplementedError,
    RuntimeError,
)
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
        """As in any file; raises BadZipFile before its beginning."""
        if whence == 0 and offset < 0:
            raise zipfile.BadZipFile("a member lies outside of it")
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """As in any file."""
        return self._stream.tell()


def _import_wacz(archive: Archive, stream: IO[bytes], name: str, budget: Budget, done: Imported) -> None:
    """The WARC files in a WACZ, read where they lie: nothing is unpacked to the disk, no name is followed."""
    try:
        box = zipfile.ZipFile(_Sparing(stream))
    except (*_BROKEN_ZIP, ValueError, OSError) as error:
        raise ImportRefused(f"{name} is a broken ZIP ({one_line(error)}); save it again") from None
    members = box.infolist()
    if len(members) > MAX_MEMBERS:
        raise ImportRefused(f"{name} has more than {MAX_MEMBERS:,} members; save fewer pages in one file")
    found = [member for member in members if _WARC_IN_WACZ.fullmatch(member.filename)]
    if not found:
        raise ImportRefused(f"{name} has no WARC file in its folder archive/; a WACZ has one")
    for member in found:
        said = f"{one_line(member.filename)}: "
        why = _unfit(member)
        if why:
            done.problem(f"{said}{why}; left out")
            continue
        try:
            with box.open(member) as inner:
                _Import(archive, done, said).take_all(inner, budget)
        except _BROKEN_ZIP as error:
            done.problem(f"{said}cannot be unpacked ({one_line(error)}); what came before is kept")


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
            self._drop_request()

    def _take(self, record: Record) -> None:
        kind = record.kind
        scheme = record.header("WARC-Target-URI").lstrip("<").partition(":")[0].lower()
        if kind not in TAKEN:
            self.done.skipped[f"{kind or 'unnamed'} record"] += 1
        elif scheme not in ("http", "https"):
            self.done.skipped[f"{kind} record of no web address"] += 1
        elif kind == "request":
            self._take_request(record)
        else:
            self._flush()
            take = {"response": self._response, "resource": self._resource, "revisit": self._revisit}[kind]
            check_whole(record)
            take(record, _address(record.header("WARC-Target-URI")), _moment(record.header("WARC-Date")))

    def _take_request(self, record: Record) -> None:
        blank = BLANK.search(record.block)
        _checked(record, record.block[blank.end() :] if blank else b"")
        if self._waiting and record.goes_with(self._waiting.record):
            answer, self._waiting = self._waiting, None
            self._keep(answer, record.block)
        else:
            self._drop_request()
            self._request = record

    def _drop_request(self) -> None:
        if self._request:
            self.done.skipped["request without a document"] += 1
            self._request = None

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
        """The answer's own head, and the body that it says is the same: as a reader sees it, not packed.

        Its digests are of that body, and not checked again.
        """
        if not record.header("WARC-Profile").strip("<>").endswith(_SAME):
            self.done.skipped["revisit record that names no body"] += 1
            return
        digest = record.header("WARC-Payload-Digest")
        earlier = self._bodies.get(digest) or digest.removeprefix("sha256:").lower()
        same = self.archive.with_sha256(earlier)
        if not same:
            raise RecordRefused("it repeats a record that is neither in this file nor in the archive")
        head, _ = _parts(record.block)
        body = self.archive.body(same[-1])
        self._hold(_Answer(record, _fetched(at, moment, _PACKING.sub(rb"X-Orig-\1", head), body), True))

    def _hold(self, answer: _Answer) -> None:
        """Keep an answer with the request before it, or let it wait for the one that follows."""
        request = self._request
        if request and request.goes_with(answer.record):
            self._request = None
        else:
            request = None
        if answer.fetched.status not in (200, 203):
            self.done.skipped[f"answer {answer.fetched.status}"] += 1
        elif not answer.fetched.body:
            self.done.skipped["empty answer"] += 1
        elif request:
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
            try:
                kept = self.archive.keep(replace(fetched, exchanges=(exchange,)), "imported")
            except FetchError as error:
                raise RecordRefused(error.message) from None
            self._add(kept, answer.checked)

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


def _parts(block: bytes) -> tuple[bytes, bytes]:
    """An answer's head, and what follows it."""
    blank = BLANK.search(block, 0, HTTP_HEAD)
    if blank is None:
        raise RecordRefused("the head of its answer has no end, or is very long")
    return block[: blank.end()], block[blank.end() :]


def _checked(record: Record, payload: bytes) -> bool:
    """Do a record's digests hold, the payload's with or without chunks? False: it has none."""
    block, body = record.header("WARC-Block-Digest"), record.header("WARC-Payload-Digest")
    if block and not _agrees(block, record.block):
        raise RecordRefused("its block has another digest than it says")
    if body and not (_agrees(body, payload) or _agrees(body, _unchunked(payload))):
        raise RecordRefused("its payload has another digest than it says")
    return bool(block or body)


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
    """An answer as the fetcher gives it; raises RecordRefused where its body is cut short or broken.

    Tools that save from inside a browser see bodies already unpacked. Where the head still speaks of the
    packing, or of the packed length, its names become X-Orig-…, as those tools write them.
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
    opened = (bool(encoding) and not packed) or "x-orig-content-encoding" in named
    longer = not chunked and _longer(named.get("content-length", ""), len(raw), opened)
    if opened or longer or (chunked and (payload is raw or dechunked(raw) != payload)):
        head, raw = _PACKING.sub(rb"X-Orig-\1", head), body
        _, headers = _http(head)
    kind = media_type(named.get("content-type", ""))
    exchange = Exchange(address, moment, b"", head + raw)
    return Fetched(address, address, moment, status, headers, kind, body, (exchange,))


def _longer(said: str, size: int, opened: bool) -> bool:
    """Is a body longer than its head says? Raises RecordRefused where one that was not opened is shorter."""
    if not said:
        return False
    if not (said.isascii() and said.isdigit() and len(said) <= 12):
        raise RecordRefused(f"its answer says that it has {one_line(said)!r} bytes")
    if 0 < size < int(said) and not opened:
        raise RecordRefused(f"its answer says that it has {int(said):,} bytes, and has {size:,}")
    return size > int(said)


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
        raise RecordRefused(f"its time is not like 2026-01-02T03:04:05Z: {one_line(text) or 'it has none'}")
    if when > datetime.now(UTC) + timedelta(minutes=5):
        raise RecordRefused(f"its time lies in the future: {found.group(1)}Z")
    return f"{found.group(1)}Z"
