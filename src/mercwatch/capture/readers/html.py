"""Pages: the main text by trafilatura, or all visible text where that fails; title, day, language, links."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

import htmldate
import htmldate.extractors
import lxml.html
import trafilatura
from dateutil.parser import parse as parse_date
from lxml import etree
from trafilatura.external import jt_stoplist_init
from trafilatura.utils import load_html
from trafilatura.xml import xmltotxt

from mercwatch.capture.markup import text_of
from mercwatch.capture.readers import LOGIN, MISSING, named
from mercwatch.capture.readers.charsets import decoded
from mercwatch.capture.readers.links import web_address
from mercwatch.capture.readers.plain import TOO_MANY, each_line, one_line
from mercwatch.capture.readers.wire import MAX_LINKS, MAX_PIECES, MAX_WORDS
from mercwatch.capture.reading import Link, Reading
from mercwatch.framework.yaml12 import shipped

MAX_LETTERS = 8_000_000
MAX_TAGS = 120_000
MAX_DEPTH = 200
_MAX_ATTRIBUTES = 300
_TINY = 1_000
_TINY_SHARE = 0.2
_UNSEEN = frozenset({"script", "style", "template", "noscript", "head", "iframe", "object", "svg"})
_AROUND = frozenset({"nav", "header", "footer", "aside"})
_AROUND_ROLES = frozenset({"navigation", "banner", "contentinfo", "complementary", "search"})
_LARGE_TAG = re.compile(r"<[a-zA-Z/!?][^<>]{8000,}+>?")
_OWN_ENTITIES = re.compile(r"<!DOCTYPE[^<>\[]{0,500}\[[^\]]{0,20000}+\]\s{0,9}>", re.I)
_DATA_ADDRESS = re.compile(r"data:[a-z]{1,20}/[^\s\"'<>()]{200,}+")
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_LANGUAGE_OF_PAGE = re.compile(r"<html\s[^<>]{0,500}?\blang\s?=\s?[\"']?([a-z]{2})(?![a-z])", re.I)
_CHANGED = re.compile(r"modif|updat|revis|expir|last", re.I)
_PARTS = re.compile(r"\n|\s[-–—|·:»]\s")
_LANGUAGE = re.compile(r"([a-z]{2})(?:[-_]|$)", re.I)

Tree = Any
"""An lxml element; lxml gives no types."""


def warm() -> None:
    """Load what trafilatura and htmldate load late: behind the walls no file can be opened."""
    jt_stoplist_init()
    datetime.strptime("2021 +0000", "%Y %z")  # Python itself loads this late
    paragraph = "<p>On 3 March 2021 the ministry published the licence, and the licence was revoked.</p>" * 9
    page = f"<html lang=en><head><title>A</title></head><body><main>{paragraph}</main></body></html>"
    read(page.encode(), "text/html", "https://gazette.example/1", "2026-01-01")
    read(b"<html><body><p>a</p></body></html>", "text/html", "https://gazette.example/1", "2026-01-01")


def read(body: bytes, media_type: str, address: str, day: str) -> Reading:
    """A page's main text. day: when it was fetched; no later day is taken for its day of publication."""
    page, notes = decoded(body, media_type, in_page=True)
    page = _DATA_ADDRESS.sub("data:,", page)
    own = _OWN_ENTITIES.search(page, 0, 25_000)
    page = page[own.end() :] if own else page
    why = _too_much(page)
    tree = None if why else load_html(page)
    if tree is not None and _is_deep(tree):
        tree, why = None, f"its tags are nested more than {MAX_DEPTH} deep: all its text was taken"
    if tree is None:
        text, title = _all_visible(page)
        why = why or "it is too deep or not well-formed: all its text was taken"
        found = _LANGUAGE_OF_PAGE.search(page[:20_000])
        language = found.group(1).lower() if found else ""
        return _made(Reading(reader=named("html"), text=text, title=title, language=language), (*notes, why))
    title, headings = _titles(tree)
    published = _published(tree, day)
    language = _language(tree)
    _drop_noise(tree)
    text = _main_text(tree)
    visible = sum(len(part) for part in _visible(tree))
    if len(text) < min(_TINY, _TINY_SHARE * visible) or not text:
        fallback = _all_visible(_without_unseen(tree) or page)[0]
        if len(fallback) > len(text):
            text = fallback
            notes = (*notes, "its main part could not be told from the rest: all its text was taken")
    if not text and "<script" in page.lower():
        notes = (*notes, "it shows its text by script only: nothing was read")
    notes = (*notes, *_instead(tree, "\n".join((title, *headings)), visible))
    about = Reading(
        reader=named("html"),
        text=text,
        title=title or next(iter(headings), ""),
        published=published,
        language=language,
        links=_links(tree, address),
    )
    return _made(about, notes)


