"""Other people's tools read what we keep: warcio checks and lists the files, pywb replays them."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from capture.server import Answer, Server, Talk, chunked, ok
from mercwatch.capture.archive import Archive
from mercwatch.capture.asking import Rules
from mercwatch.capture.fetching import Fetcher, Validators

ROOT = Path(__file__).parents[2]
PYWB = ROOT / ".venv-pywb" / "bin"
LOCK = Path(__file__).with_name("pywb-requirements.lock")
MAKE_IT = (
    f"NOT TESTED: pywb is not here. Make it: python3 -m venv {PYWB.parent} && "
    f"{PYWB}/pip install --require-hashes -r {LOCK}"
)
TEXT = b"Article 1. Interception needs a warrant of a court.\n" * 40
OTHER = b"\x00\xff a document that a person saved \r\n\r\n" * 9
IMPORTED = "https://gazette.example/saved.pdf"
PLAIN = "Content-Type: text/plain"


def _validated(talk: Talk) -> None:
    known = b'if-none-match: "v1"' in talk.head.lower()
    body = b"what stays as it is"
    talk.send(ok(b"", 'ETag: "v1"', status="304 Not Modified") if known else ok(body, PLAIN, 'ETag: "v1"'))


ANSWERS: dict[str, Answer] = {
    "/plain": ok(TEXT, PLAIN),
    "/chunked": f"HTTP/1.1 200 OK\r\n{PLAIN}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    + chunked(b"c" + TEXT, 99),
    "/odd-chunks": f"HTTP/1.1 200 OK\r\n{PLAIN}\r\nTransfer-Encoding: Chunked\r\n\r\n".encode()
    + b"5;a=b\r\nhello\r\n0\r\nVary: a\r\n\r\n",
    "/capital-chunks": f"HTTP/1.1 200 OK\r\n{PLAIN}\r\nTransfer-Encoding: CHUNKED\r\n\r\n".encode()
    + chunked(b"C" + TEXT, 99),
    "/gzip": ok(gzip.compress(b"g" + TEXT), PLAIN, "Content-Encoding: gzip"),
    "/gzip-in-chunks": (
        f"HTTP/1.1 200 OK\r\n{PLAIN}\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        + chunked(gzip.compress(b"h" + TEXT), 50)
    ),
    "/same-as-plain": ok(TEXT, PLAIN),
    "/moved": ok(b"", "Location: /plain", status="301 Moved Permanently"),
    "/validated": _validated,
    "/odd?a=1&b=%C3%A9": ok(b"o" + TEXT, PLAIN, "X-Odd: \xe9"),
}
BODIES = {
    "/plain": TEXT,
    "/chunked": b"c" + TEXT,
    "/odd-chunks": b"hello",
    "/capital-chunks": b"C" + TEXT,
    "/gzip": b"g" + TEXT,
    "/gzip-in-chunks": b"h" + TEXT,
    "/same-as-plain": TEXT,
    "/validated": b"what stays as it is",
    "/odd?a=1&b=%C3%A9": b"o" + TEXT,
    IMPORTED: OTHER,
}


@dataclass(frozen=True)
class Shelf:
    """An archive with every kind of record, and where its documents were served."""

    folder: Path
    origin: str

    @property
    def files(self) -> list[Path]:
        """Its WARC files."""
        return sorted((self.folder / "warc").iterdir())

    def address(self, path: str) -> str:
        """The whole address of a document."""
        return path if path.startswith("http") else self.origin + path


@pytest.fixture(scope="module")
def shelf(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """An archive that was filled by fetching and by hand."""
    shelf = Shelf(tmp_path_factory.mktemp("shelf"), server.listen(ANSWERS))
    fetcher = Fetcher(
        Rules(contact="test@example.org", loopback=True, pace=0, robots=False, retries=0, back_off=0)
    )
    with Archive.open(shelf.folder, write=True) as archive:
        kinds = [archive.keep(fetcher.fetch(shelf.origin + path)).kind for path in ANSWERS]
        again = fetcher.fetch(shelf.origin + "/validated", Validators(etag='"v1"'))
        kinds.append(archive.keep(again).kind)
        kinds.append(archive.keep_file(OTHER, "application/pdf", IMPORTED, "2026-01-02T03:04:05Z").kind)
    assert sorted(set(kinds)) == ["resource", "response", "revisit"]
    return shelf


def test_warcio_finds_every_digest_right(shelf: Shelf) -> None:
    done = _warcio("check", "-v", *map(str, shelf.files))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "digest failed" not in done.stdout
    assert done.stdout.count("digest pass") >= len(ANSWERS)


def test_warcio_lists_every_record(shelf: Shelf) -> None:
    done = _warcio("index", "-f", "warc-type,warc-target-uri,http:status", *map(str, shelf.files))
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    answers = [record for record in records if record["warc-type"] in ("response", "revisit", "resource")]
    assert {record["warc-target-uri"] for record in answers} >= {shelf.address(path) for path in BODIES}
    assert sum(record["warc-type"] == "request" for record in records) == len(ANSWERS) + 2  # a hop, and a 304


def test_pywb_replays_every_capture_byte_for_byte(shelf: Shelf, tmp_path: Path) -> None:
    if not (PYWB / "wayback").exists():
        pytest.skip(MAKE_IT)
    with _wayback(shelf, tmp_path) as port:
        replayed = {path: _replayed(port, shelf.address(path)) for path in BODIES}
    assert replayed == {path: (200, body) for path, body in BODIES.items()}


def _warcio(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("warcio")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def _wayback(shelf: Shelf, folder: Path) -> Iterator[int]:
    """pywb with our files in its collection `ours`, on a port of loopback."""
    for arguments in (("init", "ours"), ("add", "ours", *map(str, shelf.files))):
        subprocess.run(
            [PYWB / "wb-manager", *arguments], cwd=folder, capture_output=True, timeout=60, check=True
        )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [str(PYWB / "wayback"), "--bind", "127.0.0.1", "--port", str(port)]
    log = folder / "log"
    with (
        log.open("wb") as stream,
        subprocess.Popen(command, cwd=folder, stdout=stream, stderr=stream, start_new_session=True) as run,
    ):
        try:
            assert _answers(port, run), log.read_text()
            yield port
        finally:
            os.killpg(run.pid, signal.SIGKILL)


def _answers(port: int, run: subprocess.Popen[bytes]) -> bool:
    """Wait until somebody listens on the port."""
    pause = threading.Event()
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if run.poll() is not None:
                return False
            pause.wait(0.05)
        else:
            return True
    return False


def _replayed(port: int, address: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", f"/ours/mp_/{address}", headers={"Accept-Encoding": "identity"})
        answer = connection.getresponse()
        if answer.status in (302, 307):  # to the capture's own moment
            answer.read()
            location = str(answer.getheader("Location"))
            connection.request("GET", location[location.index("/ours/") :])
            answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
