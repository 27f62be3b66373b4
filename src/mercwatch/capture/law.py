"""One law: its front matter and its provisions, as spans of bytes of the file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

import ahocorasick_rs

from mercwatch.framework.yaml12 import YamlError, read_yaml

MAX_PROVISION = 65_536
"""Bytes of a provision that are read; an annex in the last article is not the article."""


class LawError(Exception):
    """A file that cannot be read as a law; the text says why."""


@dataclass(frozen=True, slots=True)
class Provision:
    """One article or section. start, end: bytes in the file; heading_end: where its heading line stops.

    chapters: where the headings stand that it is under, outermost first.
    """

    label: str
    start: int
    heading_end: int
    end: int
    chapters: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Law:
    """A law's front matter, where its text begins, and its provisions in their order."""

    identifier: str
    title: str
    meta: dict[str, str]
    body: int
    provisions: list[Provision] = field(default_factory=list)


_FRONT = re.compile(rb"\A(?:\xef\xbb\xbf)?---[ \t]*\r?\n(.*?\n)---[ \t]*\r?\n", re.S)
_PLAIN_FRONT = re.compile(
    r'(?:[A-Za-z_][\w-]*: (?:"(?:[^"\\\n]|\\["\\/])*"|[0-9A-Za-z][^:#\n"\'\[\]{}]*)\n)+'
)
_PLAIN_LINE = re.compile(r'^([A-Za-z_][\w-]*): "?(.*?)"?$', re.M)


def front_matter(data: bytes) -> tuple[dict[str, str], int]:
    """The front matter's plain values and the byte at which the text begins; raises LawError.

    The common shape, one quoted value a line, is read at once; everything else goes to the
    reader for YAML from strangers.
    """
    match = _FRONT.match(data)
    if not match:
        if data.startswith(b"---\n") and b"\n---" not in data[:100_000]:
            raise LawError("the front matter has no end")
        return {}, 0
    text = match.group(1).decode()
    if _PLAIN_FRONT.fullmatch(text):
        return {
            key.lower(): value.replace('\\"', '"') for key, value in _PLAIN_LINE.findall(text)
        }, match.end()
    if len(text) > 200_000:
        raise LawError("the front matter is longer than 200,000 characters")
    try:
        values, _ = read_yaml(text, "front matter")
    except YamlError as error:
        raise LawError(f"broken YAML in the front matter, line {error.line + 1}: {error.rule}") from None
    if not isinstance(values, dict):
        raise LawError("the front matter is no list of names and values")
    flat = {key.lower(): str(value) for key, value in values.items() if isinstance(value, str | int | float)}
    return flat, match.end()


# An article's mark: a word for it, or a number before it, as the countries write them.
_WORDS = (
    "art(?:icle|ikel|ikkel|icol[oi]|icolul|[ií]culo|igo|ikolu)?",
    "§{1,2}",
    "čl(?:ánok|ánek|en|anak)?",
    "član(?:ak)?",
    "člen",
    "sec(?:tion)?",
    "clause",
    "neni",
    "madde",
    "airteagal",
    "статья",
    "стаття",
    "член(?:от)?",
    "чл",
    "άρθρο[νυ]?",
    "αρθρο[νυ]?",
    "հոդված",
    "მუხლი",
    "المادة",
    "مادة",
    "الفصل",
    "סעיף",
)
_SUFFIX = (
    r"(?:[⁰¹²³⁴⁵⁶⁷⁸⁹]+"
    r"|[ \t]?(?:bis|ter|quater|quinquies|sexies|septies|octies|novies|decies|undecies|duodecies)"
    r"\b(?:-\d{1,3})?|[ ][A-Z]{1,2}(?=\s*$)|(?:er|re)\b|[ºª°]|o(?!\w)"
    r"|[ \t]?[a-z]{1,2}(?![\w’'-])|-?[а-я](?!\w)|[A-Zα-ω](?!\w)){0,4}"
)
_NUMBER = r"(?:(?:L|R|D|A|LO)[.\s]{0,2}(?=\d))?\d{1,5}(?:[-–.:]\d{1,4}){0,5}" + _SUFFIX
_ONLY = r"(?i:unique|premier|première|único|unico|unic|ünico|enig)\b"
_ROMAN = r"[IVXLC]{1,6}(?![\w-])"
_HAN = "[〇一二三四五六七八九十百千0-9０-９]{1,8}"
_BEFORE = (
    r"\d{1,4}(?:[-–]\d{1,3}|/[A-Z]{1,2}|\.?[a-z]{1,2}(?![a-z])|[ \t][a-zA-Z]{1,2}(?![a-zA-Z]))?"
    r"\.?[⁰¹²³⁴⁵⁶⁷⁸⁹]*"
    r"[\s.]{0,3}(?:§|(?:pants|gr\.|cikk|straipsnis|člen)(?:-[a-z])?)"
)
_LABEL = re.compile(
    r"(?:(?P<word>(?i:"
    + "|".join(_WORDS)
    + r"))\.?\s{0,3}(?P<number>"
    + _NUMBER
    + "|"
    + _ROMAN
    + "|"
    + _ONLY
    + ")"
    r"|(?P<before>" + _BEFORE + ")"
    r"|(?P<han>第" + _HAN + r"[条條](?:の" + _HAN + r"){0,3}|제\s?\d{1,4}조(?:의\s?\d{1,3})?)"
    r")"
)
_BARE = re.compile(r"(?P<number>\d{1,4}[A-Z]{0,2})(?=[.\s]|$)")
_NOT_AFTER = frozenset(",;第のにを及又、で")
"""What follows a number that is only referred to."""

