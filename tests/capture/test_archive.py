"""The archive keeps exactly what was served, finds it again, and notices every byte that is not as it was."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import sqlite3
import subprocess
import sys
import threading
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

import mercwatch.capture.archive as archive_module
from capture.server import Answer, Server, Talk, chunked, ok
from mercwatch.capture.archive import Archive, ArchiveError, Kept
from mercwatch.capture.asking import FetchError, Rules
from mercwatch.capture.fetching import Fetched, Fetcher, Validators

PAGE = b"<html><p>A law on intrusion</p></html>"
MOMENT = "2026-01-02T03:04:05Z"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _validated(talk: Talk) -> None:
    known = b'if-none-match: "v1"' in talk.head.lower()
    talk.send(ok(b"", 'ETag: "v1"', status="304 Not Modified") if known else ok(PAGE, 'ETag: "v1"'))


ANSWERS: dict[str, Answer] = {
    "/page": ok(PAGE, "Content-Type: text/html", 'ETag: "x"'),
    "/same": ok(PAGE, "Content-Type: text/plain"),
    "/validated": _validated,
    "/moved": ok(b"there", "Location: /page", status="301 Moved"),
    "/changing": lambda talk: talk.send(ok(b"version %d" % talk.number)),
    "/chunked": CHUNKED + chunked(PAGE),
    "/chunks-as-they-are": ok(chunked(PAGE)),
    "/gzip": ok(gzip.compress(PAGE, mtime=0), "Content-Encoding: gzip"),
    "/gzip-as-it-is": ok(gzip.compress(PAGE, mtime=0)),
    "/folded": ok(PAGE, "A: b\r\n \x85", "Content-Encoding: identity"),
    "/hidden": ok(gzip.compress(PAGE), "A: b\r\n ", "Content-Encoding: gzip"),
}


@pytest.fixture(scope="module")
def origin(server: Server) -> str:
    """Where the answers of this module are served."""
    return server.listen(ANSWERS)


@pytest.fixture(scope="module")
def fetcher() -> Fetcher:
    """A fetcher that reaches loopback."""
    return Fetcher(
        Rules(contact="test@example.org", loopback=True, pace=0, robots=False, retries=0, back_off=0)
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where this test's archive lies."""
    return tmp_path / "archive"


def _records(folder: Path) -> list[tuple[str, str, bytes]]:
    """Type, address and block of every record, as another program reads them."""
    found = []
    for path in sorted((folder / "warc").glob("*.warc.gz")):
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream, no_record_parse=True):
                address = record.rec_headers.get_header("WARC-Target-URI") or ""
                found.append((record.rec_type, address, record.raw_stream.read()))
    return found


def _rows(archive: Archive) -> list[dict[str, Any]]:
    return [{name: getattr(kept, name) for name in Kept.__slots__} for kept in archive.all()]


def _fill(folder: Path, fetcher: Fetcher, origin: str) -> list[Kept]:
    """An archive with every kind of record."""
    with Archive.open(folder, write=True) as archive:
        kept = [archive.keep(fetcher.fetch(origin + path)) for path in ANSWERS if path != "/hidden"]
        kept.append(archive.keep(fetcher.fetch(origin + "/validated", Validators(etag='"v1"'))))
        kept.append(archive.keep(fetcher.fetch(origin + "/changing")))
        kept.append(archive.keep_file(b"%PDF-1.7", "application/pdf", "https://gazette.example/é", MOMENT))
        return kept


def test_request_and_answer_are_kept_byte_for_byte(
    server: Server, origin: str, fetcher: Fetcher, folder: Path
) -> None:
    before = len(server.heads)
    with Archive.open(folder, write=True) as archive:
        for path in ("/chunked", "/gzip", "/moved"):
            archive.keep(fetcher.fetch(origin + path))
    records = _records(folder)
    requests = [block for kind, _, block in records if kind == "request"]
    responses = [block for kind, _, block in records if kind == "response"]
    assert requests == server.heads[before:]
    assert responses == [ANSWERS[path] for path in ("/chunked", "/gzip", "/moved", "/page")]


def test_every_kind_of_capture_is_read_back_as_it_was_served(
    origin: str, fetcher: Fetcher, folder: Path
) -> None:
    kept = _fill(folder, fetcher, origin)
    expected = {
        "/changing": None,
        "/chunks-as-they-are": chunked(PAGE),
        "/gzip-as-it-is": gzip.compress(PAGE, mtime=0),
        "https://gazette.example/é": b"%PDF-1.7",
    }
    with Archive.open(folder) as archive:
        assert list(archive.verify()) == []
        for capture in kept:
            body = archive.body(capture)
            assert hashlib.sha256(body).hexdigest() == capture.sha256
            assert len(body) == capture.bytes
            wanted = expected.get(capture.asked.removeprefix(origin), PAGE)
            assert wanted is None or body == wanted
        assert [archive.body(capture) for capture in archive.of(origin + "/changing")] == [
            b"version 1",
            b"version 2",
        ]


