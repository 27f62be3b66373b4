"""PDF: its text page by page, by PDFium; pages that are pictures are named."""

from __future__ import annotations

import ctypes
import re
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from mercwatch.capture.readers import named
from mercwatch.capture.readers.plain import TOO_MANY, bounded, one_kind_of_line_end, one_line, paragraphs
from mercwatch.capture.readers.wire import MAX_PIECES
from mercwatch.capture.reading import Piece, ReadError, Reading

MAX_PAGES = 5_000
_BETWEEN = "\n\f"
# PDFium's signs for a hyphen at a line's end, which is part of no word.
_HYPHENS = re.compile("[\x02\ufffe]\r?\n?")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_DAY = re.compile(r"D?:?(\d{4})(\d\d)(\d\d)")


def read(body: bytes) -> Reading:
    """A PDF's text; pages are parted by a form feed. Raises ReadError where it is locked or broken."""
    try:
        document = pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        raise ReadError(_why(error)) from None
    count = len(document)
    texts: list[str] = []
    scanned: list[int] = []
    broken: list[int] = []
    for number in range(min(count, MAX_PAGES)):
        text, is_picture = _page(document, number)
        texts.append(text or "")
        if text is None:
            broken.append(number + 1)
        elif is_picture:
            scanned.append(number + 1)
    if not texts or len(broken) == len(texts):
        raise ReadError(
            "the PDF is broken: none of its pages can be read; fetch it anew, or open and save it again"
        )
    pieces = _pieces(texts)
    return Reading(
        reader=named("pdf"),
        text=_BETWEEN.join(texts),
        title=one_line(_UNSEEN.sub("", str(document.get_metadata_value("Title") or ""))),
        language=_language(document),
        pieces=pieces,
        pages=count,
        scanned=tuple(scanned),
        notes=_notes(document, count, scanned, broken, len(pieces)),
    )


def _why(error: Any) -> str:
    if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD:
        return "the PDF is locked by a password; hand in a copy that opens without one"
    if getattr(error, "err_code", None) == pdfium.FPDF_ERR_SECURITY:
        return "the PDF is locked in a way that we cannot open; hand in a copy that opens without a password"
    return "the PDF is broken; fetch it anew, or open and save it again"


def _page(document: Any, number: int) -> tuple[str | None, bool]:
    """A page's text, and whether it is a picture instead; no text where the page is broken."""
    try:
        page = document[number]
        textpage = page.get_textpage()
        text = textpage.get_text_range() if textpage.count_chars() else ""
        textpage.close()
        text = _clean(text)
        is_picture = not text.strip() and _has_picture(page)
        page.close()
    except (pypdfium2.PdfiumError, ValueError):
        return None, False
    return text, is_picture


def _clean(text: str) -> str:
    text = _HYPHENS.sub("", text)
    text = _UNSEEN.sub("", one_kind_of_line_end(text))
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def _has_picture(page: Any) -> bool:
    kinds = (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING)
    return next(iter(page.get_objects(filter=kinds, max_depth=3)), None) is not None


def _pieces(texts: list[str]) -> tuple[Piece, ...]:
    """The pieces of all pages."""
    found: list[Piece] = []
    at = 0
    for number, text in enumerate(texts, start=1):
        found.extend(paragraphs(text, at, number))
        at += len(text.encode()) + len(_BETWEEN)
    return bounded(iter(found))


def _language(document: Any) -> str:
    """The language that the whole document says it is in."""
    size = pdfium.FPDFCatalog_GetLanguage(document.raw, None, 0)
    if not 2 < size <= 64:
        return ""
    taken = ctypes.create_string_buffer(size)
    pdfium.FPDFCatalog_GetLanguage(document.raw, ctypes.cast(taken, ctypes.POINTER(ctypes.c_ushort)), size)
    said = re.match(r"([a-zA-Z]{2})(?:[-_]|\0|$)", taken.raw.decode("utf-16-le", "replace"))
    return said.group(1).lower() if said else ""


def _notes(document: Any, count: int, scanned: list[int], broken: list[int], pieces: int) -> tuple[str, ...]:
    notes = []
    if scanned:
        notes.append(f"{_pages(scanned)} without text: pictures; read them by hand")
    if broken:
        notes.append(f"{_pages(broken)} broken: not read")
    if count > MAX_PAGES:
        notes.append(f"it says it has {count:,} pages: the first {MAX_PAGES:,} were read")
    made = _DAY.match(str(document.get_metadata_value("CreationDate") or ""))
    if made:
        notes.append(f"the file says that it was made on {'-'.join(made.groups())}")
    if pieces == MAX_PIECES:
        notes.append(TOO_MANY)
    return tuple(notes)


def _pages(numbers: list[int]) -> str:
    """Numbers of pages, in runs: `pages 1, 3-9`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    words = [str(first) if first == last else f"{first}-{last}" for first, last in runs]
    more = f" and {len(words) - 40} more" if len(words) > 40 else ""
    return f"{'page' if len(numbers) == 1 else 'pages'} {', '.join(words[:40])}{more}"
