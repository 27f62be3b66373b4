"""WARC 1.1 records (ISO 28500): captures as records that other people's tools read, and back."""

from __future__ import annotations

import base64
import hashlib
import uuid
import zlib
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from mercwatch.capture.asking import Exchange, media_type
from mercwatch.capture.decoding import BLANK, dechunked, decoded
from mercwatch.capture.fetching import Fetched

MAX_BODY = 256 << 20
_ASKED = "Mercwatch-Asked"
_HOW = "Mercwatch-How"
_SAME = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
_STEP = 1 << 20
DAMAGE = (ArchiveLoadFailed, ValueError, OSError, EOFError, zlib.error)
"""What reading a damaged file raises."""
Seen = dict[tuple[str, str, str], tuple[str, int, str]]
"""Captures by address, moment and payload digest: their SHA-256, bytes and media type."""


@dataclass(frozen=True)
class Earlier:
    """The capture that a revisit refers to."""

    address: str
    moment: str
    payload: str
    sha256: str
    bytes: int
    media_type: str


@dataclass(frozen=True)
class Block:
    """One record as it is written (gzip); capture: the catalogue's fields, if it holds the document."""

    data: bytes
    capture: dict[str, Any] | None = None


class _Head(StatusAndHeaders):  # type: ignore[misc]
    """An HTTP head that is written exactly as it was received."""

    def __init__(self, raw: bytes) -> None:
        super().__init__("", [])
        self.headers_buff = raw

    def __bool__(self) -> bool:
        return True

    def compute_headers_buffer(self, header_filter: object = None) -> None:
        """Keep the received bytes."""


def digest(data: bytes) -> str:
    """A WARC digest: SHA-256 in base 32."""
    return f"sha256:{base64.b32encode(hashlib.sha256(data).digest()).decode()}"


def payload_digest(response: bytes) -> str:
    """The digest of an answer's payload: what follows its head, encodings and chunks included."""
    return digest(_parts(response)[1])


def _parts(message: bytes) -> tuple[bytes, bytes]:
    blank = BLANK.search(message)
    end = blank.end() if blank else len(message)
    return message[:end], message[end:]


def info(name: str) -> bytes:
    """The record that begins a file."""
    out = BytesIO()
    writer = _writer(out)
    facts = {"software": "mercwatch", "format": "WARC File Format 1.1", "robots": "classic"}
    writer.write_record(writer.create_warcinfo_record(name, facts))
    return out.getvalue()


def written(fetched: Fetched, earlier: Earlier | None, how: str = "fetched") -> list[Block]:
    """The records of a fetched document: each hop's answer and request, the document's own last.

    earlier: the capture that it repeats; then a revisit record takes the place of the body.
    """
    blocks: list[Block] = []
    for hop in fetched.exchanges[:-1]:
        blocks += _pair(hop, {}, None)
    last = fetched.exchanges[-1]
    facts = {**_facts(fetched, earlier), "how": how}
    blocks += _pair(last, facts, (fetched.not_modified, earlier) if earlier else None)
    return blocks


def _facts(fetched: Fetched, earlier: Earlier | None) -> dict[str, Any]:
    same = earlier if fetched.not_modified else None
    return {
        "asked": fetched.asked,
        "address": fetched.address,
        "moment": fetched.moment,
        "sha256": same.sha256 if same else hashlib.sha256(fetched.body).hexdigest(),
        "bytes": same.bytes if same else len(fetched.body),
        "media_type": same.media_type if same else fetched.media_type,
        "status": fetched.status,
        "kind": "revisit" if earlier else "response",
        "etag": _ascii(fetched.header("etag"), 500),
        "last_modified": _ascii(fetched.header("last-modified"), 100),
        "payload": same.payload if same else payload_digest(fetched.exchanges[-1].response),
    }