def test_the_same_payload_is_kept_once(origin: str, fetcher: Fetcher, folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        first = archive.keep(fetcher.fetch(origin + "/page"))
        second = archive.keep(fetcher.fetch(origin + "/same"))
        assert (first.kind, second.kind) == ("response", "revisit")
        assert archive.body(second) == PAGE
        assert second.media_type == "text/plain"
    assert sum(PAGE in block for _, _, block in _records(folder)) == 1


def test_what_the_server_says_is_unchanged_refers_to_the_earlier_capture(
    origin: str, fetcher: Fetcher, folder: Path
) -> None:
    with Archive.open(folder, write=True) as archive:
        first = archive.keep(fetcher.fetch(origin + "/validated"))
        again = fetcher.fetch(origin + "/validated", Validators(first.etag, first.last_modified))
        assert again.not_modified
        second = archive.keep(again)
        assert (second.kind, second.sha256, second.status) == ("revisit", first.sha256, 304)
        assert archive.body(second) == PAGE


def test_one_payload_that_is_said_to_be_packed_and_then_not_is_two_documents(
    origin: str, fetcher: Fetcher, folder: Path
) -> None:
    with Archive.open(folder, write=True) as archive:
        for first, second in (("/gzip", "/gzip-as-it-is"), ("/chunked", "/chunks-as-they-are")):
            one, other = (archive.keep(fetcher.fetch(origin + path)) for path in (first, second))
            assert archive.body(one) == PAGE
            assert archive.body(other) != PAGE
        assert list(archive.verify()) == []


def test_an_answer_whose_record_others_would_read_differently_is_not_kept(
    origin: str, fetcher: Fetcher, folder: Path
) -> None:
    with Archive.open(folder, write=True) as archive:
        with pytest.raises(FetchError, match="cannot be kept"):
            archive.keep(fetcher.fetch(origin + "/hidden"))
        assert len(archive) == 0


def test_a_capture_is_found_by_address_by_final_address_and_by_hash(
    origin: str, fetcher: Fetcher, folder: Path
) -> None:
    with Archive.open(folder, write=True) as archive:
        moved = archive.keep(fetcher.fetch(origin + "/moved"))
        other = archive.keep(fetcher.fetch(origin + "/changing"))
    with Archive.open(folder) as archive:
        assert archive.newest(origin + "/moved") == moved
        assert archive.newest(origin + "/page") == moved
        assert archive.newest(origin + "/nothing") is None
        assert archive.with_sha256(moved.sha256) == [moved]
        assert archive.with_sha256(other.sha256) == [other]


def test_the_rest_of_a_killed_run_is_cut_off(origin: str, fetcher: Fetcher, folder: Path) -> None:
    _fill(folder, fetcher, origin)
    (path,) = (folder / "warc").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:200])
    (folder / "warc" / "mercwatch-000002.warc.gz").write_bytes(whole[:50])
    with Archive.open(folder, write=True) as archive:
        assert path.read_bytes() == whole
        assert list(archive.verify()) == []
        archive.keep(fetcher.fetch(origin + "/changing"))
        assert list(archive.verify()) == []


def test_a_write_that_failed_half_way_does_not_shift_what_follows(
    origin: str, fetcher: Fetcher, folder: Path
) -> None:
    with Archive.open(folder, write=True) as archive:
        archive.keep(fetcher.fetch(origin + "/page"))
        (path,) = (folder / "warc").iterdir()  # what a full disk leaves behind
        with path.open("ab") as stream:
            stream.write(b"half a record")
        kept = archive.keep(fetcher.fetch(origin + "/changing"))
        assert archive.body(kept).startswith(b"version")
        assert list(archive.verify()) == []


def test_a_file_that_lost_its_end_is_named_and_nothing_more_is_written_to_it(
    origin: str, fetcher: Fetcher, folder: Path
) -> None:
    _fill(folder, fetcher, origin)
    (path,) = (folder / "warc").iterdir()
    path.write_bytes(path.read_bytes()[:-700])
    with Archive.open(folder, write=True) as archive:
        kept = archive.keep(fetcher.fetch(origin + "/changing"))
        assert archive.body(kept).startswith(b"version")
        assert any(problem.startswith(path.name) for problem in archive.verify())


