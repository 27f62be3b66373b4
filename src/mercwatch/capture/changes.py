"""What is new at a place since it was looked at last. Nothing is fetched and no file is opened here.

A page's clock, its counters, today's date, its cookie banner and its adverts are no change; a law's date is.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import blake2b
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from babel import Locale, UnknownLocaleError
from pydantic import BaseModel, ConfigDict

from mercwatch.capture.reading import Reading
from mercwatch.framework.yaml12 import shipped

_SHORT = 600
"""Characters of the longest block that may be a banner."""
_COUNTER = 80
_RUN = 1_000
_LONG = 20_000
"""Characters of the longest paragraph in which a date may be a page's clock."""
_MOST_TEXT = 4 << 20
"""Bytes of a page that are compared."""
MAX_BLOCKS = 50_000
MAX_COUNTERS = 200


class Noise(BaseModel):
    """What `changes.yaml` holds: expressions for what is no change, and names of calendars."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    drop: tuple[str, ...]
    count: tuple[str, ...]
    masks: tuple[str, ...]
    parameters: frozenset[str]
    sharing: frozenset[str]
    locales: dict[str, tuple[str, ...]]
    prefixes: dict[str, tuple[str, ...]]
    years: dict[str, tuple[int, ...]]


@cache
def noise() -> Noise:
    """The noise that ships."""
    path = Path(__file__).parent / "changes.yaml"
    return Noise.model_validate(shipped(path))


@cache
def _any(expressions: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{expression})" for expression in expressions), re.I)


def mark(text: str) -> bytes:
    """The eight bytes by which a text or an address is remembered."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def same_address(address: str) -> str:
    """What two ways of writing one document's address share; empty where it is none, or only shares a page.

    Without scheme, `www.`, fragment, closing slash, and parameters that name a visit.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or _shares(host):
        return ""
    path, query = parts.path.rstrip("/"), parts.query
    if ";" in path:
        path = _VISIT.sub("", path).rstrip("/")
    if query:
        asked = parse_qsl(query, keep_blank_values=True)
        query = urlencode([pair for pair in asked if pair[0].lower() not in noise().parameters])
    return f"{host}{f':{port}' if port not in (None, 80, 443) else ''}{path}{f'?{query}' if query else ''}"


_VISIT = re.compile(r";(?:jsessionid|sid)=[^/?]*", re.I)


def _shares(host: str) -> bool:
    labels = host.split(".")
    return any(".".join(labels[at:]) in noise().sharing for at in range(len(labels)))


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph of a page: its text, and the marks of it as it stands and of what stays without noise."""

    text: str
    plain: bytes
    masked: bytes


_DIGITS = {
    code: str(unicodedata.decimal(chr(code)))
    for code in range(128, sys.maxunicode + 1)
    if chr(code).isdecimal()
}
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


def normal(text: str) -> str:
    """A text as it is compared: one kind of space, of digits and of each letter, nothing unseen."""
    plain = _UNSEEN.sub("", text)
    # In short runs: a long run of combining marks takes time by its square.
    runs = (unicodedata.normalize("NFKC", plain[at : at + _RUN]) for at in range(0, len(plain), _RUN))
    return " ".join("".join(runs).translate(_DIGITS).split())


def blocks_of(reading: Reading, moment: str, language: str = "") -> list[Block]:
    """A reading's paragraphs, each once, without those that are noise. moment: when it was fetched."""
    data = reading.text.encode("utf-8", "surrogatepass")[:_MOST_TEXT]
    languages = tuple(sorted({code for code in (language, reading.language, "en") if code}))
    found: dict[bytes, Block] = {}
    for piece in reading.pieces[:MAX_BLOCKS]:
        text = normal(data[piece.start : piece.end].decode("utf-8", "ignore"))
        if text and not _is_noise(text):
            block = Block(text, mark(text), mark(masked(text, moment, languages)))
            found.setdefault(block.plain, block)
    return list(found.values())


def _is_noise(text: str) -> bool:
    if len(text) > _SHORT:
        return False
    if _any(noise().drop).search(text):
        return True
    return len(text) <= _COUNTER and bool(_any(noise().count).fullmatch(text))