def _pair(hop: Exchange, facts: dict[str, Any], repeats: tuple[bool, Earlier] | None) -> list[Block]:
    head, body = _parts(hop.response)
    answer_id = _new_id()
    named = {"WARC-Record-ID": answer_id, "WARC-Date": hop.moment}
    if hop.peer:
        named["WARC-IP-Address"] = hop.peer
    if facts:
        named[_ASKED] = _line(facts["asked"])
        named[_HOW] = facts["how"]
    if repeats:
        not_modified, earlier = repeats
        named |= {
            "WARC-Profile": _NOT_MODIFIED if not_modified else _SAME,
            "WARC-Refers-To-Target-URI": earlier.address,
            "WARC-Refers-To-Date": earlier.moment,
            "WARC-Payload-Digest": earlier.payload,
        }
        answer = _record(hop.address, "revisit", head, b"", named)
    else:
        answer = _record(hop.address, "response", head, body, named)
    if not hop.request:
        return [Block(answer, facts or None)]
    request = {"WARC-Record-ID": _new_id(), "WARC-Date": hop.moment, "WARC-Concurrent-To": answer_id}
    question = _record(hop.address, "request", *_parts(hop.request), request)
    return [Block(answer, facts or None), Block(question)]


def resource(body: bytes, kind: str, address: str, moment: str) -> list[Block]:
    """The record of a document that a person handed in."""
    named = {
        "WARC-Record-ID": _new_id(),
        "WARC-Date": _line(moment),
        "WARC-Payload-Digest": digest(body),
        "WARC-Block-Digest": digest(body),
    }
    out = BytesIO()
    writer = _writer(out)
    writer.write_record(
        writer.create_warc_record(
            _line(address), "resource", BytesIO(body), len(body), media_type(kind), named
        )
    )
    facts = {
        "asked": address,
        "address": address,
        "moment": moment,
        "sha256": hashlib.sha256(body).hexdigest(),
        "bytes": len(body),
        "media_type": media_type(kind),
        "status": 0,
        "kind": "resource",
        "etag": "",
        "last_modified": "",
        "payload": digest(body),
        "how": "imported",
    }
    return [Block(out.getvalue(), facts)]


def _record(address: str, kind: str, head: bytes, body: bytes, named: dict[str, str]) -> bytes:
    out = BytesIO()
    writer = _writer(out)
    own = {"WARC-Block-Digest": digest(head + body), **named}
    if kind != "revisit":
        own["WARC-Payload-Digest"] = digest(body)
    record = writer.create_warc_record(
        address, kind, BytesIO(body), len(body), warc_headers_dict=own, http_headers=_Head(head)
    )
    writer.write_record(record)
    return out.getvalue()


def _writer(out: BytesIO) -> WARCWriter:
    return WARCWriter(out, gzip=True, warc_version="1.1")


def _ascii(value: str | None, most: int) -> str:
    """A header that is sent back to the server, or empty where it could not be."""
    return value[:most] if value and value.isascii() and value.isprintable() else ""


def _line(value: str) -> str:
    """A value as it may stand in a record's header; raises ValueError where it would begin another line."""
    if not value or "\r" in value or "\n" in value or "\0" in value:
        raise ValueError("a value for a record's header is empty, or has several lines")
    return value


def _new_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"


def body_in(data: bytes) -> bytes:
    """The document in one record's bytes, unpacked; raises ValueError where it is damaged."""
    try:
        _check_sum(data)
        record = next(iter(ArchiveIterator(BytesIO(data))))
        return body_of(record)
    except (*DAMAGE, StopIteration) as error:
        raise ValueError(f"the record is damaged: {error}") from None


def _check_sum(data: bytes) -> None:
    """Raise ValueError where a gzip member is not whole: warcio does not look at its check sum."""
    engine, rest = zlib.decompressobj(zlib.MAX_WBITS | 16), data
    try:
        while not engine.eof and (rest or engine.unconsumed_tail):
            engine.decompress(rest, _STEP)
            rest = engine.unconsumed_tail
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not engine.eof:
        raise ValueError("it ends too early")


