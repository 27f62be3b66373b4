"""What the child process does behind the walls: read a document, or list a feed or sitemap."""

from __future__ import annotations

from mercwatch.capture.readers import charsets, docx, html, lawbook, listings, pdf, plain, versions
from mercwatch.capture.readers.kinds import kind_of
from mercwatch.capture.reading import Listing, Reading


def warm() -> None:
    """Load all that is loaded late, before the walls close."""
    versions()
    charsets.warm()
    html.warm()
    lawbook.warm()
    listings.warm()


def read(body: bytes, media_type: str, address: str, day: str) -> Reading:
    """The document as its reader reads it; raises ReadError."""
    kind = kind_of(body, media_type, address)
    if kind == "html":
        return html.read(body, media_type, address, day)
    if kind == "pdf":
        return pdf.read(body)
    if kind == "docx":
        return docx.read(body)
    return lawbook.read(body, media_type, address) or plain.read(body, media_type)


def listing(body: bytes, address: str) -> Listing:
    """What a feed or a sitemap lists; raises ReadError."""
    return listings.read(body, address)
