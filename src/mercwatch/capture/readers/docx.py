"""DOCX: paragraphs and table cells in their order, after a look at the ZIP file that they come in."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import OpcError
from lxml import etree

from mercwatch.capture.readers import named
from mercwatch.capture.readers.plain import TOO_MANY, each_line, one_line, title_from
from mercwatch.capture.readers.wire import MAX_PIECES
from mercwatch.capture.reading import ReadError, Reading

MAX_MEMBERS = 5_000
MAX_UNPACKED = 256 * 2**20
MAX_RATIO = 200
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)|<\0!\0D\0O\0C\0T\0Y\0P\0E|\0<\0!\0D\0O\0C\0T\0Y\0P\0E")
_BROKEN = "the DOCX file is broken; open it and save it again"


def read(body: bytes) -> Reading:
    """A DOCX file's text, a line for each paragraph; raises ReadError for other, broken, huge files."""
    _look_inside(body)
    try:
        document = docx.Document(io.BytesIO(body))
        text = "\n".join(_paragraphs(document.element.body))
        title, language = _said_of_itself(document)
        footnotes = any("footnotes" in str(rel.reltype) for rel in document.part.rels.values())
    except (
        OpcError,
        KeyError,
        ValueError,
        AttributeError,
        TypeError,
        etree.LxmlError,
        zipfile.BadZipFile,
        OSError,
    ):
        raise ReadError(_BROKEN) from None
    pieces = each_line(text)
    said = re.match(r"([a-zA-Z]{2})(?:[-_]|$)", language)
    return Reading(
        reader=named("docx"),
        text=text,
        title=one_line(title) or title_from(text),
        language=said.group(1).lower() if said else "",
        pieces=pieces,
        notes=(
            *(["its footnotes were not read"] if footnotes else []),
            *([TOO_MANY] if len(pieces) == MAX_PIECES else []),
        ),
    )


def _said_of_itself(document: Any) -> tuple[str, str]:
    """The file's own title and language, empty where it says none: the library would invent some."""
    kinds = {rel.reltype for rel in document.part.package.rels.values()}
    if RELATIONSHIP_TYPE.CORE_PROPERTIES not in kinds:
        return "", ""
    return document.core_properties.title or "", document.core_properties.language or ""


def _look_inside(body: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            members = packed.infolist()
            _check_size(members, len(body))
            names = {member.filename for member in members}
            if "[Content_Types].xml" not in names or not any(name.startswith("word/") for name in names):
                raise ReadError("this is a ZIP file that is no DOCX; unpack it and hand in what is inside")
            if any(member.flag_bits & 1 for member in members):
                raise ReadError(
                    "the DOCX file is locked by a password; hand in a copy that opens without one"
                )
            for member in members:
                if member.filename.endswith((".xml", ".rels")) and _DECLARES.search(packed.read(member)):
                    raise ReadError(
                        "the DOCX file declares entities, which no honest one does; open it by hand"
                    )
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError, EOFError):
        raise ReadError(_BROKEN) from None


def _check_size(members: list[zipfile.ZipInfo], size: int) -> None:
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED or unpacked > 2**20 + MAX_RATIO * size:
        raise ReadError(
            f"the file unpacks to {unpacked:,} bytes in {len(members):,} parts, too much for a document; "
            "open it by hand"
        )


def _paragraphs(body: Any) -> Iterator[str]:
    """The text of each paragraph, also of those in tables and text boxes, once each."""
    for paragraph in body.iter(f"{_W}p"):
        if next(paragraph.iterancestors(_FALLBACK), None) is None:
            yield from "".join(_words(paragraph)).translate({0x2028: "\n"}).split("\n")


def _words(paragraph: Any) -> Iterator[str]:
    for element in paragraph.iter():
        if element.tag == f"{_W}t" or element.tag in _SIGNS:
            owner = next(element.iterancestors(f"{_W}p"), None)
            if owner is paragraph:
                yield element.text or "" if element.tag == f"{_W}t" else _SIGNS[element.tag]
