"""Plain text, and how any text is cut into pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from mercwatch.capture.readers import named
from mercwatch.capture.readers.charsets import decoded
from mercwatch.capture.readers.wire import MAX_PIECES, MAX_TITLE
from mercwatch.capture.reading import Piece, Reading

_VISIBLE = re.compile(r"[^\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
# Also those that turn the writing's direction: a title must not be able to read other than it is written.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_OPENS = re.compile(r"(?:\(?\d{1,3}[.)]\s|\(?[a-z]{1,2}\)\s|[•◦▪‣–—*-]\s|§|#{1,6}\s|Art(?:icle|ikel)?\b)")
_CLOSES = (".", "!", "?", ":", ";", "。", "।", "؟", "”", "»", ")")
TOO_MANY = f"it has more than {MAX_PIECES:,} paragraphs: the last piece holds the rest"


def read(body: bytes, media_type: str) -> Reading:
    """Plain text as it is, line ends made one; a piece is a paragraph."""
    text, notes = decoded(body, media_type, in_page=False)
    text = one_kind_of_line_end(text)
    pieces = paragraphs(text)
    return Reading(
        reader=named("plain"),
        text=text,
        title=title_from(text),
        pieces=pieces,
        notes=(*notes, *([TOO_MANY] if len(pieces) == MAX_PIECES else [])),
    )


def one_kind_of_line_end(text: str) -> str:
    """The text with a line feed at the end of each line."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def title_from(text: str) -> str:
    """A text's first line with letters in it, as a title."""
    match = re.search(r"^[^\n]*\w[^\n]*", text[:20_000], re.M)
    return one_line(match.group(0).strip("# *"), 300) if match else ""


def one_line(words: str, most: int = MAX_TITLE) -> str:
    """Words on one line, at most so many letters."""
    return " ".join(_CONTROLS.sub(" ", words[: most * 4]).split())[:most].strip()


class _Line(NamedTuple):
    """A line that shows something: where it starts and ends in UTF-8 bytes, without its margins."""

    start: int
    end: int
    number: int
    words: str


def _lines(text: str, at: int = 0) -> Iterator[_Line]:
    ascii_only = text.isascii()
    for number, line in enumerate(text.split("\n")):
        size = len(line) if ascii_only else len(line.encode())
        if _VISIBLE.search(line):
            kept = line.lstrip()
            before = size - len(kept.encode())
            kept = kept.rstrip()
            yield _Line(at + before, at + before + len(kept.encode()), number, kept)
        at += size + 1


def each_line(text: str) -> tuple[Piece, ...]:
    """Each line that shows something as a piece."""
    return bounded(Piece(start=start, end=end) for start, end, _, _ in _lines(text))


def bounded(pieces: Iterator[Piece]) -> tuple[Piece, ...]:
    """At most MAX_PIECES pieces: where there are more, the last one reaches to the end of them all."""
    kept: list[Piece] = []
    end = 0
    for piece in pieces:
        end = piece.end
        if len(kept) < MAX_PIECES:
            kept.append(piece)
    if kept and kept[-1].end < end:
        kept[-1] = kept[-1].model_copy(update={"end": end})
    return tuple(kept)


def paragraphs(text: str, at: int = 0, page: int | None = None) -> tuple[Piece, ...]:
    """A text's paragraphs; its first byte is `at`.

    A paragraph ends at an empty line, after a short line that closes a sentence, and before a line that opens
    an item.
    """
    return bounded(Piece(start=start, end=end, page=page) for start, end in _blocks(list(_lines(text, at))))


def _blocks(shown: list[_Line]) -> Iterator[tuple[int, int]]:
    if not shown:
        return
    lengths = sorted(len(line.words) for line in shown)
    short = lengths[len(lengths) * 9 // 10] * 0.8
    first = shown[0].start
    for before, line in pairwise(shown):
        closed = len(before.words) < short and before.words.endswith(_CLOSES)
        if closed or line.number > before.number + 1 or _OPENS.match(line.words):
            yield first, before.end
            first = line.start
    yield first, shown[-1].end