def body_of(record: ArcWarcRecord) -> bytes:
    """The document in a record, without chunks and content encodings; raises ValueError."""
    raw = record.raw_stream.read(MAX_BODY + 1)
    if len(raw) > MAX_BODY:
        raise ValueError(f"the record holds more than {MAX_BODY:,} bytes")
    headers = record.http_headers
    if headers is None:
        return bytes(raw)
    if "chunked" in (headers.get_header("transfer-encoding") or "").lower():
        raw = dechunked(raw)
    return decoded(raw, headers.get_header("content-encoding") or "", MAX_BODY)


def records_in(path: Path, start: int, seen: Seen) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Every whole record of a file of ours from `start`: its end, and the catalogue's fields of a capture.

    A lost catalogue is made again from them. seen: captures to which revisits refer; those found are added.
    Raises one of DAMAGE at the first record that is not whole.
    """
    with path.open("rb") as stream:
        stream.seek(start)
        iterator = ArchiveIterator(stream, check_digests=True)
        for record in iterator:
            found = _facts_of(record, seen)
            iterator.read_to_end(record)
            offset, length = iterator.get_record_offset(), iterator.get_record_length()
            packed = iterator.reader.decompressor
            if record.digest_checker.passed is False or packed is None or not packed.eof:
                raise ValueError("a record is cut off, or has another digest than it says")
            yield offset + length, found and {**found, "offset": offset, "length": length}


def _facts_of(record: ArcWarcRecord, seen: Seen) -> dict[str, Any] | None:
    named = record.rec_headers.get_header
    asked = named(_ASKED)
    if record.rec_type == "resource":
        asked = named("WARC-Target-URI")
    if record.rec_type not in ("response", "revisit", "resource") or not asked:
        return None
    http = record.http_headers
    payload = named("WARC-Payload-Digest") or ""
    kind = media_type((http.get_header("content-type") if http else named("Content-Type")) or "")
    if record.rec_type == "revisit":
        earlier = (named("WARC-Refers-To-Target-URI"), named("WARC-Refers-To-Date"), payload)
        if earlier not in seen:
            return None  # what it repeats is lost
        sha256, size, said = seen[earlier]
        kind = said if named("WARC-Profile") == _NOT_MODIFIED else kind
    else:
        body = body_of(record)
        sha256, size = hashlib.sha256(body).hexdigest(), len(body)
    seen[named("WARC-Target-URI"), named("WARC-Date"), payload] = (sha256, size, kind)
    return {
        "asked": asked,
        "address": named("WARC-Target-URI"),
        "moment": named("WARC-Date"),
        "sha256": sha256,
        "bytes": size,
        "media_type": kind,
        "status": int(http.get_statuscode()) if http else 0,
        "kind": record.rec_type,
        "etag": _ascii(http.get_header("etag"), 500) if http else "",
        "last_modified": _ascii(http.get_header("last-modified"), 100) if http else "",
        "payload": payload,
        "how": "imported" if record.rec_type == "resource" else named(_HOW) or "fetched",
    }


def problems_in(path: Path, end: int) -> list[str]:
    """What is wrong with the records in the first `end` bytes of a file, one line each."""
    problems: list[str] = []
    try:
        with path.open("rb") as stream, redirect_stdout(None):  # warcio prints what zlib says
            for record in ArchiveIterator(stream, check_digests=True):
                while record.raw_stream.read(_STEP):  # as stored: what it would unpack to is no matter here
                    pass
                if record.digest_checker.passed is False:
                    name = record.rec_headers.get_header("WARC-Record-ID")
                    problems.append(
                        f"{path.name}: record {name}: {'; '.join(record.digest_checker.problems)}"
                    )
                if stream.tell() > end + (1 << 20):
                    break
    except DAMAGE as error:
        problems.append(f"{path.name}: cannot be read to its end: {str(error).strip()}")
    return problems
