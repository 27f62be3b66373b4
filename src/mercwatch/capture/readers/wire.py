"""What comes out of the child process, and how it is checked: it is as little trusted as the document."""

from __future__ import annotations

import struct
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field
from pydantic_core import from_json

from mercwatch.capture.reading import Item, Link, Listing, Piece, Reading

MAX_PIECES = 200_000
MAX_LINKS = 2_000
MAX_ITEMS = 50_000
MAX_LABEL = 120
MAX_ADDRESS = 2_000
MAX_WORDS = 300
MAX_TITLE = 1_000
MAX_NOTE = 500
_MAX_ABOUT = 32 * 2**20
_MAX_SIGNS = 1_500_000
_READING, _LISTING = b"R", b"L"
_HEAD = 1 + struct.calcsize(">IQ")

_Address = Annotated[str, Field(max_length=MAX_ADDRESS, pattern=r"^https?://[^\x00-\x20\x7f]+$")]
_LINE = r"^[^\x00-\x1f\x7f]*$"
_Words = Annotated[str, Field(max_length=MAX_WORDS, pattern=_LINE)]
_Label = Annotated[str, Field(max_length=MAX_LABEL, pattern=_LINE)]
_Note = Annotated[str, Field(max_length=MAX_NOTE, pattern=_LINE)]
_Day = Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
_Count = Annotated[int, Field(ge=0, le=2**40)]


class WireError(ValueError):
    """An answer that is not what a reader may say; says what is wrong with it."""


class _Wire(BaseModel):
    # Ignored, not forbidden: a million unknown names must not become a million errors.
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class _ReadingWire(_Wire):
    reader: Annotated[str, Field(min_length=1, max_length=200, pattern=_LINE)]
    title: Annotated[str, Field(max_length=MAX_TITLE, pattern=_LINE)]
    published: _Day
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3})?$")]
    pieces: Annotated[
        list[tuple[_Count, _Count, _Count | None, _Label]], FailFast(), Field(max_length=MAX_PIECES)
    ]
    pages: Annotated[int, Field(ge=0, le=10**7)] | None
    scanned: Annotated[list[_Count], FailFast(), Field(max_length=10_000)]
    notes: Annotated[list[_Note], FailFast(), Field(max_length=100)]
    links: Annotated[list[tuple[_Address, _Words]], FailFast(), Field(max_length=MAX_LINKS)]


class _ListingWire(_Wire):
    kind: Literal["feed", "sitemap"]
    items: Annotated[list[tuple[_Address, _Words, _Day]], FailFast(), Field(max_length=MAX_ITEMS)]
    more: Annotated[list[_Address], FailFast(), Field(max_length=MAX_ITEMS)]


def pack(made: Reading | Listing) -> bytes:
    """A reading or a listing as bytes: a letter, two lengths, what is said about the text, the text."""
    if isinstance(made, Reading):
        about = _ReadingWire.model_construct(
            reader=made.reader,
            title=made.title,
            published=made.published,
            language=made.language,
            pieces=[(piece.start, piece.end, piece.page, piece.label) for piece in made.pieces],
            pages=made.pages,
            scanned=list(made.scanned),
            notes=list(made.notes),
            links=[(link.address, link.words) for link in made.links],
        ).model_dump_json()
        return _framed(_READING, about.encode(), made.text.encode())
    listed = _ListingWire.model_construct(
        kind=made.kind,
        items=[(item.address, item.title, item.dated) for item in made.items],
        more=list(made.more),
    ).model_dump_json()
    return _framed(_LISTING, listed.encode(), b"")


def _framed(letter: bytes, about: bytes, text: bytes) -> bytes:
    return b"".join((letter, struct.pack(">IQ", len(about), len(text)), about, text))


def unpack_reading(data: bytes) -> Reading:
    """The reading that a child sent, every offset inside its text; raises WireError."""
    about, text_bytes = _taken_apart(data, _READING)
    try:
        # Plain values first: validating JSON as it is read takes ten times the memory and time.
        wire = _ReadingWire.model_validate(from_json(about))
        text = text_bytes.decode("utf-8")
    except ValueError as error:
        raise WireError(_first_line(error)) from None
    _check_pieces(wire, text_bytes)
    return Reading.model_construct(
        reader=wire.reader,
        text=text,
        title=wire.title,
        published=wire.published,
        language=wire.language,
        pieces=tuple(
            Piece.model_construct(start=start, end=end, page=page, label=label)
            for start, end, page, label in wire.pieces
        ),
        pages=wire.pages,
        scanned=tuple(wire.scanned),
        notes=tuple(wire.notes),
        links=tuple(Link.model_construct(address=address, words=words) for address, words in wire.links),
    )


def unpack_listing(data: bytes) -> Listing:
    """The listing that a child sent; raises WireError."""
    about, _ = _taken_apart(data, _LISTING)
    try:
        wire = _ListingWire.model_validate(from_json(about))
    except ValueError as error:
        raise WireError(_first_line(error)) from None
    return Listing.model_construct(
        kind=wire.kind,
        items=tuple(
            Item.model_construct(address=address, title=title, dated=dated)
            for address, title, dated in wire.items
        ),
        more=tuple(wire.more),
    )


def _taken_apart(data: bytes, letter: bytes) -> tuple[bytes, bytes]:
    if len(data) < _HEAD or data[:1] != letter:
        raise WireError("the answer does not begin as one")
    size, text_size = struct.unpack(">IQ", data[1:_HEAD])
    if size > _MAX_ABOUT or _HEAD + size + text_size != len(data):
        raise WireError("the answer's length is wrong")
    about = data[_HEAD : _HEAD + size]
    # Each of these signs becomes an object: a small answer must not become a large one in memory.
    if sum(about.count(sign) for sign in (b",", b"[", b"{")) > _MAX_SIGNS:
        raise WireError("the answer has too many parts")
    return about, data[_HEAD + size :]


def _check_pieces(wire: _ReadingWire, text: bytes) -> None:
    last = 0
    pages = wire.pages or 0
    for start, end, page, _ in wire.pieces:
        if not last <= start < end <= len(text):
            raise WireError("a piece lies outside the text, or over another one")
        if text[start] & 0xC0 == 0x80 or (end < len(text) and text[end] & 0xC0 == 0x80):
            raise WireError("a piece cuts a letter in two")
        if page is not None and not 1 <= page <= pages:
            raise WireError("a piece is on a page that the document does not have")
        last = end
    if any(not 1 <= page <= pages for page in wire.scanned):
        raise WireError("a scanned page is none of the document's")


def _first_line(error: Exception) -> str:
    return str(error)[:2_000].replace("\n", " ")[:200]
