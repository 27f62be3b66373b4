"""Passages by position and hash: found again byte for byte, or told as moved, altered or gone."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from mercwatch.capture.law import LawError, law_of
from mercwatch.capture.markup import is_html, text_of
from mercwatch.record.kinds import Passage


class Fate(StrEnum):
    """What became of a passage since it was taken."""

    UNCHANGED = "unchanged"
    MOVED = "moved"
    ALTERED = "altered"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Selector:
    """Where a passage was (bytes of the file), and what stood there and around it, by hash.

    Follows the W3C Web Annotation selectors: a position, and a quote with what stands before and after it;
    of the texts only SHA-256 values are kept.
    """

    start: int
    end: int
    quote: str
    before: str
    after: str
    article: str = ""


AROUND = 64
"""Bytes before and after a passage that its selector remembers."""


def sha256(data: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def selector(data: bytes, start: int, end: int, article: str = "") -> Selector:
    """The selector of a span; raises ValueError where the span is not inside the bytes."""
    if not 0 <= start < end <= len(data):
        raise ValueError(f"bytes {start} to {end} are not inside a file of {len(data)}")
    return Selector(
        start,
        end,
        sha256(data[start:end]),
        sha256(data[max(0, start - AROUND) : start]),
        sha256(data[end : end + AROUND]),
        article,
    )


def selector_of(passage: Passage) -> Selector:
    """A passage of the record as a selector."""
    return Selector(
        passage.start,
        passage.end,
        passage.quote_sha256,
        passage.before_sha256 or "",
        passage.after_sha256 or "",
        passage.article or "",
    )


def find(data: bytes, wanted: Selector, file: str = "") -> tuple[Fate, int | None]:
    """What became of a passage in today's bytes of its file, and where it begins now.

    Unchanged means the same bytes at the same place; the same bytes elsewhere are moved. Other bytes under a
    same article, or between the same neighbours, are altered: a near match is never called unchanged.
    """
    size = wanted.end - wanted.start
    if sha256(data[wanted.start : wanted.end]) == wanted.quote:
        return Fate.UNCHANGED, wanted.start
    for start in _beginnings(data):
        if sha256(data[start : start + size]) == wanted.quote:
            return Fate.MOVED, start
    at = _same_article(data, wanted.article, file)
    if at is None:
        at = _same_neighbours(data, wanted)
    return (Fate.GONE, None) if at is None else (Fate.ALTERED, at)


def _beginnings(data: bytes) -> list[int]:
    """Places where a passage may begin: the bytes after a line break."""
    return [0, *(match.end() for match in re.finditer(rb"\n[ \t]*+", data))]


def _same_article(data: bytes, article: str, file: str) -> int | None:
    if not article:
        return None
    try:
        text = text_of(data, file)
        found = next((p for p in law_of(text.data, file).provisions if p.label == article), None)
    except LawError:
        return None
    if found is None:
        return None
    return text.origin(found.start) if is_html(file) else found.start


def _same_neighbours(data: bytes, wanted: Selector) -> int | None:
    """The place whose neighbours before and after are the old ones, where the length is the old one too."""
    size = wanted.end - wanted.start
    for start in _beginnings(data):
        before = sha256(data[max(0, start - AROUND) : start]) == wanted.before
        if before and sha256(data[start + size : start + size + AROUND]) == wanted.after:
            return start
    return None
