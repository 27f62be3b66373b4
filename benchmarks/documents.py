"""Documents to measure with: real pages, PDFs and law books of this machine, and a loopback server of them.

As a module of jobs for the sandbox (`warm`, `read`) it reads nothing: what is left is the sandbox's own cost.
"""

from __future__ import annotations

import asyncio
import hashlib
import html
import multiprocessing
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from multiprocessing.connection import Connection
from pathlib import Path
from shutil import which

from mercwatch.capture.readers import jobs
from mercwatch.capture.reading import Reading

SHARED = Path(__file__).resolve().parents[2] / "shared"
ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (
    ROOT / "var" / "site",
    *(Path("/usr/share/doc", name) for name in ("nodejs/api", "libxslt1-dev", "valgrind/html")),
    Path("/usr/lib/node_modules/npm/docs"),
    *(
        Path.home() / ".rustup/toolchains/stable-x86_64-unknown-linux-gnu/share/doc/rust/html" / book
        for book in ("book", "reference", "cargo")
    ),
)
"""Where this machine may have pages; the folders that exist are used."""
SIZES = (4_000, 200_000)
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")


@dataclass(frozen=True)
class Document:
    """A document. name: where it is from; body: its bytes."""

    name: str
    media_type: str
    body: bytes


def pages(folders: Iterable[Path], count: int) -> list[Document]:
    """So many different pages of SIZES bytes, evenly from each folder; made ones where there are too few."""
    drawn = [_drawn(folder, "*.htm*", SIZES) for folder in folders if folder.is_dir()]
    seen: dict[bytes, Document] = {}
    for path in chain.from_iterable(zip_longest(*drawn)):
        if path is not None and len(seen) < count:
            body = path.read_bytes()
            seen.setdefault(hashlib.sha256(body).digest(), Document(str(path), "text/html", body))
    found = list(seen.values())
    return found + list(islice((_made(law) for law in law_books(4 * count)), count - len(found)))


def _drawn(folder: Path, pattern: str, sizes: tuple[int, int]) -> list[Path]:
    """A folder's files of a size, in an order that is the same each time but follows nothing."""
    there = [path for path in folder.resolve().rglob(pattern) if path.is_file()]
    fitting = [path for path in there if sizes[0] <= path.stat().st_size <= sizes[1]]
    return sorted(
        fitting, key=lambda path: hashlib.sha256(str(path.relative_to(folder.resolve())).encode()).digest()
    )


def _made(law: Document) -> Document:
    """A law's text as a page of a gazette, with menu, banner and footer."""
    text = law.body[: SIZES[1] // 2].decode("utf-8", "replace")
    lines = "".join(f"<p>{html.escape(line)}</p>\n" for line in text.splitlines() if line.strip())
    menu = "".join(f'<li><a href="/part/{n}">Part {n} of the collection</a></li>' for n in range(60))
    page = (
        '<!DOCTYPE html><html lang="de"><head><meta charset="utf-8">'
        f"<title>{html.escape(law.name)}</title></head><body><nav><ul>{menu}</ul></nav>"
        f"<div class='cookie-banner'>We keep a cookie.</div><main>{lines}</main>"
        "<footer><a href='/imprint'>Imprint</a></footer></body></html>"
    )
    return Document(f"made of {law.name}", "text/html", page.encode())


def law_books(count: int) -> Iterator[Document]:
    """So many laws of the Swiss law book, in the order of its archive; none where it is not here."""
    book = SHARED / "corpora" / "laws-ch.tar.xz"
    if not book.is_file():
        return
    with tarfile.open(book, "r|xz") as tar:
        laws = (
            member
            for member in tar
            if member.isfile() and member.name.endswith(".md") and member.size > 1_000
        )
        for member in islice(laws, count):
            stream = tar.extractfile(member)
            if stream:
                yield Document(member.name, "text/markdown", stream.read())


def pdfs(folders: Iterable[Path], count: int, made: int) -> list[Document]:
    """So many PDFs of the machine, and `made` ones that Chromium prints from laws, where it is installed."""
    drawn = chain.from_iterable(
        _drawn(folder, "*.pdf", (20_000, 4_000_000)) for folder in folders if folder.is_dir()
    )
    found = [Document(str(path), "application/pdf", path.read_bytes()) for path in islice(drawn, count)]
    laws = sorted(law_books(200), key=lambda law: len(law.body))[-made:] if made else []
    return found + [printed for law in laws if (printed := _printed(law))]


def _printed(law: Document) -> Document | None:
    program = which("chromium") or which("google-chrome")
    if program is None:
        return None
    with tempfile.TemporaryDirectory(prefix="mercwatch-bench-") as folder:
        page, pdf = Path(folder, "law.html"), Path(folder, "law.pdf")
        page.write_bytes(_made(law).body)
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-pdf-header-footer",
            f"--print-to-pdf={pdf}",
        ]
        command = [program, *options, f"--user-data-dir={folder}/profile", page.as_uri()]
        subprocess.run(command, check=False, capture_output=True, timeout=60)
        body = pdf.read_bytes() if pdf.is_file() else b""
    return Document(f"printed of {law.name}", "application/pdf", body) if body else None


