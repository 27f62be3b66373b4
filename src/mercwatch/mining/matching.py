"""Finds the terms of a lexicon in the bytes of a law, in time linear in their number.

One Aho-Corasick automaton (ahocorasick-rs) holds the longest word of each term; the few places that it
names are then checked for word borders and for the term's other words, in a window of bounded size.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import log2

import ahocorasick_rs

from mercwatch.capture.law import MARKS
from mercwatch.mining.lexicon import UNSPACED, Lexicon, Piece, concept_numbers, concepts, load, pieces

_WINDOW = 240
"""Bytes on each side of a word in which the other words of its term are looked for."""

_SIGN_LETTERS = "·՚՛՜՝՞՟։֊־׀׃״׳،؛؟۔჻㆐"
_SIGNS = frozenset(sign.encode() for sign in _SIGN_LETTERS) | {
    bytes([0xE3, 0x80, n]) for n in range(0x80, 0xC0)
}
_SIGNS |= {bytes([0xEF, 0xBC, n]) for n in (*range(0x80, 0x90), *range(0x9A, 0xA1))}
_SIGN_PAIRS = frozenset(sign for sign in _SIGNS if len(sign) == 2)
"""Punctuation of other scripts: Greek, Armenian, Hebrew, Arabic, Georgian, Chinese and full-width forms."""

_SEPARATOR = (
    rb"(?:[^0-9a-z\x80-\xff]|\xc2[\xa0-\xbf]|\xe2[\x80-\xbf][\x80-\xbf]|\xe3\x80[\x80-\xbf]|\xd6\x89"
    rb"|\xd8[\x8c\x9b\x9f]|\xef\xbc[\x80-\x8f\x9a-\xa0])"
)
_LETTER = rb"(?:[0-9a-z]|[\xc3-\xe1\xe4-\xf4][\x80-\xbf]+|\xe3[\x81-\xbf][\x80-\xbf])"
_BETWEEN = _SEPARATOR + rb"{1,12}"
_GAP = rb"(?:" + _BETWEEN + _LETTER + rb"{1,60}){0,6}?" + _BETWEEN


Hit = tuple[int, int, int]
"""A term found: the concept's number, and the bytes where it begins and ends."""


class _Phrase:
    """A term of several words; its expression is made when it is first needed: most never are."""

    def __init__(self, words: tuple[Piece, ...]) -> None:
        self._words = words
        self._made: re.Pattern[bytes] | None = None

    @property
    def expression(self) -> re.Pattern[bytes]:
        """The words with what may stand between them; linear, as letters and separators are disjoint."""
        if self._made is None:
            self._made = _phrase(self._words)
        return self._made


@dataclass(frozen=True, slots=True)
class _Term:
    concept: int
    open_start: bool
    open_end: bool
    phrase: _Phrase | None
    phrase_open: bool
    also: bytes
    reach: int


