"""Feeds and sitemaps: which documents they name."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from typing import Any

import feedparser
from lxml import etree

from mercwatch.capture.readers.links import web_address
from mercwatch.capture.readers.plain import one_line
from mercwatch.capture.readers.wire import MAX_ITEMS, MAX_WORDS
from mercwatch.capture.reading import Item, Listing, ReadError

MAX_UNPACKED = 64 * 2**20
MAX_ENTRIES = 1_000
"""Entries of a feed that are read: its newest come first; feeds of archives are no news."""
_ENTRY = re.compile(rb"<(?:\w{1,20}:)?(?:item|entry)[\s>/]")
_DECLARES = re.compile(rb"<!ENTITY|<\0!\0E\0N\0T\0I\0T\0Y|\0<\0!\0E\0N\0T\0I\0T\0Y", re.I)
_DAY = re.compile(r"\s*(\d{4}-\d\d-\d\d)")


def warm() -> None:
    """Load what feedparser loads late."""
    read(
        b"<rss version='2.0'><channel><item><title>A</title><link>https://gazette.example/1</link>"
        b"<pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate></item></channel></rss>",
        "https://gazette.example/feed",
    )


def read(body: bytes, address: str) -> Listing:
    """What a feed or a sitemap lists, at most MAX_ITEMS; raises ReadError where it is neither."""
    body = _unpacked(body)
    if _DECLARES.search(body):
        raise ReadError("the list declares entities, which no honest one does; look at it by hand")
    start = body[:4_096]
    if re.search(rb"<(?:\w{1,20}:)?(?:urlset|sitemapindex)[\s>]", start):
        return _sitemap(body, address)
    if re.search(rb"<(?:\w{1,20}:)?(?:rss|feed|RDF|channel)[\s>]", start):
        return _feed(body, address)
    raise ReadError("this is neither a feed (RSS, Atom) nor a sitemap; watch it as a page")


def _unpacked(body: bytes) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            body = packed.read(MAX_UNPACKED + 1)
    except (OSError, EOFError, zlib.error):
        raise ReadError("the list is packed, and broken; fetch it anew") from None
    if len(body) > MAX_UNPACKED:
        raise ReadError(f"the list unpacks to more than {MAX_UNPACKED:,} bytes; look at it by hand")
    return body


def _sitemap(body: bytes, address: str) -> Listing:
    items: list[Item] = []
    more: list[str] = []
    try:
        for name, place, day in _places(body):
            found = web_address(address, place)
            if found and name == "url" and len(items) < MAX_ITEMS:
                items.append(Item(address=found, dated=day))
            elif found and name == "sitemap" and found != address and len(more) < MAX_ITEMS:
                more.append(found)
    except etree.XMLSyntaxError:
        if not items and not more:
            raise ReadError("the sitemap is broken; look at it by hand") from None
    return Listing(kind="sitemap", items=tuple(items), more=tuple(dict.fromkeys(more)))


def _places(body: bytes) -> Iterator[tuple[str, str, str]]:
    """Each entry of a sitemap: `url` or `sitemap`, its address, its day."""
    place = day = ""
    parsing: Any = etree.iterparse(
        io.BytesIO(body),
        events=("end",),
        resolve_entities=False,
        no_network=True,
        recover=True,
        remove_comments=True,
    )
    for _, element in parsing:
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if name == "loc" and not place and _is_of_entry(element):
            place = (element.text or "").strip()
        elif name == "lastmod":
            match = _DAY.match(element.text or "")
            day = match.group(1) if match else ""
        elif name in ("url", "sitemap"):
            yield name, place, day
            place = day = ""
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]


def _is_of_entry(element: Any) -> bool:
    """Is it an entry's own address, and not that of a picture in it?"""
    parent = element.getparent()
    return parent is not None and etree.QName(parent).localname in ("url", "sitemap")


def _feed(body: bytes, address: str) -> Listing:
    entries = [match.start() for match, _ in zip(_ENTRY.finditer(body), range(MAX_ENTRIES + 1), strict=False)]
    if len(entries) > MAX_ENTRIES:
        body = body[: entries[MAX_ENTRIES]]
    try:
        # A file object, never the bytes: of bytes it would ask whether they are the name of a file.
        made = feedparser.parse(
            io.BytesIO(body), response_headers={"content-location": address}, sanitize_html=False
        )
        items = dict.fromkeys(item for entry in made.entries if (item := _item(entry, address)))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise ReadError("the feed is broken; look at it by hand") from None
    if not items and not made.get("version"):
        raise ReadError("the feed is broken; look at it by hand")
    return Listing(kind="feed", items=tuple(items))


def _item(entry: Any, address: str) -> Item | None:
    place = (
        entry.get("link")
        or next((link.get("href") for link in entry.get("links", [])), "")
        or entry.get("id", "")
    )
    found = web_address(address, place)
    if not found:
        return None
    day = entry.get("published_parsed") or entry.get("updated_parsed")
    dated = f"{day.tm_year:04}-{day.tm_mon:02}-{day.tm_mday:02}" if day else ""
    return Item(address=found, title=one_line(str(entry.get("title", "")), MAX_WORDS), dated=dated)