_OPEN_BYTES = b" \t*_>\\\"'#" + bytes({*"«»„“”‘’ ".encode()})
"""Bytes that may stand before an article's mark on its line: space, markup, quotation marks."""
_WINDOW = 200
_NUMBER_FIRST = ("§", "pants", "gr.", "cikk", "straipsnis", "člen")
_NUMBER_BEFORE = re.compile(
    rb"\d{1,4}+(?:[-/][0-9a-z]{1,3}|\xe2\x80\x93\d{1,3}|\.?[a-z]{1,2}(?![a-z])|[ \t][a-z]{1,2}(?![a-z]))?"
    rb"(?:<sup>\d{1,3}</sup>|\xc2[\xb2\xb3\xb9\xa0]|\xe2\x81[\xb0-\xb9]|\xe2\x80[\x80-\xaf]|[ \t.*])*+\Z"
)


def _mark_patterns() -> list[bytes]:
    """Byte strings near which an article or heading may begin, for one pass over the lowered text."""
    heads: set[bytes] = set()
    for word in _WORDS:
        first = re.match(r"[^(?{\[]*", word)
        head = first.group(0) if first else word
        for form in (head, head.capitalize(), head.upper()):
            encoded = form.encode().lower()
            heads |= (
                {bytes([before]) + encoded for before in b"\n" + _OPEN_BYTES}
                if len(encoded) < 5
                else {encoded}
            )
    heads |= {word.encode() for word in (*_NUMBER_FIRST, "第", "제")}
    return [b"\n#", *sorted(heads - {b"\n#"})]


MARKS = _mark_patterns()


def line_starts(low: bytes, marks: list[int], body: int) -> list[int]:
    """Where the lines begin that may be an article's or a heading's; marks: where MARKS were found."""
    starts = {body} if body == 0 or low[body - 1 : body] == b"\n" else set()
    for at in marks:
        if low[at] == 10:
            starts.add(at + 1)
            continue
        line = low.rfind(b"\n", max(0, at - _WINDOW), at) + 1
        if line == 0 and at > _WINDOW:
            continue
        before = low[line:at].strip(_OPEN_BYTES)
        if not before or _NUMBER_BEFORE.match(before):
            starts.add(line)
    return sorted(start for start in starts if start >= body)


_HASHES = re.compile(r"[ \t]*(#{1,6})(?!#)")
_RAISED = re.compile(r"<sup>\s*(\d{1,3})\s*</sup>|\^(\d{1,3})\^?")
_RAISE = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MARKUP = re.compile(r"\[\^[^\]]{1,12}\]|[*\\#>]|&nbsp;|<[^>]{0,40}>")
_QUOTES = "«»„“”‘\"'"
_OFF = "*\\#>"
_MAX_LINE = 300


def clean(line: str) -> str:
    """A line without markup: `**Art. 1<sup>er</sup>** *a*` becomes `Art. 1er a`."""
    line = line.replace("&nbsp;", " ")
    if "<" in line or "^" in line or "&" in line or "[" in line:
        line = _RAISED.sub(lambda m: (m.group(1) or m.group(2)).translate(_RAISE), line)
        line = _MARKUP.sub("", line)
    for sign in _OFF:
        line = line.replace(sign, "")
    return " ".join(line.split())


@dataclass(slots=True)
class _Line:
    start: int
    end: int
    hashes: int
    label: str
    rest: str
    quoted: bool
    sure: bool
    bare: bool


def _small(letter: str) -> bool:
    """Is this a small letter in a script that has capitals in running text (Georgian has not)?"""
    return letter.islower() and not "ა" <= letter <= "ჿ"


def _begins(rest: str) -> bool:
    """Does this stand after the number of an article that begins, not of one that is only referred to?"""
    following = rest.lstrip()[:1]
    return not (_small(following) or following.isdigit() or following in _NOT_AFTER) if following else True


def _read_line(data: bytes, start: int) -> _Line:
    """What stands on the line: an article's label, or only a heading (empty label)."""
    stop = data.find(b"\n", start)
    stop = len(data) if stop < 0 else stop
    raw = data[start : min(stop, start + _MAX_LINE)].decode("utf-8", "ignore")
    hashes = _HASHES.match(raw)
    depth = len(hashes.group(1)) if hashes else 0
    text = clean(raw)
    quoted = text[:1] in _QUOTES or raw.lstrip(" \t#")[:1] == "*"
    text = text.lstrip(_QUOTES + " ")
    match, bare = _LABEL.match(text), False
    if match is None and depth >= 4:
        match, bare = _BARE.match(text), True
    if match is None:
        return _Line(start, stop, depth, "", text, quoted, False, False)
    rest = text[match.end() :]
    mark = match.groupdict()
    word = mark.get("word") or ""
    sure = depth > 0 or (not _small(word[:1]) and _begins(rest))
    return _Line(start, stop, depth, match.group(0).strip(" ."), rest, quoted, sure, bare)