def _made(about: Reading, notes: tuple[str, ...]) -> Reading:
    """The reading with its pieces and notes."""
    pieces = each_line(about.text)
    many = [TOO_MANY] if len(pieces) == MAX_PIECES else []
    return about.model_copy(update={"pieces": pieces, "notes": (*notes, *many)})


def _too_much(page: str) -> str:
    """Why a page is not given to the libraries, whose time or stack it would exhaust; empty where it is."""
    if len(page) > MAX_LETTERS:
        return f"it has more than {MAX_LETTERS:,} letters: all its text was taken"
    if page.count("<") > MAX_TAGS:
        return f"it has more than {MAX_TAGS:,} tags: all its text was taken"
    if any(match.group(0).count("=") > _MAX_ATTRIBUTES for match in _LARGE_TAG.finditer(page)):
        return "one of its tags has hundreds of attributes: all its text was taken"
    return ""


def _is_deep(tree: Tree) -> bool:
    """Is it so deep that the parser has cut it off, or recursion would be long?"""
    depth = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _main_text(tree: Tree) -> str:
    try:
        document = trafilatura.bare_extraction(
            tree, favor_recall=True, include_comments=False, include_tables=True, include_formatting=False
        )
    except (ValueError, RecursionError, AttributeError, TypeError, IndexError):
        return ""  # a library's stumble: the page's visible text is still there
    body = getattr(document, "body", None)
    return _tidy(xmltotxt(body, False)) if body is not None else ""


def _all_visible(page: str) -> tuple[str, str]:
    """All text of a page and its title, by a reader that no nesting can stop."""
    page = _LARGE_TAG.sub("\n", page)
    made = text_of(page.encode("utf-8", "replace"), "page.html")
    return _tidy(made.data.decode("utf-8", "replace")), one_line(made.title)


def _tidy(text: str) -> str:
    """Lines without margins and runs of spaces, none empty."""
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


@cache
def _names(key: str) -> frozenset[str]:
    """Names of tags, or patterns of names of blocks, from noise.yaml."""
    return frozenset(shipped(Path(__file__).parent / "noise.yaml")[key])


@cache
def _noise() -> re.Pattern[str]:
    words = "|".join(re.escape(word).replace(r"\*", r"\w*") for word in sorted(_names("words")))
    return re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.I)


def _drop_noise(tree: Tree) -> None:
    """Take out consent boxes, adverts and clocks, unless one holds half of what the page shows."""
    kept, pattern = _names("kept"), _noise()
    found = [
        element
        for element in tree.iter()
        if isinstance(element.tag, str)
        and element.tag not in kept
        and (names := f"{element.get('id') or ''} {element.get('class') or ''}") != " "
        and pattern.search(names[:2_000])
    ]
    if not found:
        return
    half = sum(len(part) for part in _visible(tree)) / 2
    for element in found:
        if element.getparent() is not None and sum(len(part) for part in _visible(element)) <= half:
            element.drop_tree()


def _visible(tree: Tree) -> Iterator[str]:
    """The parts of a tree's text that a browser shows, without their margins."""
    for element in tree.iter():
        if element.text and isinstance(element.tag, str) and element.tag not in _UNSEEN and _shown(element):
            yield element.text.strip()
        if element.tail and element is not tree and _shown(element):
            yield element.tail.strip()


def _shown(element: Tree) -> bool:
    parent = element.getparent()
    return parent is None or parent.tag not in _UNSEEN


def _without_unseen(tree: Tree) -> str:
    etree.strip_elements(tree, "noscript", "iframe", "object", "svg", with_tail=False)
    return str(lxml.html.tostring(tree, encoding="unicode"))


def _titles(tree: Tree) -> tuple[str, list[str]]:
    """What the page calls itself, and its first headings."""
    named_so = tree.xpath("//meta[@property='og:title' or @name='title' or @name='DC.title']/@content")
    said = [*(str(word) for word in named_so), *(title.text_content() for title in tree.iterfind(".//title"))]
    title = next((found for word in said if (found := one_line(entities.unescape(word)))), "")
    first = [one_line(heading.text_content()) for heading in islice(tree.iter("h1", "h2"), 5)]
    return title, [heading for heading in first if heading]


