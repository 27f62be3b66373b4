"""Which reader a document needs: by its first bytes, then by what the server says, then by its name."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from mercwatch.capture.reading import ReadError

Kind = Literal["html", "pdf", "docx", "plain"]

READABLE = "what can be read: HTML, PDF, DOCX, Markdown and plain text"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file (.doc, .xls, .ppt); save it as DOCX or PDF"),
    (b"{\\rtf", "an RTF file; save it as DOCX or PDF"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"II*\0", "a picture (TIFF)"),
    (b"MM\0*", "a picture (TIFF)"),
    (b"\x1f\x8b", "a gzip file; unpack it"),
    (b"BZh", "a bzip2 file; unpack it"),
    (b"7z\xbc\xaf", "a 7-Zip file; unpack it"),
    (b"Rar!", "a RAR file; unpack it"),
    (b"\xfd7zXZ", "an xz file; unpack it"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file; unpack it"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"ID3", "a sound"),
    (b"%!PS", "PostScript; make a PDF of it"),
    (b"SQLite format 3", "a database"),
)
_HTML = re.compile(
    rb"(?:<\?xml[^>]{0,200}>|<!--.{0,2000}?-->|\s)*+<(?:!doctype\s{1,9}html|html|head|body|title|meta|script|"
    rb"style|div|table|article|main|h[1-6]|p|a|br|b|ul|span|iframe)(?=[\s/>])",
    re.I | re.S,
)
_XHTML = re.compile(rb"<(?:\w{1,9}:)?html[\s>]", re.I)
_ENDINGS: dict[str, Kind] = {
    "html": "html",
    "htm": "html",
    "xhtml": "html",
    "txt": "plain",
    "md": "plain",
    "markdown": "plain",
    "pdf": "pdf",
    "docx": "docx",
}
_TYPES: dict[str, Kind] = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/plain": "plain",
    "text/markdown": "plain",
    "text/x-markdown": "plain",
}
_UNTOLD = ("", "application/octet-stream", "binary/octet-stream", "application/force-download")


def kind_of(body: bytes, media_type: str, address: str) -> Kind:
    """Which reader reads this; raises ReadError for what none reads, naming it."""
    said = media_type.split(";", 1)[0].strip().lower()
    if not body.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise ReadError("the document is empty; look at its address by hand")
    by_bytes = _by_first_bytes(body)
    if by_bytes:
        return by_bytes
    if said in _TYPES:
        return _TYPES[said]
    ending = urlsplit_path(address).rsplit(".", 1)[-1].lower()
    by_ending = _ENDINGS.get(ending)
    if by_ending in ("pdf", "docx") or said in ("application/pdf",):
        raise ReadError(
            f"this is called {said or ending} but is none: it is damaged or something else; fetch it anew"
        )
    if said in _UNTOLD and (by_ending or _looks_like_text(body)):
        return by_ending or "plain"
    raise ReadError(f"no reader for {said or 'this kind of file'}; {READABLE}")


def _by_first_bytes(body: bytes) -> Kind | None:
    start = body[:4_096].removeprefix(b"\xef\xbb\xbf")
    if b"%PDF-" in start[:1_024]:
        return "pdf"
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "docx"  # or another ZIP file: its reader looks inside
    for magic, name in _MAGIC:
        if start.startswith(magic):
            raise ReadError(f"this is {name}; {READABLE}")
    if start[:4] == b"RIFF" or start[4:12] in (b"ftypavif", b"ftypheic", b"ftypmp42", b"ftypisom"):
        raise ReadError(f"this is a picture, sound or film; {READABLE}")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start.replace(b"\0", b"")[2:]
    if _HTML.match(start):
        return "html"
    if start.lstrip().startswith(b"<?xml"):
        if _XHTML.search(start):
            return "html"
        raise ReadError(f"this is XML data, no page; feeds and sitemaps are watched, not read; {READABLE}")
    return None


def urlsplit_path(address: str) -> str:
    """The path of an address, or nothing where it is none."""
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


def _looks_like_text(body: bytes) -> bool:
    """Could this be a text in some character set? NUL and other controls do not occur in one."""
    start = body[:65_536]
    return sum(byte < 32 and byte not in (9, 10, 12, 13, 27) for byte in start) * 1_000 < len(start)
