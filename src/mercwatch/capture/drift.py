"""Drift: what became of passages when their source is read again, or read by a newer reader."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mercwatch.capture.passages import AROUND, Fate, Selector, selector
from mercwatch.capture.reading import Piece

ALIKE = 0.5
"""Share of two-word runs that a piece must have in common with a passage to be called its altered form."""
_WORD = re.compile(r"\w+")
_MOST_PIECES = 20_000


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a passage. at: where it, or its altered form, begins now; selector: of its own words."""

    fate: Fate
    at: int | None = None
    selector: Selector | None = None


def found_in(old: bytes, wanted: Selector, new: bytes, pieces: Sequence[Piece]) -> Found:
    """What became of a passage of the old text in the new one.

    Unchanged: the same bytes at the same place; moved: the same bytes elsewhere. Other words are altered
    where they stand between the same neighbours or share enough runs with the passage; else it is gone. A
    near match is never called unchanged.
    """
    words = old[wanted.start : wanted.end]
    if new[wanted.start : wanted.end] == words:
        return Found(Fate.UNCHANGED, wanted.start, selector(new, wanted.start, wanted.end, wanted.article))
    at = _same_words(old, wanted, new)
    if at is not None:
        return Found(Fate.MOVED, at, selector(new, at, at + len(words), wanted.article))
    at = _between(old, wanted, new)
    if at is None:
        at = _alike(words, new, pieces)
    return Found(Fate.GONE) if at is None else Found(Fate.ALTERED, at)


def _same_words(old: bytes, wanted: Selector, new: bytes) -> int | None:
    """Where the passage's bytes stand now; of several places the one whose neighbours are the old ones."""
    words = old[wanted.start : wanted.end]
    before = old[max(0, wanted.start - AROUND) : wanted.start]
    after = old[wanted.end : wanted.end + AROUND]
    for context in (before + words + after, before + words, words + after, words):
        at = new.find(context)
        if at >= 0:
            return at + (len(before) if context.startswith(before + words) else 0)
    return None


def _between(old: bytes, wanted: Selector, new: bytes) -> int | None:
    """Where other words stand between the passage's old neighbours, not more than thrice as many."""
    before = old[max(0, wanted.start - AROUND) : wanted.start]
    after = old[wanted.end : wanted.end + AROUND]
    if len(before) < AROUND // 2 or len(after) < AROUND // 2:
        return None
    at = new.find(before)
    if at < 0:
        return None
    at += len(before)
    end = new.find(after, at, at + 3 * (wanted.end - wanted.start) + len(after))
    return at if end > at else None


def _alike(words: bytes, new: bytes, pieces: Sequence[Piece]) -> int | None:
    """Where the piece begins that shares most runs with the passage, if it shares enough."""
    mine = _runs(words)
    best, at = 0.0, None
    for piece in pieces[:_MOST_PIECES]:
        size = piece.end - piece.start
        if not len(words) // 3 <= size <= 3 * len(words):
            continue
        theirs = _runs(new[piece.start : piece.end])
        total = mine.total() + theirs.total()
        share = 2 * (mine & theirs).total() / total if total else 0.0
        if share > best:
            best, at = share, piece.start
    return at if best >= ALIKE else None


def _runs(text: bytes) -> Counter[tuple[str, ...]]:
    found = [word.casefold() for word in _WORD.findall(text.decode("utf-8", "replace"))]
    return Counter(pairwise(found)) if len(found) > 1 else Counter([tuple(found)])