def _whole_date(words: str, **options: Any) -> datetime:
    """A date that the words name in full; ValueError where a part would be taken from today's date."""
    first: datetime = parse_date(words, default=datetime(2004, 1, 1), **options)
    if first.date() != parse_date(words, default=datetime(2008, 2, 2), **options).date():
        raise ValueError("a part of a date")
    return first


setattr(htmldate.extractors, "dateutil_parse", _whole_date)  # noqa: B010 - else "March 2021" becomes today's day of March 2021


def _published(tree: Tree, day: str) -> str:
    """The day on which a page says that it was published; a day that its text only speaks of is none."""
    stated = _stated(tree)
    try:
        found = htmldate.find_date(stated, original_date=True, extensive_search=False, max_date=day)
    except (ValueError, RecursionError, AttributeError, TypeError, OverflowError):
        return ""  # a day that the library stumbles over is no day
    if not found or (found.endswith("-01") and not _names_the_first(stated, found)):
        return ""
    return str(found)


def _stated(tree: Tree) -> Tree:
    """A page of nothing but what another one says of its own publication: meta, linked data, itemprop."""
    page = lxml.html.document_fromstring("<html><head></head><body></body></html>")
    head, body = page
    for element in tree.xpath("//meta | //script[@type='application/ld+json']"):
        names = " ".join(
            str(element.get(name) or "") for name in ("name", "property", "itemprop", "http-equiv")
        )
        if not _CHANGED.search(names):
            head.append(_alone(element))
    for element in tree.xpath("//*[@itemprop='datePublished' or @itemprop='dateCreated' or @pubdate]"):
        body.append(_alone(element))
    return page


def _alone(element: Tree) -> Tree:
    """A copy of an element without what follows it."""
    alone = deepcopy(element)
    alone.tail = None
    return alone


def _names_the_first(tree: Tree, day: str) -> bool:
    """Whether a page names the first day of a month: the library also says it where only a month is named."""
    year, month = day[:4], int(day[5:7])
    ways = (
        rf"{year}[-/.]?{month:02}[-/.]?01",
        rf"\b0?1[./-]0?{month}[./-]{year}",
        rf"\b0?{month}/0?1/{year}",
        rf"\b0?1(?:st|er|\.|º|°)?\s(?:de\s)?\w{{3,12}}\s(?:de\s)?{year}",
        rf"\b\w{{3,12}}\s0?1(?:st)?,?\s{year}",
    )
    text = etree.tostring(tree, encoding="unicode")[:2_000_000]
    return any(re.search(way, text) for way in ways)


def _language(tree: Tree) -> str:
    said = _LANGUAGE.match(
        (tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or "").strip()
    )
    return said.group(1).lower() if said else ""


@cache
def _signs() -> dict[str, Any]:
    signs: dict[str, Any] = shipped(Path(__file__).parent / "signs.yaml")
    return signs


def _instead(tree: Tree, names: str, visible: int) -> tuple[str, ...]:
    """Notes on a page that stands in a document's place."""
    signs = _signs()
    if visible < signs["login_below"] and tree.xpath(
        "//input[translate(@type,'PASWORD','pasword')='password']"
    ):
        return (f"{LOGIN} the page asks for a password instead of showing the document",)
    words = names.lower()
    parts = {part.strip(" .!:") for part in _PARTS.split(words)}
    if visible < signs["missing_below"] and (
        parts & set(signs["missing_whole"])
        or any(re.search(rf"(?<!\w){re.escape(sign)}(?!\w)", words) for sign in signs["missing"])
    ):
        return (f"{MISSING} the page says that the document is not there",)
    return ()


def _links(tree: Tree, address: str) -> tuple[Link, ...]:
    """Absolute web links in their order, each once; those around the main part only where it has none."""
    base = next((str(href) for href in tree.xpath("//base/@href")[:1]), "")
    base = web_address(address, base) or address
    inner: dict[str, Link] = {}
    outer: dict[str, Link] = {}
    own = urldefrag(address).url
    around = _around(tree)
    for anchor in tree.iter("a"):
        href = anchor.get("href")
        found = web_address(base, href.strip()) if href else ""
        if not found or found == own:
            continue
        kept = outer if anchor in around else inner
        if len(kept) < MAX_LINKS and found not in kept:
            kept[found] = Link(address=found, words=one_line(anchor.text_content(), MAX_WORDS))
    return tuple((inner or outer).values())


def _around(tree: Tree) -> set[Tree]:
    """All links inside navigation, page headers and footers."""
    blocks = (
        element
        for element in tree.iter()
        if element.tag in _AROUND or (element.get("role") or "").lower() in _AROUND_ROLES
    )
    return {anchor for block in blocks for anchor in block.iter("a")}
