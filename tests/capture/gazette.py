"""A gazette on loopback whose answers a test changes: pages, feeds, sitemaps, laws."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Body = str | bytes
Answer = Body | Callable[[], Body]


class Gazette:
    """What the server answers, by path: a body, one made for each request, or nothing (404).

    asked: the paths that were asked for, robots.txt left out; unchanged: how often 304 was answered.
    """

    def __init__(self, port: int) -> None:
        self.home = f"http://127.0.0.1:{port}"
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.unchanged = 0

    def put(self, path: str, answer: Answer) -> str:
        """Answer a path from now on; gives its address."""
        self.answers[path] = answer
        return f"{self.home}{path}"


def feed(home: str, *items: tuple[str, str]) -> str:
    """A feed of documents: their paths and titles."""
    entries = "".join(
        f"<item><title>{title}</title><link>{home}{path}</link>"
        f"<pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate></item>"
        for path, title in items
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Gazette</title>{entries}</channel></rss>'


def sitemap(home: str, *paths: str, index: bool = False, day: str = "2026-03-02") -> str:
    """A sitemap of documents, or an index of sitemaps."""
    whole, each = ("sitemapindex", "sitemap") if index else ("urlset", "url")
    found = "".join(f"<{each}><loc>{home}{path}</loc><lastmod>{day}</lastmod></{each}>" for path in paths)
    return (
        f'<?xml version="1.0"?><{whole} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{found}</{whole}>'
    )


def page(main: str, around: str = "", language: str = "en") -> str:
    """A page with a main part long enough to be told from the rest."""
    padding = "<p>This page lists what the ministry publishes on licences, inspections and reports. </p>" * 3
    return (
        f'<html lang="{language}"><head><title>Gazette</title></head><body>{around}'
        f"<main><h1>Gazette</h1>{padding}{main}</main></body></html>"
    )


@contextmanager
def gazette() -> Iterator[Gazette]:
    """The server, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = site.answers.get(self.path)
            if self.path != "/robots.txt":
                site.asked.append(self.path)
            body = answer() if callable(answer) else answer
            data = body.encode() if isinstance(body, str) else body or b""
            tag = f'"{hash(data)}"'
            same = answer is not None and self.headers.get("If-None-Match") == tag
            site.unchanged += same
            self.send_response(304 if same else 200 if answer is not None else 404)
            self.send_header("ETag", tag)
            self.send_header("Content-Type", _kind(self.path, data))
            self.send_header("Content-Length", str(0 if same else len(data)))
            self.end_headers()
            if not same:
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Gazette(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def _kind(path: str, data: bytes) -> str:
    if data.startswith(b"%PDF"):
        return "application/pdf"
    if data.startswith(b"<?xml"):
        return "application/xml"
    return "text/plain; charset=utf-8" if path.endswith(".txt") else "text/html; charset=utf-8"