# A server that costs as little as one in Python can: answers lie ready, one process, one thread.


class _Answering(asyncio.Protocol):
    def __init__(self, answers: dict[bytes, tuple[bytes, bytes]]) -> None:
        self.answers = answers
        self.waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            head, self.waiting = self.waiting.split(b"\r\n\r\n", 1)
            whole, unchanged = self.answers[head.split(b" ", 2)[1]]
            low = head.lower()
            self.transport.write(unchanged if b"if-none-match:" in low else whole)
            if b"connection: close" in low:
                self.transport.close()


@contextmanager
def served(documents: list[Document]) -> Iterator[list[str]]:
    """The documents on a server in another process: an address each, on four loopback hosts in turn.

    It keeps connections that a client keeps, answers a conditional request with 304, has a robots.txt.
    """
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(documents, there), daemon=True)
    process.start()
    try:
        origins: list[str] = here.recv()
        yield [f"{origins[n % len(origins)]}/{n}" for n in range(len(documents))]
    finally:
        process.kill()
        process.join()


def _serve(documents: list[Document], told: Connection) -> None:
    answers = {b"/%d" % n: _answers(document) for n, document in enumerate(documents)}
    answers[b"/robots.txt"] = _answers(Document("", "text/plain", b"User-agent: *\nAllow: /\n"))

    async def run() -> None:
        loop = asyncio.get_running_loop()
        servers = [
            await loop.create_server(lambda: _Answering(answers), host, 0, backlog=512) for host in HOSTS
        ]
        told.send(
            [f"http://{host}:{s.sockets[0].getsockname()[1]}" for host, s in zip(HOSTS, servers, strict=True)]
        )
        await asyncio.Event().wait()

    asyncio.run(run())


def _answers(document: Document) -> tuple[bytes, bytes]:
    """The whole answer, and the one to a client that has the document."""
    tag = hashlib.sha256(document.body).hexdigest()[:16]
    head = (
        "Date: Tue, 24 Nov 2026 12:00:00 GMT\r\nServer: gazette\r\nCache-Control: no-cache\r\n"
        f'ETag: "{tag}"\r\nX-Frame-Options: DENY\r\n'
    )
    kind = (
        f"Content-Type: {document.media_type}; charset=utf-8\r\nContent-Length: {len(document.body)}\r\n\r\n"
    )
    whole = f"HTTP/1.1 200 OK\r\n{head}{kind}".encode() + document.body
    return whole, f"HTTP/1.1 304 Not Modified\r\n{head}\r\n".encode()


def warm() -> None:
    """Load what the readers load: a fork's cost grows with the memory of what is forked."""
    jobs.warm()


def read(body: bytes, media_type: str, address: str, day: str) -> Reading:
    """The job that does nothing."""
    return Reading(reader="none", text="Nothing.")