def _plain(text: str) -> str:
    kept = (c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", "".join(kept))


def lowered(data: bytes) -> bytes:
    """Lower the ASCII letters only: fast, and no position moves. Other letters: see `_variants`."""
    low = data.lower()
    return low.replace(b"\r", b" ") if b"\r" in low else low


def _variants(letters: str) -> set[bytes]:
    """The ways the letters of a word stand in lowered bytes: lower, first letter capital, all capital."""
    forms = {letters, letters[:1].upper() + letters[1:], letters.upper()}
    if re.search(r"[\u0370-\u03ff]", letters):  # Greek capitals lose their accents
        forms |= {_plain(letters).upper(), _plain(letters[:1]).upper() + letters[1:]}
        if letters.endswith("σ") or letters.endswith("ς"):
            forms |= {letters[:-1] + "ς", letters[:-1] + "σ"}
    return {lowered(form.encode()) for form in forms}


def _any_case(letters: str) -> bytes:
    parts = []
    for letter in letters:
        forms = sorted({lowered(f.encode()) for f in (letter, letter.upper(), _plain(letter).upper())})
        parts.append(
            re.escape(forms[0]) if len(forms) == 1 else b"(?:" + b"|".join(map(re.escape, forms)) + b")"
        )
    return b"".join(parts)


def _phrase(words: tuple[Piece, ...]) -> re.Pattern[bytes]:
    source = b""
    for number, word in enumerate(words):
        if number:
            source += _GAP if word.after_gap else _BETWEEN
        if word.open_start:
            source += _LETTER + rb"{0,40}?"
        source += _any_case(word.letters)
        if word.open_end:
            source += _LETTER + rb"{0,40}"
    if not words[-1].open_end:
        source += rb"(?!" + _LETTER + rb")"
    return re.compile(source)


_BORDER = bytes(2 if n >= 0x80 else int(chr(n) in "abcdefghijklmnopqrstuvwxyz0123456789") for n in range(256))
"""For each byte of lowered text: 0 no letter, 1 a letter or digit, 2 part of another sign: look closer."""


def _letter_before(data: bytes, at: int) -> bool:
    if at == 0:
        return False
    if data[at - 1] < 0x80:
        return _BORDER[data[at - 1]] == 1
    lead = at - 1
    while lead > 0 and data[lead] & 0xC0 == 0x80 and at - lead < 4:
        lead -= 1
    return _is_letter_lead(data, lead)


def _letter_at(data: bytes, at: int) -> bool:
    if at >= len(data):
        return False
    if data[at] < 0x80:
        return _BORDER[data[at]] == 1
    return _is_letter_lead(data, at)


def _is_letter_lead(data: bytes, lead: int) -> bool:
    byte = data[lead]
    if byte in (0xC2, 0xE2):  # signs of Latin-1, general punctuation and symbols
        return False
    return data[lead : lead + 2] not in _SIGN_PAIRS and data[lead : lead + 3] not in _SIGNS


_BREAKS = (b" ", b" \n", b"\n", "\u00a0".encode(), b"-", b", ", b"/", b"'", "’".encode())


def _reach(words: tuple[Piece, ...]) -> int:
    """How many bytes before or after its anchor a term may reach: its letters, and what may stand between."""
    letters = sum(len(word.letters.encode()) + 30 * (word.open_start + word.open_end) for word in words)
    return min(_WINDOW, letters + 12 * len(words) + 110 * sum(word.after_gap for word in words))


def _rarity(letters: str, common: Mapping[str, float]) -> float:
    """How seldom a word is likely to stand in a law: longer is rarer; common: how often it was met."""
    return len(letters) - 6 * log2(1 + common[letters])


@cache
def _frequent() -> dict[str, dict[str, int]]:
    text = (resources.files("mercwatch.mining") / "frequent.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _compiled(
    concept: int, words: tuple[Piece, ...], spaced: bool, common: Mapping[str, float]
) -> tuple[set[bytes], _Term]:
    """What the automaton looks for, and how to tell whether the whole term stands there.

    The anchor is a long word that few other terms hold, or two words side by side with fixed letters.
    """
    best = max(range(len(words)), key=lambda n: _rarity(words[n].letters, common))
    first = last = best
    rarest = _rarity(words[best].letters, common)
    for n in range(len(words) - 1):
        fixed = not (words[n].open_end or words[n + 1].open_start or words[n + 1].after_gap)
        rarity = 12 + max(_rarity(words[n].letters, common), _rarity(words[n + 1].letters, common))
        if fixed and rarity > rarest:
            first, last, rarest = n, n + 1, rarity
    anchors = _variants(words[first].letters)
    if last > first:
        heads, tails = anchors, _variants(words[last].letters)
        anchors = {head + gap + tail for head in heads for gap in _BREAKS for tail in tails}
    others = [w for n, w in enumerate(words) if not first <= n <= last]
    runs = [run for w in others for run in re.findall(r"[\x21-\x7f]+", w.letters)]
    whole = len(others) == 0
    return anchors, _Term(
        concept,
        words[first].open_start or not spaced,
        words[last].open_end or not spaced,
        None if whole else _Phrase(words),
        words[0].open_start or not spaced,
        max(runs, key=len, default="").encode(),
        _reach(words),
    )


def _pieces(lexicon: Lexicon) -> dict[str, list[tuple[Piece, ...]]]:
    return {
        concept: [pieces(term) for term in dict.fromkeys(terms)] for concept, terms in lexicon.terms.items()
    }


_APART = b"\n" + b". " * 20
"""Between spans that are looked at together: no term reaches over it."""


class Matcher:
    """The terms of one lexicon that are looked for in one kind of place, ready to be looked for."""

    def __init__(self, lexicon: Lexicon, places: tuple[str, ...]) -> None:
        self._spaced = lexicon.language not in UNSPACED
        every = concepts()
        numbers = concept_numbers()
        chosen = {
            name: pieces_of for name, pieces_of in _pieces(lexicon).items() if every[name].place in places
        }
        common: Counter[str] = Counter(_frequent().get(lexicon.language, {}))
        common.update(word.letters for terms in chosen.values() for words in terms for word in words)
        by_anchor: dict[bytes, list[_Term]] = {}
        for concept, terms in chosen.items():
            for words in terms:
                anchors, entry = _compiled(numbers[concept], words, self._spaced, common)
                for form in anchors:
                    by_anchor.setdefault(form, []).append(entry)
        self._terms = list(by_anchor.values())
        self._closed = [not any(term.open_start for term in terms) for terms in self._terms]
        self._automaton = ahocorasick_rs.BytesAhoCorasick(
            [*MARKS, *by_anchor], implementation=ahocorasick_rs.Implementation.DFA
        )

    def scan(self, low: bytes) -> tuple[list[int], list[Hit]]:  # noqa: PLR0912 - the inner loop, kept flat for speed
        """Where MARKS stand, and every place of every term; `low` is what `lowered` gave.

        A term of several words is named once, where it begins.
        """
        terms, closed, first = self._terms, self._closed, len(MARKS)
        marks: list[int] = []
        hits: list[Hit] = []
        seen: set[tuple[int, int]] = set()
        for number, start, end in self._automaton.find_matches_as_indexes(low, overlapping=True):
            if number < first:
                marks.append(start)
                continue
            before = _BORDER[low[start - 1]] if start else 0
            if before == 2:
                before = _letter_before(low, start)
            if before and closed[number - first]:
                continue
            after, around = -1, b""
            for term in terms[number - first]:
                if before and not term.open_start:
                    continue
                if not term.open_end:
                    if after < 0:
                        after = _letter_at(low, end)
                    if after:
                        continue
                if term.phrase is None:
                    hits.append((term.concept, start, end))
                    continue
                if term.also:
                    if not around:
                        around = low[max(0, start - _WINDOW) : end + _WINDOW]
                    if term.also not in around:
                        continue
                found = _around(term, low, start, end)
                if found is not None and (term.concept, found[0]) not in seen:
                    seen.add((term.concept, found[0]))
                    hits.append((term.concept, *found))
        return marks, hits

    def within(self, low: bytes, spans: list[tuple[int, int]]) -> list[tuple[int, Hit]]:
        """The terms in some spans of a text, each with its span's number; all spans in one pass."""
        starts: list[int] = []
        joined: list[bytes] = []
        size = 0
        for start, end in spans:
            starts.append(size)
            joined.append(low[start:end])
            size += end - start + len(_APART)
        found: list[tuple[int, Hit]] = []
        for concept, start, end in self.scan(_APART.join(joined))[1]:
            number = bisect_right(starts, start) - 1
            moved = spans[number][0] - starts[number]
            if end + moved <= spans[number][1]:
                found.append((number, (concept, start + moved, end + moved)))
        return found


def _around(term: _Term, low: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Where the whole term stands that holds the word at start, if it does."""
    assert term.phrase is not None  # noqa: S101 - for the type checker; callers ask for phrases only
    first, last = max(0, start - term.reach), end + term.reach
    for match in term.phrase.expression.finditer(low, first, last):
        if match.start() > start:
            return None
        if end <= match.end():
            closed = not term.phrase_open and _letter_before(low, match.start())
            return None if closed else match.span()
    return None


@dataclass(frozen=True, slots=True)
class Matchers:
    """The matchers of a language: for running text, for headings of articles, for titles of laws."""

    text: Matcher
    heading: Matcher
    title: Matcher


@cache
def matchers(language: str) -> Matchers:
    """The matchers of a language, made once in a process."""
    lexicon = load(language)
    return Matchers(
        Matcher(lexicon, ("text",)), Matcher(lexicon, ("heading",)), Matcher(lexicon, ("title", "unrelated"))
    )
