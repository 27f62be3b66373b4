"""Every file of the site, one after another: pages with twins, downloads, feed, and what servers look for."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from xml.sax.saxutils import escape

from mercwatch.publishing import database, feed, package
from mercwatch.publishing.edition import Edition
from mercwatch.publishing.page import Page
from mercwatch.publishing.pages import all_pages
from mercwatch.publishing.render import POLICY, Renderer
from mercwatch.publishing.tables import tables
from mercwatch.record import dump
from mercwatch.record.ledger import Ledger

File = tuple[str, bytes]
HEADERS = f"""\
/*
  Content-Security-Policy: {POLICY}; frame-ancestors 'none'
  X-Content-Type-Options: nosniff
  Referrer-Policy: no-referrer
  Permissions-Policy: camera=(), geolocation=(), microphone=()
  Cross-Origin-Opener-Policy: same-origin
"""
_ZIP_DAY = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # the earliest that the format knows, so that the day of the bake never shows


def all_files(ledger: Ledger, edition: Edition) -> Iterator[File]:
    """Path and bytes of everything but the release manifest, which names their hashes."""
    renderer = Renderer(edition)
    addresses = []
    for page in all_pages(edition):
        addresses.append(page.path)
        yield page.file, renderer.html(page)
        yield page.twin.lstrip("/"), renderer.twin(page)
    yield "404.html", renderer.html(Page("/404.html", "404.html", "There is no such page", {}, ()))
    for name, data in renderer.static.items():
        yield f"static/{name}", data
    yield from _downloads(ledger, edition)
    yield "feed.atom", feed.atom(ledger, renderer.site_url)
    yield "sitemap.xml", _sitemap(renderer.site_url, addresses)
    yield "robots.txt", b"User-agent: *\nAllow: /\n"
    yield "_headers", HEADERS.encode()


def _downloads(ledger: Ledger, edition: Edition) -> Iterator[File]:
    snapshot = edition.snapshot
    released = Ledger(snapshot.entries, snapshot.releases, snapshot.withheld)
    lines = dump.files(released)
    for name, data in lines.items():
        yield f"data/dump/{name}", data
    yield "data/dump.zip", _zipped(lines)
    found = tables(snapshot, edition.codebook, edition.cards, edition.agreement)
    for name, data in package.files(found, snapshot.release, edition.codebook).items():
        yield f"data/{name}", data
    yield "data/mercwatch.sqlite3", database.sqlite_bytes(found)


def _zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(f"dump/{name}", _ZIP_DAY), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _sitemap(site_url: str, addresses: list[str]) -> bytes:
    rows = "".join(f"<url><loc>{escape(site_url + address)}</loc></url>\n" for address in sorted(addresses))
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return (head + rows + "</urlset>\n").encode()


def manifest(edition: Edition, hashes: dict[str, str]) -> bytes:
    """`release.json`: the newest head, and the SHA-256 of every other file."""
    release = edition.snapshot.release
    found = {
        "head": release.head,
        "number": release.body.number,
        "date": release.body.date,
        "codebook": release.body.codebook,
        "files": dict(sorted(hashes.items())),
    }
    return (json.dumps(found, indent=1) + "\n").encode()