def masked(text: str, moment: str, languages: tuple[str, ...]) -> str:
    """A text with today's date and the hours in it masked. Other dates stay: a law's date is its text.

    Today is every day that it is somewhere on earth at that moment.
    """
    now = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    days = tuple(sorted({(now + timedelta(hours=hours)).date() for hours in (-12, 0, 14)}))
    if _may_have_today(text, days, languages):
        text = _today(days, languages).sub("<today>", text)
    return _any(noise().masks).sub("<hour>", text) if any(map(str.isdigit, text)) else text


def _may_have_today(text: str, days: tuple[date, ...], languages: tuple[str, ...]) -> bool:
    """A quick look before the slow one: is there a day's number, and a year's or the name of a weekday?"""
    if len(text) > _LONG or not any(str(day.day) in text for day in days):
        return False
    years = {0} | {added for code in languages for added in noise().years.get(code, ())}
    if any(str(day.year + added)[-2:] in text for day in days for added in years):
        return True
    return bool(_some_weekday(days, languages).search(text))


@cache
def _some_weekday(days: tuple[date, ...], languages: tuple[str, ...]) -> re.Pattern[str]:
    locales = [locale for code in languages for locale in _locales(code)]
    return re.compile(
        _one_of(n for each in locales for day in days for n in _weekdays(each, day.weekday())), re.I
    )


@cache
def _today(days: tuple[date, ...], languages: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(form for day in days for form in _forms(day, languages)), re.I)


def _forms(day: date, languages: tuple[str, ...]) -> Iterator[str]:
    """How a day is written: in digits, with its month's name, with the name of the day of the week."""
    d, m = rf"(?<!\d)0?{day.day}(?!\d)", rf"(?<!\d)0?{day.month}(?!\d)"
    added = {0} | {years for code in languages for years in noise().years.get(code, ())}
    full = "|".join(str(day.year + years) for years in sorted(added))
    y, short = rf"(?<!\d)(?:{full})(?!\d)", rf"(?<!\d)(?:{full}|{day.year % 100:02})(?!\d)"
    locales = [locale for code in languages for locale in _locales(code)]
    month = _one_of(name for locale in locales for name in _months(locale, day.month))
    weekday = _one_of(name for locale in locales for name in _weekdays(locale, day.weekday()))
    gap, sign = r"[^\d\n]{1,8}?", r"\s?(?:[-./]|tháng|năm)\s?"
    written = (
        f"{d}{gap}{month}{gap}{y}",
        rf"{month}[^\d\n]{{1,3}}{d}{gap}{y}",
        f"{y}{gap}{month}{gap}{d}",
        f"{y}{gap}{d}{gap}{month}",
        f"{y}{sign}{m}{sign}{d}",
        f"{d}{sign}{m}{sign}{short}",
        f"{m}/{d}/{short}",
        rf"{y}\s?[年년]\s?{m}\s?[月월]\s?{d}\s?[日일]",
    )
    yield rf"(?:{weekday}[^\d\n]{{1,8}})?(?:{'|'.join(written)})(?:[^\d\n]{{0,5}}?{weekday}[)）]?)?"
    yield rf"{weekday}[^\d\n]{{1,8}}{d}{gap}{month}"
    yield rf"{weekday}[^\d\n]{{1,8}}{month}[^\d\n]{{1,3}}{d}"


def _locales(language: str) -> Iterator[Locale]:
    for code in noise().locales.get(language, (language,)):
        try:
            yield Locale.parse(code)
        except (UnknownLocaleError, ValueError):
            continue


def _months(locale: Locale, month: int) -> Iterator[str]:
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            name = str(locale.months[context][width][month])
            yield name
            yield from (before + name for before in noise().prefixes.get(locale.language, ()))


def _weekdays(locale: Locale, day: int) -> Iterator[str]:
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            yield str(locale.days[context][width][day])


def _one_of(names: Iterable[str]) -> str:
    """An expression for any of these names, longest first, as whole words in scripts that part words."""
    plain = {normal(name).rstrip(".") for name in names}
    kept = sorted((n for n in plain if n and not any(c.isdigit() for c in n)), key=lambda n: (-len(n), n))
    spaced = [re.escape(name) for name in kept if max(name) < "\u0e00"]  # later scripts write without spaces
    others = [re.escape(name) for name in kept if max(name) >= "\u0e00"]
    bordered = rf"(?<![^\W\d_])(?:{'|'.join(spaced)})(?![^\W\d_])"
    return f"(?:{'|'.join([bordered, *others])})"