def test_a_lost_catalogue_is_made_again_equal(
    origin: str, fetcher: Fetcher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        archive_module, "FILE_SIZE", 3_000
    )  # several files: a revisit may refer to another one
    _fill(folder, fetcher, origin)
    assert len(list((folder / "warc").iterdir())) > 2
    with Archive.open(folder) as archive:
        before = _rows(archive)
    for path in folder.glob("catalogue*"):
        path.unlink()
    with Archive.open(folder, write=True) as archive:
        assert _rows(archive) == before
        assert list(archive.verify()) == []
        assert archive.body(archive.keep(fetcher.fetch(origin + "/page"))) == PAGE


def test_a_lost_catalogue_and_a_torn_end_lose_only_what_was_torn(
    origin: str, fetcher: Fetcher, folder: Path
) -> None:
    kept = _fill(folder, fetcher, origin)
    (path,) = (folder / "warc").iterdir()
    path.write_bytes(path.read_bytes()[: kept[-1].offset + kept[-1].length - 9])
    for catalogue in folder.glob("catalogue*"):
        catalogue.unlink()
    with Archive.open(folder, write=True) as archive:
        assert [capture.sha256 for capture in archive.all()] == [capture.sha256 for capture in kept[:-1]]
        assert all(archive.body(capture) for capture in archive.all())


def test_a_catalogue_older_than_the_files_loses_no_file(
    origin: str, fetcher: Fetcher, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_module, "FILE_SIZE", 1)  # a file for each capture
    with Archive.open(folder, write=True) as archive:
        archive.keep(fetcher.fetch(origin + "/page"))
    shutil.copy(folder / "catalogue.sqlite3", tmp_path / "old")
    with Archive.open(folder, write=True) as archive:
        later = archive.keep(fetcher.fetch(origin + "/changing"))
    for path in folder.glob("catalogue*"):
        path.unlink()
    shutil.copy(tmp_path / "old", folder / "catalogue.sqlite3")
    with Archive.open(folder, write=True) as archive:
        assert [kept.sha256 for kept in archive.with_sha256(later.sha256)] == [later.sha256]
        assert list(archive.verify()) == []


def unpacked(data: bytes) -> bytes | None:
    """The gzip member that data begin with; None where it is damaged."""
    try:
        return zlib.decompressobj(31).decompress(data)
    except zlib.error:
        return None


def test_every_flipped_byte_is_found_and_named(origin: str, fetcher: Fetcher, folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        kept = archive.keep(fetcher.fetch(origin + "/page"))
    (path,) = (folder / "warc").iterdir()
    whole = path.read_bytes()
    with Archive.open(folder) as archive:
        for at in range(kept.offset + 10, kept.offset + kept.length, 5):  # behind gzip's own head
            flipped = whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :]
            if unpacked(flipped[kept.offset :]) == unpacked(whole[kept.offset :]):
                continue  # a bit that packing leaves unused: nothing that is kept has changed
            path.write_bytes(flipped)
            problems = list(archive.verify())
            assert any(path.name in problem or "capture 1" in problem for problem in problems), at
        path.write_bytes(whole)
        assert list(archive.verify()) == []


def test_a_damaged_capture_is_never_handed_out(origin: str, fetcher: Fetcher, folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        kept = archive.keep(fetcher.fetch(origin + "/page"))
        with pytest.raises(ArchiveError, match="another hash"):
            archive.body(replace(kept, sha256="0" * 64))
        (folder / "warc" / kept.file).unlink()
        with pytest.raises(ArchiveError, match=f"capture {kept.number} of "):
            archive.body(kept)


def test_a_second_run_that_writes_is_told_to_wait(folder: Path) -> None:
    program = f"""
from pathlib import Path
from mercwatch.capture.archive import Archive
with Archive.open(Path({str(folder)!r}), write=True): pass
"""
    with Archive.open(folder, write=True):
        second = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
        )
        assert "another run writes here; wait for its end" in second.stderr
        with Archive.open(folder) as reader:
            assert len(reader) == 0


def test_a_catalogue_that_is_held_by_another_program_is_not_called_broken(
    origin: str, fetcher: Fetcher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **{**k, "timeout": 0}))
    with Archive.open(folder, write=True) as archive:
        archive.keep(fetcher.fetch(origin + "/page"))
    holder = connect(folder / "catalogue.sqlite3")
    holder.execute("BEGIN IMMEDIATE")
    fetched = fetcher.fetch(origin + "/changing")
    with (
        pytest.raises(ArchiveError, match="no program holds it") as caught,
        Archive.open(folder, write=True) as archive,
    ):
        archive.keep(fetched)
    assert "move it away" not in str(caught.value)
    holder.close()
    with Archive.open(folder, write=True) as archive:
        archive.keep(fetcher.fetch(origin + "/changing"))
        assert list(archive.verify()) == []


