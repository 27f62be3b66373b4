"""Files as they come, Markdown, plain text or HTML, turned into text whose bytes lead back to the file's."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

SUFFIXES = (".md", ".markdown", ".txt", ".html", ".htm", ".xhtml")
MAX_FILE = 48 * 2**20
"""Bytes of one law that are read; the largest code known to us has 12 MB."""

_BEGINS = re.compile(rb"[<&]")
_ENTITY = re.compile(rb"&#?\w{1,24};")
_UNSEEN = re.compile(rb"<(script|style|head|template)\b", re.I)
_MAX_TAG = 4_000
_HEADING = re.compile(rb"<h([1-6])\b", re.I)
_BLOCK = re.compile(
    rb"</?(?:p|div|br|li|tr|td|th|section|article|table|ul|ol|dl|dt|dd|h[1-6]|blockquote)\b", re.I
)
_TITLE = re.compile(rb"<title[^<>]{0,200}>([^<]{1,600})", re.I)


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text (data) and its bytes (source).

    starts, origins, replaced: at which byte of the text a piece begins, at which of the file, and whether it
    stands there for something else (a tag, an entity).
    """

    data: bytes
    source: bytes
    title: str = ""
    starts: tuple[int, ...] = ()
    origins: tuple[int, ...] = ()
    replaced: tuple[bool, ...] = ()

    def origin(self, at: int) -> int:
        """The byte of the file that a byte of the text comes from; a tag stands at its start."""
        if not self.starts:
            return at
        piece = bisect_right(self.starts, at) - 1
        if self.replaced[piece]:
            return self.origins[piece]
        return min(self.origins[piece] + at - self.starts[piece], len(self.source))


def is_html(file: str) -> bool:
    """Is this a file that holds HTML, by its name?"""
    return file.lower().endswith((".html", ".htm", ".xhtml"))


def text_of(data: bytes, file: str) -> Text:
    """The text of a file; for HTML without tags, scripts and styles, one line for each block."""
    if not is_html(file):
        return Text(data, data)
    title = _TITLE.search(data[:200_000])
    parts: list[bytes] = []
    starts: list[int] = []
    origins: list[int] = []
    replaced: list[bool] = []
    size = 0
    for origin, part, stands_for in _pieces(data):
        if part:
            starts.append(size)
            origins.append(origin)
            replaced.append(stands_for)
            parts.append(part)
            size += len(part)
    name = html.unescape(title.group(1).decode("utf-8", "ignore")).strip() if title else ""
    if not parts:
        return Text(b"\n", data, " ".join(name.split()), (0,), (0,), (True,))
    return Text(b"".join(parts), data, " ".join(name.split()), tuple(starts), tuple(origins), tuple(replaced))


def _pieces(data: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """What is read of HTML, each piece with the byte it comes from; every byte is looked at once or twice."""
    low = data.lower()
    last = 0
    while match := _BEGINS.search(data, last):
        at = match.start()
        yield last, data[last:at], False
        last = _end_of(data, low, at)
        yield at, _replacement(data[at:last]), last > at + 1
    yield last, data[last:], False


def _end_of(data: bytes, low: bytes, at: int) -> int:
    """Where a tag, comment, script or entity ends that begins at a byte; a lone sign ends after itself."""
    if data[at : at + 1] == b"&":
        entity = _ENTITY.match(data, at)
        return entity.end() if entity else at + 1
    if data[at : at + 4] == b"<!--":
        end = data.find(b"-->", at + 4)
        return len(data) if end < 0 else end + 3
    unseen = _UNSEEN.match(data, at)
    if unseen:
        at = low.find(b"</" + unseen.group(1).lower(), at)
        if at < 0:
            return len(data)
    end = data.find(b">", at, at + _MAX_TAG)
    return at + 1 if end < 0 else end + 1


def _replacement(token: bytes) -> bytes:
    if len(token) == 1:
        return token
    if token.startswith(b"&"):
        return html.unescape(token.decode("utf-8", "ignore")).encode("utf-8", "ignore")
    heading = _HEADING.match(token)
    if heading:
        return b"\n" + b"#" * int(heading.group(1)) + b" "
    return b"\n" if _BLOCK.match(token) else b""