def _articles(lines: list[_Line]) -> list[_Line]:
    """The lines that begin an article.

    Signs (§) in running text count only where no heading has them. Headings that are mere numbers count where
    the law has more of them than of others: Irish acts with a treaty in their schedule.
    """
    sure = [line for line in lines if line.label and line.sure]
    marked = [line for line in sure if not line.bare]
    bare = [line for line in sure if line.bare]
    headed = [line for line in marked if line.hashes]
    if headed:
        marked = [line for line in marked if line.hashes or line.quoted or "§" not in line.label]
    if len(bare) > len(headed):
        marked = sorted([*bare, *headed], key=lambda line: line.start)
    return marked


def split(data: bytes, low: bytes, body: int, marks: list[int]) -> list[Provision]:
    """The provisions in their order; none where the text has no marks of articles.

    data: the file; low: the same with ASCII letters lowered; body: where the text begins; marks: where MARKS
    stand.
    """
    lines = [_read_line(data, start) for start in line_starts(low, marks, body)]
    articles = _articles(lines)
    chosen = {line.start for line in articles}
    headings = [line for line in lines if line.hashes and line.start not in chosen]
    found: list[Provision] = []
    at = 0
    above: list[_Line] = []
    for number, line in enumerate(articles):
        following = articles[number + 1].start if number + 1 < len(articles) else len(data)
        while at < len(headings) and headings[at].start < line.start:
            above = [*(h for h in above if h.hashes < headings[at].hashes), headings[at]]
            at += 1
        end = _without_next_chapter(data, line, headings, at, following)
        heading_end = line.end if len(line.rest.strip(" .:—–-")) > 2 else _title_after(data, line.end, end)
        end = min(end, line.start + MAX_PROVISION)
        chapters = tuple((h.start, h.end) for h in above)
        found.append(Provision(line.label, line.start, min(heading_end, end), end, chapters))
    return found


def _without_next_chapter(data: bytes, line: _Line, headings: list[_Line], at: int, following: int) -> int:
    """The article's end: headings at its tail belong to the next chapter."""
    inner = []
    for heading in headings[at : at + 40]:
        if heading.start >= following:
            break
        inner.append(heading)
    end = following
    for heading in reversed(inner):
        if data[heading.end : end].strip() or heading.start <= line.end + 3:
            break
        end = heading.start
    return end


_NEXT_LINE = re.compile(rb"\s{0,8}+([^\n]{1,200})(?:\n|\Z)")


def _title_after(data: bytes, at: int, end: int) -> int:
    """Where an article's own title ends that stands on the line after its number."""
    match = _NEXT_LINE.match(data, at, end)
    if not match:
        return at
    line = match.group(1).strip()
    if line.startswith((b"#", b"**")):
        return match.end(1)
    if len(line) > 120 or line.endswith((b".", b":", b";", b",")) or line[:1] in b"(-1234567890<":
        return at
    return match.end(1)


@cache
def _automaton() -> ahocorasick_rs.BytesAhoCorasick:
    return ahocorasick_rs.BytesAhoCorasick(MARKS, implementation=ahocorasick_rs.Implementation.DFA)


def marks_of(low: bytes) -> list[int]:
    """Where MARKS stand in a lowered text."""
    return [start for _, start, _ in _automaton().find_matches_as_indexes(low, overlapping=True)]


def decoded(data: bytes) -> None:
    """Raise LawError unless the bytes are UTF-8 text."""
    if data.isascii():
        text_ok = b"\0" not in data
    else:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise LawError(f"is not UTF-8 (byte {error.start})") from None
        text_ok = b"\0" not in data
    if not text_ok:
        raise LawError("holds a NUL byte: not a text")


def law_of(data: bytes, file: str) -> Law:
    """Read one file's bytes as a law; raises LawError with the reason."""
    decoded(data)
    meta, body = front_matter(data)
    low = data.lower()
    provisions = split(data, low, body, marks_of(low))
    title = meta.get("title") or first_heading(data[body : body + 2_000].decode("utf-8", "ignore"))
    return Law(
        meta.get("identifier") or file.rsplit("/", 1)[-1].rsplit(".", 1)[0], title, meta, body, provisions
    )


def title_of(meta: dict[str, str], other: str, opening: str) -> str:
    """A law's title; where the book gives a mere number, the law's first words stand in for it."""
    title = meta.get("title") or other or first_heading(opening)
    words = re.findall(r"[^\W\d_]{4,}", title)
    if len(words) >= 3 or max(map(len, words), default=0) >= 10:
        return title
    return f"{title} {' '.join(clean(opening[:1_500]).split())[:300]}".strip()


def first_heading(text: str) -> str:
    """A title for a law without one: its first line."""
    match = re.search(r"^#?[ \t]*(\S[^\n]{0,400})", text, re.M)
    return match.group(1).strip("# *\r") if match else ""