def test_a_broken_catalogue_is_said_to_be_broken_and_made_anew_once_it_is_moved_away(
    origin: str, fetcher: Fetcher, folder: Path
) -> None:
    kept = _fill(folder, fetcher, origin)
    (folder / "catalogue.sqlite3").write_bytes(b"not a database" * 500)
    with (
        pytest.raises(ArchiveError, match="move it away and it is made anew"),
        Archive.open(folder, write=True),
    ):
        pass
    (folder / "catalogue.sqlite3").unlink()
    with Archive.open(folder, write=True) as archive:
        assert archive.with_sha256(kept[0].sha256)


@pytest.mark.parametrize(
    ("kind", "address", "moment"),
    [
        ("text/html", "https://gazette.example/\r\nWARC-Type: response", MOMENT),
        ("text/html", "", MOMENT),
        ("text/html", "https://gazette.example/", MOMENT + "\nWARC-Type: response"),
    ],
)
def test_what_is_handed_in_begins_no_header_of_its_own(
    kind: str, address: str, moment: str, folder: Path
) -> None:
    with Archive.open(folder, write=True) as archive, pytest.raises(ValueError, match="several lines"):
        archive.keep_file(b"body", kind, address, moment)


def test_a_media_type_begins_no_header_of_its_own(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        archive.keep_file(b"body", "text/html\r\nWARC-Type: response", "https://gazette.example/", MOMENT)
    assert [kind for kind, _, _ in _records(folder)] == ["warcinfo", "resource"]


def test_a_long_odd_address_is_kept_as_it_was_asked(origin: str, fetcher: Fetcher, folder: Path) -> None:
    path = "/" + "é\u0085" * 900 + "a"
    sent = path.replace("é", "%C3%A9").replace("\u0085", "%C2%85")
    ANSWERS[sent] = ok(PAGE)
    with Archive.open(folder, write=True) as archive:
        kept = archive.keep(fetcher.fetch(origin + path))
        before = _rows(archive)
    assert kept.asked == origin + path
    for catalogue in folder.glob("catalogue*"):
        catalogue.unlink()
    with Archive.open(folder, write=True) as archive:
        assert _rows(archive) == before


def test_an_attempt_that_failed_is_remembered_whatever_its_address(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        for address in ("http://gazette.example/\ud800", "x" * 9_000):
            archive.fail(address, MOMENT, FetchError("no-address", "this is no address"))
        assert [attempt.reason for attempt in archive.attempts()] == ["no-address"] * 2


def test_many_threads_share_a_fetcher_and_an_archive(server: Server, fetcher: Fetcher, folder: Path) -> None:
    origin = server.listen({f"/{n}": ok(b"page %d" % n) for n in range(40)})
    with Archive.open(folder, write=True) as archive:

        def take(start: int) -> None:
            for n in range(start, start + 10):
                archive.keep(fetcher.fetch(f"{origin}/{n}"))

        threads = [threading.Thread(target=take, args=(start,)) for start in (0, 10, 20, 30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(archive) == 40
        assert all(archive.body(kept) == b"page %s" % kept.asked.rpartition("/")[2].encode() for kept in archive.all())  # fmt: skip
        assert list(archive.verify()) == []


def test_what_is_said_to_be_unchanged_without_an_earlier_capture_is_refused(
    origin: str, fetcher: Fetcher, folder: Path
) -> None:
    unchanged: Fetched = fetcher.fetch(origin + "/validated", Validators(etag='"v1"'))
    with Archive.open(folder, write=True) as archive, pytest.raises(ArchiveError, match="no capture is here"):
        archive.keep(unchanged)


def test_a_capture_that_was_written_and_not_yet_named_is_named_by_the_next_run(
    origin: str, fetcher: Fetcher, folder: Path, tmp_path: Path
) -> None:
    with Archive.open(folder, write=True) as archive:
        archive.keep(fetcher.fetch(origin + "/page"))
    shutil.copy(folder / "catalogue.sqlite3", tmp_path / "old")
    with Archive.open(folder, write=True) as archive:
        later = archive.keep(fetcher.fetch(origin + "/changing"))
        (path,) = (folder / "warc").iterdir()
        whole = path.read_bytes()
    for end in (len(whole), later.offset + later.length, later.offset + later.length - 1, later.offset + 30):
        path.write_bytes(whole[:end])
        for catalogue in folder.glob("catalogue*"):
            catalogue.unlink()
        shutil.copy(tmp_path / "old", folder / "catalogue.sqlite3")
        with Archive.open(folder, write=True) as archive:
            there = end >= later.offset + later.length
            assert [kept.sha256 == later.sha256 for kept in archive.all()] == [False, True][: 1 + there]
            archive.keep(fetcher.fetch(origin + "/same"))
            assert list(archive.verify()) == []
