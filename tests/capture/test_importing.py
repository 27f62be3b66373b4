"""What a person saved by hand enters as captures do; what is wrong in it is said and left out."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import stat
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import brotli
import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from mercwatch.capture.archive import Archive, Kept
from mercwatch.capture.importing import Imported, ImportRefused, handed_file, import_file, import_warc
from mercwatch.capture.outside import Budget

LAW = b"<html><title>Law</title><p>The service may not sell what it finds.</p></html>"
AT = "https://gazette.example/law"
DATE = "2026-01-02T03:04:05Z"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
ELSEWHERE = "http://netpreserve.org/warc/1.0/revisit/uri-agnostic-identical-payload-digest"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An empty archive."""
    with Archive.open(tmp_path / "archive", write=True) as opened:
        yield opened


def digest(data: bytes) -> str:
    """A digest as most tools write it."""
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def record(
    block: bytes = HEAD + LAW, kind: str = "response", at: str = AT, length: int | None = None, **named: str
) -> bytes:
    """One record, written by hand so that it can lie."""
    lines = {
        "WARC-Type": kind,
        "WARC-Target-URI": at,
        "WARC-Date": DATE,
        "WARC-Record-ID": f"<urn:test:{hashlib.md5(block + at.encode(), usedforsecurity=False).hexdigest()}>",
        "Content-Length": str(len(block) if length is None else length),
    } | {name.replace("_", "-"): value for name, value in named.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return b"WARC/1.1\r\n" + head.encode() + b"\r\n" + block + b"\r\n\r\n"


GOOD = record(at="https://gazette.example/good")


def packed(*members: bytes) -> bytes:
    """Each record a gzip member of its own, as it should be."""
    return b"".join(gzip.compress(member, 1) for member in members)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as box:
        for name, data in files.items():
            box.writestr(name, data)
    return out.getvalue()


def imported(archive: Archive, tmp_path: Path, data: bytes) -> Imported:
    """Import these bytes as a file."""
    (tmp_path / "saved").write_bytes(data)
    return import_warc(archive, tmp_path / "saved")


def bodies(archive: Archive, done: Imported) -> list[bytes]:
    """What was kept."""
    return [archive.body(kept) for kept in done.kept]


def held_by(archive: Archive) -> bytes:
    """All that the archive's files hold."""
    return b"".join(gzip.decompress(file.read_bytes()) for file in (archive.folder / "warc").iterdir())


RECORDED = """
import sys, threading
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from warcio.capture_http import capture_http
import http.client
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=UTF-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (b"<p>The service ", b"may not sell.</p>", b""):
            self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(part), part))
    def log_message(self, *args): pass
with TCPServer(("127.0.0.1", 0), Handler) as server:
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    with capture_http(sys.argv[1]):
        asking = http.client.HTTPConnection("127.0.0.1", server.server_address[1])
        asking.request("GET", "/law")
        asking.getresponse().read()
        asking.close()
    server.shutdown()
"""


def test_what_warcio_recorded_is_kept_with_its_request_time_and_address(
    archive: Archive, tmp_path: Path
) -> None:
    path = tmp_path / "recorded.warc.gz"
    subprocess.run([sys.executable, "-c", RECORDED, str(path)], check=True, timeout=60)
    done = import_warc(archive, path)
    assert (done.problems, done.unchecked, bodies(archive, done)) == (
        [],
        0,
        [b"<p>The service may not sell.</p>"],
    )
    kept = done.kept[0]
    assert (kept.kind, kept.status, kept.media_type) == ("response", 200, "text/html; charset=utf-8")
    assert kept.address.startswith("http://127.0.0.1:")
    assert kept.moment.startswith("20")
    held = held_by(archive)
    assert b"GET /law HTTP/1.1\r\n" in held
    assert b"f\r\n<p>The service \r\n" in held
    assert list(archive.verify()) == []


def pair(
    writer: WARCWriter, at: str, body: bytes, headers: list[tuple[str, str]], method: str = "GET"
) -> None:
    """An answer and its request, as warcio's own writer makes them."""
    answer = writer.create_warc_record(
        at, "response", io.BytesIO(body), http_headers=StatusAndHeaders("200 OK", headers, "HTTP/1.1")
    )
    asked = writer.create_warc_record(
        at,
        "request",
        http_headers=StatusAndHeaders(f"{method} / HTTP/1.1", [("Host", "x")], is_http_request=True),
    )
    writer.write_request_response_pair(asked, answer)


def written(fill: Callable[[WARCWriter], None], packs: bool = True) -> bytes:
    """A file by warcio's writer."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=packs, warc_version="1.1")
    writer.write_record(writer.create_warcinfo_record("saved.warc.gz", {"software": "a browser"}))
    fill(writer)
    return out.getvalue()


@pytest.mark.parametrize("packs", [True, False])
def test_bodies_are_unpacked_as_a_fetched_ones_are(archive: Archive, tmp_path: Path, packs: bool) -> None:
    zipped_law = gzip.compress(LAW)
    chunks = b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in (zipped_law[:9], zipped_law[9:]))
    bodies_of = {
        "gzip-chunks": (chunks + b"0\r\n\r\n", [("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")]),
        "trailer": (chunks + b"0\r\nX-Sum: 1\r\n\r\n", [("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")]),
        "brotli": (brotli.compress(LAW), [("Content-Encoding", "br")]),
        "deflate": (zlib.compress(LAW), [("Content-Encoding", "deflate")]),
        "plain": (LAW, [("Content-Length", str(len(LAW)))]),
        "unpacked-by-the-browser": (LAW, [("Content-Encoding", "gzip"), ("Content-Length", "60")]),
        "joined-by-the-browser": (LAW, [("Transfer-Encoding", "chunked")]),
        "with-the-packed-length": (LAW, [("Content-Length", "60")]),
        "told-by-the-browser": (LAW, [("X-Orig-Content-Encoding", "br"), ("Content-Length", "900")]),
    }  # fmt: skip

    def fill(writer: WARCWriter) -> None:
        for name, (body, headers) in bodies_of.items():
            pair(writer, f"{AT}/{name}", body, headers)

    done = imported(archive, tmp_path, written(fill, packs))
    assert done.problems == []
    assert [kept.address.removeprefix(f"{AT}/") for kept in done.kept] == list(bodies_of)
    assert set(bodies(archive, done)) == {LAW}
    assert done.skipped == {"warcinfo record": 1}
    assert list(archive.verify()) == []


def test_a_request_that_stands_before_its_answer_is_kept_with_it(archive: Archive, tmp_path: Path) -> None:
    answer = record(WARC_Concurrent_To="<urn:ask>")
    asked = record(b"GET /law HTTP/1.1\r\nX-Mine: yes\r\n\r\n", "request", WARC_Record_ID="<urn:ask>")
    other = record(b"GET /other HTTP/1.1\r\nX-Mine: no\r\n\r\n", "request", WARC_Record_ID="<urn:other>")
    done = imported(archive, tmp_path, packed(asked, answer, other))
    assert len(done.kept) == 1
    held = held_by(archive)
    assert b"X-Mine: yes" in held
    assert b"X-Mine: no" not in held
    assert done.skipped == {"request without a document": 1}


def test_answers_that_are_no_document_are_counted_and_not_kept(archive: Archive, tmp_path: Path) -> None:
    def fill(writer: WARCWriter) -> None:
        pair(writer, AT, LAW, [], method="POST")
        for at in ("urn:pageinfo:https://gazette.example/", "dns:gazette.example", "file:///etc/passwd"):
            writer.write_record(writer.create_warc_record(at, "resource", io.BytesIO(b"{}")))
        writer.write_record(writer.create_warc_record(AT, "metadata", io.BytesIO(b"a: b")))

    redirect = record(b"HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n")
    gone, empty = record(b"HTTP/1.1 404 Not Found\r\n\r\n" + LAW), record(HEAD)
    odd = record(kind="\x1b[31mconversion")
    done = imported(archive, tmp_path, written(fill) + packed(redirect, gone, empty, odd))
    assert (done.kept, done.problems) == ([], [])
    assert done.skipped == {
        "warcinfo record": 1,
        "answer to another request than GET": 1,
        "resource record of no web address": 3,
        "metadata record": 1,
        "answer 301": 1,
        "answer 404": 1,
        "empty answer": 1,
        "[31mconversion record": 1,
    }


def test_a_browsers_resource_is_kept_as_what_was_handed_in(archive: Archive, tmp_path: Path) -> None:
    data = record(
        b"%PDF-1.7 law", "resource", Content_Type="application/pdf", WARC_Block_Digest=digest(b"%PDF-1.7 law")
    )
    done = imported(archive, tmp_path, packed(data))
    assert [(kept.kind, kept.address, kept.media_type, kept.moment) for kept in done.kept] == [
        ("resource", AT, "application/pdf", DATE)
    ]
    assert (bodies(archive, done), done.unchecked) == ([b"%PDF-1.7 law"], 0)


def test_a_revisit_is_kept_with_the_body_that_it_repeats(archive: Archive, tmp_path: Path) -> None:
    body = gzip.compress(LAW)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n"
    first = record(head + body, WARC_Payload_Digest=digest(body))
    again = record(head, "revisit", f"{AT}/copy", WARC_Payload_Digest=digest(body), WARC_Profile=ELSEWHERE)
    strange = record(head, "revisit", f"{AT}/x", WARC_Payload_Digest=digest(b"x"), WARC_Profile=IDENTICAL)
    same = record(
        b"", "revisit", f"{AT}/y", WARC_Profile="http://netpreserve.org/warc/1.1/revisit/server-not-modified"
    )
    done = imported(archive, tmp_path, packed(first, again, strange, same))
    assert [kept.address for kept in done.kept] == [AT, f"{AT}/copy"]
    assert bodies(archive, done) == [LAW, LAW]
    assert done.skipped == {"revisit record that names no body": 1}
    assert len(done.problems) == 1
    assert done.problems[0].startswith("record 3 (offset ")
    assert done.problems[0].endswith(
        "it repeats a record that is neither in this file nor in the archive; left out"
    )
    assert list(archive.verify()) == []


def test_a_revisit_may_repeat_what_an_earlier_file_brought(archive: Archive, tmp_path: Path) -> None:
    imported(archive, tmp_path, packed(record()))
    said = f"sha256:{hashlib.sha256(LAW).hexdigest()}"
    again = record(HEAD, "revisit", f"{AT}/copy", WARC_Payload_Digest=said, WARC_Profile=IDENTICAL)
    done = imported(archive, tmp_path, packed(again))
    assert (done.problems, bodies(archive, done)) == ([], [LAW])


def test_what_was_imported_before_is_not_kept_twice(archive: Archive, tmp_path: Path) -> None:
    data = packed(record(), record(b"%PDF-1.7", "resource", at=f"{AT}.pdf"), GOOD)
    assert len(imported(archive, tmp_path, data).kept) == 3
    again = imported(archive, tmp_path, data)
    assert again.kept == []
    assert again.skipped == {"record that is in the archive already": 3}
    assert len(archive) == 3


def test_records_without_a_digest_are_kept_and_counted(archive: Archive, tmp_path: Path) -> None:
    done = imported(
        archive, tmp_path, packed(record(), record(at=f"{AT}/2", WARC_Payload_Digest=digest(LAW)))
    )
    assert (len(done.kept), done.unchecked) == (2, 1)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("spelling", ["base32", "hex"])
def test_digests_are_checked_in_every_usual_spelling(
    archive: Archive, tmp_path: Path, algorithm: str, spelling: str
) -> None:
    def said(data: bytes) -> str:
        raw = hashlib.new(algorithm, data).digest()
        return f"{algorithm}:{raw.hex() if spelling == 'hex' else base64.b32encode(raw).decode()}"

    good, bad = (
        record(WARC_Payload_Digest=said(LAW)),
        record(at=f"{AT}/2", WARC_Payload_Digest=said(b"another")),
    )
    done = imported(archive, tmp_path, packed(good, bad))
    assert [kept.address for kept in done.kept] == [AT]
    assert done.unchecked == 0
    assert [line.split("): ")[1] for line in done.problems] == [
        "its payload has another digest than it says; left out"
    ]


def test_a_file_packed_as_one_piece_is_read_too(archive: Archive, tmp_path: Path) -> None:
    assert len(imported(archive, tmp_path, gzip.compress(record() + GOOD)).kept) == 2


MANY_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
WRONG: dict[str, tuple[bytes, str]] = {
    "wrong-block": (record(WARC_Block_Digest=digest(b"x")), "its block has another digest than it says"),
    "wrong-payload": (record(WARC_Payload_Digest=digest(b"x")), "its payload has another digest than it says"),
    "wrong-request": (
        record(b"GET /law HTTP/1.1\r\n\r\n", "request", WARC_Block_Digest=digest(b"x")),
        "its block has another digest than it says",
    ),
    "odd-digest": (record(WARC_Payload_Digest="sha1:%%%"), "its payload has another digest than it says"),
    "no-algorithm": (record(WARC_Block_Digest="shake_128:AAAA"), "its block has another digest than it says"),
    "no-colon": (record(WARC_Block_Digest="AAAA"), "its block has another digest than it says"),
    "too-short": (record(length=20), "it says that it has 20 bytes, and does not end after them"),
    "too-long": (record(length=9_000), "it says that it has 9,000 bytes, and 125 are there"),
    "negative": (record(length=-1), "it does not say how long it is"),
    "endless-length": (record(Content_Length="9" * 4_000), "it does not say how long it is"),
    "no-length": (record(Content_Length=""), "it does not say how long it is"),
    "no-warc": (b"GARBAGE/1.0\r\nContent-Length: 3\r\n\r\nabc\r\n\r\n", "what stands here is no WARC record"),
    "endless-head": (b"WARC/1.1\r\n" + b"X: y\r\n" * 20_000, "its head has no end within 65,536 bytes"),
    "half-head": (b"WARC/1.1\r\nWARC-Type: response\r\n", "it is cut off in its head"),
    "no-http": (record(b"hello\r\n\r\n"), "what it holds is no answer of a web server"),
    "endless-http": (record(HEAD[:-2] + b"X: " + b"y" * 300_000), "the head of its answer has no end, or is very long"),
    "hidden-head": (record(HEAD[:-2] + b" \r\nX: y\r\n\r\n" + LAW), "the head of its answer has an empty line in it"),
    "10,000-headers": (record(HEAD[:-2] + b"A: b\r\n" * 10_000 + b"\r\n" + LAW), "its answer has more than 256 headers"),
    "short-body": (
        record(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + LAW),
        "its answer says that it has 900 bytes, and has 77",
    ),
    "odd-length": (
        record(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" + LAW),
        "its answer says that it has 'many' bytes",
    ),
    "torn-chunks": (record(MANY_CHUNKS + b"4\r\nabcd\r\n9\r\nabc"), "the chunks of its answer break off"),
    "no-last-chunk": (record(MANY_CHUNKS + b"4\r\nabcd\r\n"), "the chunks of its answer break off"),
    "broken-gzip": (
        record(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(LAW)[:-12]),
        "the packed answer ends too early",
    ),
    "body-bomb": (
        record(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(1 << 20)) * 129),
        "the answer unpacks to more than 134,217,728 bytes",
    ),
    "strange-packing": (record(b"HTTP/1.1 200 OK\r\nContent-Encoding: zpaq\r\n\r\nabc"), "in a way that we do not read"),
    "truncated": (record(WARC_Truncated="length\x1b[2J"), "it says itself that it was cut short (length [2J)"),
    "segment": (record(WARC_Segment_Number="1"), "it holds only a part of a document"),
    "no-date": (record(WARC_Date=""), "its time is not like 2026-01-02T03:04:05Z: it has none"),
    "odd-date": (record(WARC_Date="2026-13-45T99:99:99Z"), "its time is not like 2026-01-02T03:04:05Z"),
    "half-a-date": (record(WARC_Date="2026-01"), "its time is not like 2026-01-02T03:04:05Z: 2026-01"),
    "future": (record(WARC_Date="2999-01-01T00:00:00Z"), "its time lies in the future"),
    "no-host": (record(at="https:///law"), "the address names no host"),
    "user": (record(at="https://me:secret@gazette.example/"), "carries a user's name or password"),
    "long-address": (record(at=AT + "a" * 3_000), "longer than 2,000 characters"),
    "lost-original": (
        record(HEAD, "revisit", WARC_Profile=IDENTICAL, WARC_Payload_Digest=digest(b"?")),
        "it repeats a record that is neither in this file nor in the archive",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_record_is_left_out_by_name_and_the_next_one_is_kept(
    archive: Archive, tmp_path: Path, name: str
) -> None:
    data, said = WRONG[name]
    done = imported(archive, tmp_path, packed(record(at=f"{AT}/first"), data, GOOD))
    assert [kept.address for kept in done.kept] == [f"{AT}/first", "https://gazette.example/good"]
    assert len(done.problems) == 1
    assert done.problems[0].startswith(f"record 2 (offset {len(packed(record(at=f'{AT}/first'))):,}): ")
    assert said in done.problems[0]
    assert done.problems[0].isprintable()
    assert list(archive.verify()) == []


def test_in_an_unpacked_file_nothing_is_guessed_after_a_lying_length(
    archive: Archive, tmp_path: Path
) -> None:
    forged = record(at="https://gazette.example/forged")
    done = imported(archive, tmp_path, record(at=f"{AT}/1") + record(HEAD + forged, length=30) + GOOD)
    assert [kept.address for kept in done.kept] == [f"{AT}/1"]
    assert [line.split("): ")[1] for line in done.problems] == [
        "it says that it has 30 bytes, and does not end after them; left out",
        "where it ends cannot be told; the rest of the file was not read",
    ]


def test_a_record_inside_a_page_stays_a_part_of_the_page(archive: Archive, tmp_path: Path) -> None:
    page = b"<pre>" + b"\r\n\r\n" + record(at="https://gazette.example/forged") + b"</pre>"
    done = imported(archive, tmp_path, record(HEAD + page))
    assert (done.problems, [kept.address for kept in done.kept], bodies(archive, done)) == ([], [AT], [page])


TORN: dict[str, tuple[bytes, str]] = {
    "gzip-tail": (packed(record(), GOOD)[:-30], "record 2 (offset 260): the file ends in the middle of a gzip member"),
    "plain-tail": (record() + GOOD[:-60], "record 2 (offset 319): it says that it has 121 bytes, and 65 are there"),
    "broken-gzip": (packed(record()) + b"\x1f\x8b\x08\0" + b"\xff" * 200, "its gzip data are broken"),
    "rest-that-is-no-gzip": (packed(record()) + b"\0" * 500, "is no gzip member; the rest of the file was not read"),
    "member-check": (packed(record()) + packed(GOOD)[:-8] + b"\0" * 8, "its gzip data are broken"),
}  # fmt: skip


@pytest.mark.parametrize("name", TORN)
def test_of_a_torn_file_the_whole_records_are_kept(archive: Archive, tmp_path: Path, name: str) -> None:
    data, said = TORN[name]
    done = imported(archive, tmp_path, data)
    assert done.kept[0].address == AT
    assert len(done.problems) == 1
    assert said in done.problems[0]


def test_a_record_larger_than_documents_are_is_passed_over(archive: Archive, tmp_path: Path) -> None:
    large = record(b"", length=70_000_000)[:-4] + bytes(70_000_000) + b"\r\n\r\n"
    done = imported(archive, tmp_path, large + GOOD)
    assert done.problems == [
        "record 1 (offset 0): it has 70,000,000 bytes; more than 64 MiB are not taken; left out"
    ]
    assert [kept.address for kept in done.kept] == ["https://gazette.example/good"]


def test_a_bomb_costs_neither_memory_nor_the_records_before_it(archive: Archive, tmp_path: Path) -> None:
    zeros = record(b"", kind="metadata", length=900 << 20)[:-4] + bytes(30 << 20)
    (tmp_path / "saved").write_bytes(packed(record(), zeros, GOOD))
    del zeros
    tracemalloc.start()
    try:
        done = import_warc(archive, tmp_path / "saved", Budget(most_bytes=20 << 20))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(done.kept) == 1
    assert done.problems[0].endswith(
        "the file unpacks to more than 20,971,520 bytes; the rest of the file was not read"
    )
    assert peak < 4 << 20


def test_a_file_of_countless_tiny_members_is_stopped(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "saved").write_bytes(packed(record()) + gzip.compress(b"") * 300)
    done = import_warc(archive, tmp_path / "saved", Budget(most_records=100))
    assert len(done.kept) == 1
    assert "the file has more than 100 records" in done.problems[0]


def test_no_more_problems_are_remembered_than_can_be_read(archive: Archive, tmp_path: Path) -> None:
    done = imported(archive, tmp_path, record(b"x") * 1_200)
    assert (len(done.problems), done.unsaid) == (1_000, 200)


def test_a_wacz_gives_the_documents_of_its_warc_files(archive: Archive, tmp_path: Path) -> None:
    data = zipped(
        {
            "datapackage.json": b"{}",
            "pages/pages.jsonl": b"{}",
            "archive/data.warc.gz": packed(record(), record(WARC_Block_Digest=digest(b"x"))),
            "archive/more.warc": GOOD,
            "indexes/index.cdx.gz": packed(b"x"),
        },
        zipfile.ZIP_DEFLATED,
    )
    done = imported(archive, tmp_path, data)
    assert [kept.address for kept in done.kept] == [AT, "https://gazette.example/good"]
    assert [line.split(" (")[0] for line in done.problems] == ["archive/data.warc.gz: record 2"]


def link(name: str, to: str) -> bytes:
    """A ZIP with a symbolic link in it, and a good WARC file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as box:
        info = zipfile.ZipInfo(name)
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        box.writestr(info, to)
        box.writestr("archive/good.warc", GOOD)
    return out.getvalue()


def changed(data: bytes, mark: bytes, at: int, value: bytes) -> bytes:
    """A ZIP whose headers with this mark are changed at a place in them."""
    out = bytearray(data)
    place = data.find(mark)
    while place >= 0:
        out[place + at : place + at + len(value)] = value
        place = data.find(mark, place + 4)
    return bytes(out)


ONE = zipped({"archive/data.warc": GOOD})
LEADS_OUT = dict.fromkeys(
    ("../../out.warc", "/etc/out.warc", "archive/../../out.warc", "archive/a\\b.warc"), GOOD
)
BOXES: dict[str, tuple[bytes, int, str]] = {
    "names-that-lead-out": (zipped({**LEADS_OUT, "archive/good.warc": record()}), 1, ""),
    "link": (link("archive/link.warc", "/etc/passwd"), 1, "archive/link.warc: is a link, not a file; left out"),
    "encrypted": (changed(changed(ONE, b"PK\x01\x02", 8, b"\1\0"), b"PK\x03\x04", 6, b"\1\0"), 0, "is encrypted"),
    "odd-packing": (changed(ONE, b"PK\x01\x02", 10, b"\x0c\0"), 0, "is packed in a way that a WACZ is not"),
    "wrong-sum": (changed(ONE, b"PK\x01\x02", 16, b"\0\0\0\0"), 0, "cannot be unpacked (Bad CRC-32"),
    "bomb": (
        zipped({"archive/data.warc": GOOD + bytes(300 << 20)}, zipfile.ZIP_DEFLATED),
        1,
        "its head has no end within 65,536 bytes",
    ),
    "lying-size": (changed(ONE, b"PK\x01\x02", 24, struct.pack("<I", 90)), 0, "cannot be unpacked (Bad CRC-32"),
    "before-its-beginning": (
        changed(ONE, b"PK\x05\x06", 16, struct.pack("<I", len(ONE) - 50)),
        0,
        "cannot be unpacked (a member lies outside of it)",
    ),
    "wacz-in-wacz": (zipped({"archive/data.warc": ONE}), 0, "what stands here is no WARC record"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOXES)
def test_a_hostile_wacz_gives_what_is_sound_in_it_and_writes_nowhere(
    archive: Archive, tmp_path: Path, name: str
) -> None:
    data, kept, said = BOXES[name]
    before = {path for path in tmp_path.parent.rglob("*") if "archive" not in path.parts}
    done = imported(archive, tmp_path, data)
    assert len(done.kept) == kept
    assert said in "\n".join(done.problems)
    assert bool(said) == bool(done.problems)
    after = {path for path in tmp_path.parent.rglob("*") if "archive" not in path.parts}
    assert after - before == {tmp_path / "saved"}
    assert not (tmp_path / "archive" / "out.warc").exists()


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "saved is no WARC and no WACZ; for a single document use import-file"),
    "pdf": (b"%PDF-1.7", "saved is no WARC and no WACZ; for a single document use import-file"),
    "no-wacz": (zipped({"word/document.xml": b"<a/>"}), "has no WARC file in its folder archive/"),
    "half-a-zip": (ONE[:-30], "is a broken ZIP"),
    "forged-list": (
        ONE[: ONE.index(b"PK\x01\x02")]
        + bytes(6 << 20)
        + changed(ONE, b"PK\x05\x06", 12, struct.pack("<I", 5 << 20))[ONE.index(b"PK\x01\x02") :],
        "is a broken ZIP (its list of members is too long)",
    ),
    "many": (zipped({f"archive/{n}.txt": b"" for n in range(10_001)}), "has more than 10,000 members"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_neither_warc_nor_wacz_is_refused_in_one_line(
    archive: Archive, tmp_path: Path, name: str
) -> None:
    data, said = REFUSED[name]
    with pytest.raises(ImportRefused) as error:
        imported(archive, tmp_path, data)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert len(archive) == 0


def test_only_plain_files_of_a_bounded_size_are_opened(archive: Archive, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate((4 << 30) + 1)
    for name, said in (
        ("pipe", "is no plain file"),
        ("large", "more than 4,096 MiB"),
        ("none", "No such file"),
    ):
        with pytest.raises(ImportRefused, match=said):
            import_warc(archive, tmp_path / name)
    with pytest.raises(ImportRefused, match="is no plain file"):
        import_warc(archive, tmp_path)


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("law.pdf", b"%PDF-1.7 law", "application/pdf"),
        ("law.html", b"%PDF-1.7 law", "application/pdf"),
        ("law.HTM", LAW, "text/html"),
        ("law", b"\xef\xbb\xbf  <!doctype html>", "text/html"),
        ("law.md", b"# Law", "text/markdown"),
        (
            "law.docx",
            b"PK\x03\x04",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("law.bin", b"\0\1", "application/octet-stream"),
    ],
)
def test_a_saved_document_is_kept_as_what_it_is(
    archive: Archive, tmp_path: Path, name: str, body: bytes, kind: str
) -> None:
    (tmp_path / name).write_bytes(body)
    kept: Kept = import_file(archive, tmp_path / name, f"{AT}#part", DATE)
    assert (kept.media_type, kept.kind, kept.address, kept.moment) == (kind, "resource", AT, DATE)
    assert archive.body(kept) == body


@pytest.mark.parametrize(
    ("size", "at", "when", "said"),
    [
        (0, AT, DATE, "law.pdf is empty; save the document again"),
        ((64 << 20) + 1, AT, DATE, "law.pdf has more than 64 MiB"),
        (9, "gazette.example/law", DATE, "the address names no host"),
        (9, AT, "yesterday", "its time is not like 2026-01-02T03:04:05Z: yesterday"),
        (9, AT, "2999-01-01T00:00:00Z", "its time lies in the future"),
    ],
)
def test_a_document_that_cannot_be_kept_is_refused_in_one_line(
    tmp_path: Path, size: int, at: str, when: str, said: str
) -> None:
    with (tmp_path / "law.pdf").open("wb") as stream:
        stream.truncate(size)
    with pytest.raises(ImportRefused) as error:
        handed_file(tmp_path / "law.pdf", at, when)
    assert said in str(error.value)
