"""Documents made on the spot: honest ones, and ones made to break whoever reads them."""

from __future__ import annotations

import io
import zipfile
import zlib

DAY = "2026-03-05"
HERE = "https://gazette.example/acts/7"


def sentences(count: int) -> str:
    """So many paragraphs of HTML, no two of them the same."""
    return "".join(
        f"<p>By order {number} of the ministry the licence of firm {number} to sell intrusion software is withdrawn, "
        f"and its appeal number {number * 7} was dismissed by the court.</p>"
        for number in range(1, count + 1)
    )


def page(main: str, *, head: str = "", around: str = "", lang: str = "en-GB") -> bytes:
    """A page with a title, navigation, a main part and a footer."""
    return (
        f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>Order 7 on licences</title>{head}</head>'
        f'<body><nav><a href="/home">Home</a> <a href="/acts">All acts</a></nav>{around}<main><h1>Order 7</h1>{main}'
        '</main><footer><a href="/imprint">Imprint</a></footer></body></html>'
    ).encode()


def pdf_of(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is its catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        start,
    )
    return bytes(out)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """An object that is a stream."""
    return b"<</Length %d%b>>\nstream\n%b\nendstream" % (len(content), entries, content)


def _shown(lines: list[str]) -> bytes:
    words = b"".join(b"(%b) Tj T* " % line.encode("cp1252") for line in lines)
    return b"BT /F1 11 Tf 14 TL 50 780 Td " + words + b"ET"


PICTURE = "a picture"


def pdf(pages: list[list[str] | str], title: str = "", trailer: bytes = b"", catalogue: bytes = b"") -> bytes:
    """A PDF with these lines on each page, or PICTURE for a scanned page."""
    first = 6
    kids = b" ".join(b"%d 0 R" % (first + 2 * at) for at in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/Lang(en-GB)%b>>" % catalogue,
        b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, len(pages)),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        stream(
            b"\x80", b"/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray"
        ),
        b"<</Title(%b)/CreationDate(D:20240301120000Z)>>" % title.encode("cp1252"),
    ]
    for at, lines in enumerate(pages):
        content = b"q 500 0 0 700 50 50 cm /Im1 Do Q" if isinstance(lines, str) else _shown(lines)
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R>>/XObject<</Im1 4 0 R>>>>>>" % (first + 2 * at + 1)
        )
        objects.append(stream(content))
    return pdf_of(objects, b"/Info 5 0 R" + trailer)


_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def paragraph(words: str) -> str:
    """A paragraph of WordprocessingML."""
    return f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>"


def document_xml(inside: str, before: str = "") -> str:
    """The main part of a DOCX file."""
    return f'<?xml version="1.0"?>{before}<w:document xmlns:w="{WORD}"><w:body>{inside}</w:body></w:document>'


def docx(xml: str | None, more: dict[str, bytes] | None = None, pressed: bool = True) -> bytes:
    """A DOCX file with this main part, and with further members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED if pressed else zipfile.ZIP_STORED) as members:
        members.writestr("[Content_Types].xml", _TYPES)
        members.writestr("_rels/.rels", _RELS)
        if xml is not None:
            members.writestr("word/document.xml", xml)
        for name, content in (more or {}).items():
            members.writestr(f"word/{name}", content)
    return packed.getvalue()


def zip_of(name: str, content: bytes) -> bytes:
    """A ZIP file with one member."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr(name, content)
    return packed.getvalue()


def laughs(outer: str, inner: str) -> bytes:
    """XML whose entities, nine levels of them, would unfold to a billion letters."""
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 10)
    )
    return f'<?xml version="1.0"?><!DOCTYPE {outer} [{entities}]>{inner}'.encode()


def bomb_pdf(megabytes: int) -> bytes:
    """A PDF whose page's content is packed twice and unpacks to so many megabytes."""
    packer = zlib.compressobj(9)
    first = packer.compress(b"q " * (1 << 19)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(b"q " * (1 << 19)) + packer.flush(zlib.Z_FULL_FLUSH)
    once = first + again * (megabytes - 1) + packer.flush()
    content = stream(zlib.compress(once, 9), b"/Filter[/FlateDecode/FlateDecode]")
    return pdf_of(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
            content,
        ]
    )


def rss(items: str, before: str = "") -> bytes:
    """An RSS 2.0 feed."""
    return f'<?xml version="1.0"?>{before}<rss version="2.0"><channel><title>Acts</title>{items}</channel></rss>'.encode()


def sitemap(inside: str, root: str = "urlset") -> bytes:
    """A sitemap, or with root `sitemapindex` a list of sitemaps."""
    return (
        f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{inside}</{root}>'
    ).encode()
