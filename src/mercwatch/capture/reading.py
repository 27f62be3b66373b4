"""What a reader makes of a document: its text, the pieces that can be cited, and what it says of itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Piece(_Plain):
    """A passage that can be cited: a paragraph, a list item, an article.

    start, end: bytes of the text (UTF-8); page: counted from 1, in documents that have pages; label: an
    article's, as printed.
    """

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    page: int | None = None
    label: str = ""


class Link(_Plain):
    """A link in the main part of a page: its absolute address, and the words it is made of."""

    address: str
    words: str = ""


class Reading(_Plain):
    """A document as one reader reads it. The same bytes and address always give the same reading.

    reader: its name, our version of it and its library's, `html 1 (trafilatura 2.3.1)`; published: a day,
    or empty; language: ISO 639-1, or empty; scanned: pages that are pictures without text; notes: what a
    person should know, one line each; links: of pages only.
    """

    reader: str
    text: str
    title: str = ""
    published: str = ""
    language: str = ""
    pieces: tuple[Piece, ...] = ()
    pages: int | None = None
    scanned: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


class Item(_Plain):
    """One document that a feed or a sitemap names. dated: what it says of its day, or empty."""

    address: str
    title: str = ""
    dated: str = ""


class Listing(_Plain):
    """What a feed or a sitemap lists; more: further sitemaps that it points to."""

    kind: Literal["feed", "sitemap"]
    items: tuple[Item, ...] = ()
    more: tuple[str, ...] = ()


class ReadError(Exception):
    """A document that cannot be read; says why in one line, and what to do."""
