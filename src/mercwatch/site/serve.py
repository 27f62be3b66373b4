"""Serving a baked site on loopback, with the headers that a public server should send."""

from __future__ import annotations

import mimetypes
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

HOST = "127.0.0.1"
_TYPES = {".atom": "application/atom+xml", ".jsonl": "application/x-ndjson", ".woff2": "font/woff2"}


def headers_of(site: Path) -> list[tuple[str, str]]:
    """The headers for every page, as the bake wrote them down in `_headers`."""
    lines = (site / "_headers").read_text(encoding="utf-8").splitlines()
    pairs = (line.strip().split(": ", 1) for line in lines if line.startswith(" ") and ": " in line)
    return [(name, value) for name, value in pairs]


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: object, site: Path, **kwargs: object) -> None:
        self.site = site
        super().__init__(*args, directory=str(site), **kwargs)  # type: ignore[arg-type]

    def end_headers(self) -> None:
        for name, value in headers_of(self.site):
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: object) -> BytesIO | None:
        """Folders are no pages."""
        self.send_error(404)
        return None

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The site's own page for what is not there."""
        page = self.site / "404.html"
        if code != 404 or not page.is_file():
            super().send_error(code, message, explain)
            return
        content = page.read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def guess_type(self, path: object) -> str:
        """Text types with their charset."""
        suffix = Path(str(path)).suffix
        found = _TYPES.get(suffix) or mimetypes.guess_type(str(path))[0] or "application/octet-stream"
        textual = found.startswith("text/") or found in ("application/json", "application/atom+xml")
        return f"{found}; charset=utf-8" if textual else found

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: who reads what is nobody's business."""


def server(site: Path, port: int) -> ThreadingHTTPServer:
    """A server for the site, on loopback only; port 0 takes a free one."""
    return ThreadingHTTPServer((HOST, port), partial(_Handler, site=site))