_WORDS = re.compile(r"\d+|[^\W\d]+|[^\w\s]")


def counter(one: str, other: str) -> str | None:
    """What two texts share that differ in some numbers only, those as `*`; None where more differs."""
    if max(len(one), len(other)) > _SHORT:
        return None
    first, second = _WORDS.findall(one), _WORDS.findall(other)
    if len(first) != len(second) or first == second or len(first) > 200:
        return None
    words = []
    for a, b in zip(first, second, strict=True):
        if a != b and not (a.isdigit() and b.isdigit()):
            return None
        words.append(a if a == b else "*")
    return " ".join(words)


def counts_as(text: str, counters: Iterable[str]) -> bool:
    """Is a text one of these counters, with whatever numbers where theirs stood?"""
    words = _WORDS.findall(text)
    for known in counters:
        wanted = known.split(" ")
        if len(wanted) == len(words) and all(
            w == a or (w == "*" and a.isdigit()) for w, a in zip(wanted, words, strict=True)
        ):
            return True
    return False


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a page's text. blocks: the marks of its paragraphs, as they stood and masked.

    fleeting: marks of paragraphs that differed between two fetches in a row; counters: such ones of which
    only numbers differed; places: how many such paragraphs a page was ever seen to have at once.
    """

    blocks: frozenset[tuple[bytes, bytes]] = frozenset()
    fleeting: frozenset[bytes] = frozenset()
    counters: tuple[str, ...] = ()
    places: int = 0

    def comes_and_goes(self, block: Block) -> bool:
        """Is this a paragraph that differed between two fetches in a row?"""
        marked = block.plain in self.fleeting or block.masked in self.fleeting
        return marked or counts_as(block.text, self.counters)


@dataclass(frozen=True, slots=True)
class Difference:
    """How a page's text differs from what is remembered: new paragraphs, and the number of those gone."""

    new: tuple[Block, ...] = ()
    gone: int = 0

    def __bool__(self) -> bool:
        return bool(self.new or self.gone)


def difference(memory: Memory, blocks: list[Block]) -> Difference:
    """What is new in a page's paragraphs, and how many are gone, apart from those that come and go."""
    known = {found for pair in memory.blocks for found in pair}
    here = {found for block in blocks for found in (block.plain, block.masked)}
    new = [b for b in blocks if b.plain not in known and b.masked not in known]
    gone = sum(plain not in here and masked not in here for plain, masked in memory.blocks)
    return Difference(tuple(b for b in new if not memory.comes_and_goes(b)), gone)


def told_twice(memory: Memory, first: list[Block], second: list[Block]) -> tuple[Difference, Memory]:
    """What is new by two fetches in a row, and what is remembered of the page from now on.

    Paragraphs that only one of them has come and go by themselves. Where a page has more of them than ever
    before, as many may be gone without meaning anything: they stood in the same places.
    """
    left, right = _only(first, second), _only(second, first)
    counters = {like for a in left for b in right if (like := counter(a.text, b.text))}
    fleeting = {found for b in (*left, *right) for found in (b.plain, b.masked)}
    learned = Memory(
        memory.blocks,
        memory.fleeting | fleeting,
        tuple(dict.fromkeys((*memory.counters, *sorted(counters))))[-MAX_COUNTERS:],
        max(memory.places, len(left)),
    )
    found = difference(learned, first)
    # A place that was not known to change held a paragraph before: that one is gone without meaning anything.
    gone = max(0, found.gone - max(0, len(left) - memory.places))
    return Difference(found.new, gone), remembered(learned, first)


def remembered(memory: Memory, blocks: list[Block]) -> Memory:
    """What is remembered of a page from now on: its paragraphs, apart from those that come and go."""
    kept = frozenset((b.plain, b.masked) for b in blocks if not memory.comes_and_goes(b))
    return Memory(kept, memory.fleeting, memory.counters, memory.places)


def _only(blocks: list[Block], others: list[Block]) -> list[Block]:
    """The paragraphs that the others have neither as they stand nor masked; at most 200 are compared."""
    there = {found for block in others for found in (block.plain, block.masked)}
    return [b for b in blocks if b.plain not in there and b.masked not in there][:200]
