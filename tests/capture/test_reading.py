"""What readers make of documents: text, pieces that can be cited, and what a document says of itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture.documents import (
    DAY,
    HERE,
    PICTURE,
    document_xml,
    docx,
    page,
    paragraph,
    pdf,
    rss,
    sentences,
    sitemap,
)
from mercwatch.capture.readers import instead_of_document, versions
from mercwatch.capture.reading import ReadError, Reading
from mercwatch.capture.sandbox import Sandbox

LAW = """---
title: "Act on the export of intrusion tools"
language: "en"
publication_date: "2024-05-06"
---

# Act on the export of intrusion tools

Made in the year 2024.

## Chapter 1

Article 1. Nobody exports a tool without a licence.

Article 2. The minister grants the licence.
(1) He asks the court first.

## Chapter 2

Article 3. This Act enters into force at once.
"""
BOOK_PAGE = page(
    sentences(6)
    + "<ul><li>first of the list</li><li>second of the list</li></ul>"
    + "<table><tr><td>Firm</td><td>Licence</td></tr><tr><td>Acme</td><td>withdrawn</td></tr></table>",
    head='<meta property="article:published_time" content="2026-02-03T10:00:00Z">',
)
DOCUMENTS: dict[str, tuple[bytes, str]] = {
    "html": (BOOK_PAGE, "text/html; charset=utf-8"),
    "pdf": (
        pdf([["Order 1.", "It stands."], PICTURE, ["(a) one", "(b) two"]], title="Order"),
        "application/pdf",
    ),
    "docx": (
        docx(document_xml(paragraph("Order é 1.") + paragraph("It stands."))),
        "application/octet-stream",
    ),
    "lawbook": (LAW.encode(), "text/markdown"),
    "plain": ("First paragraph,\non two lines.\n\nSecond: naïve.\n".encode(), "text/plain"),
    "without a main part": (
        page("<p>On 3 March the licence was revoked, and nobody appealed.</p>" * 30),
        "text/html",
    ),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The readers behind their walls."""
    with Sandbox() as readers:
        yield readers


def _read(sandbox: Sandbox, body: bytes, media_type: str = "text/html", address: str = HERE) -> Reading:
    return sandbox.read(body, media_type, address, DAY)


def _words(reading: Reading) -> list[str]:
    data = reading.text.encode()
    return [data[piece.start : piece.end].decode() for piece in reading.pieces]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_pieces_follow_each_other_and_leave_out_nothing_but_space(sandbox: Sandbox, name: str) -> None:
    reading = _read(sandbox, *DOCUMENTS[name])
    data = reading.text.encode()
    at = 0
    assert reading.pieces
    for piece in reading.pieces:
        assert not data[at : piece.start].decode().strip()
        words = data[piece.start : piece.end].decode()
        assert words and words == words.strip()
        at = piece.end
    assert not data[at:].decode().strip()


def test_the_same_bytes_give_the_same_reading_in_every_process(sandbox: Sandbox) -> None:
    here = {name: _read(sandbox, *given).model_dump_json() for name, given in DOCUMENTS.items()}
    assert here == {name: _read(sandbox, *given).model_dump_json() for name, given in DOCUMENTS.items()}
    there = subprocess.run(
        [
            sys.executable,
            "-c",
            "import hashlib, json, sys; sys.path[:0] = json.loads(sys.argv[1]);"
            "from capture.test_reading import DAY, DOCUMENTS, HERE; from mercwatch.capture.readers import jobs;"
            "print(json.dumps({name: jobs.read(*given, HERE, DAY).model_dump_json() for name, given in "
            "DOCUMENTS.items()}))",
            json.dumps([str(Path(__file__).parent.parent), *sys.path]),
        ],
        env={**os.environ, "PYTHONHASHSEED": "4711", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(there.stdout) == here


def test_a_page_is_its_main_text_with_lists_and_tables(sandbox: Sandbox) -> None:
    words = _words(_read(sandbox, BOOK_PAGE))
    assert words[1].startswith("By order 1 of the ministry the licence of firm 1")
    assert words[-4:] == [
        "- first of the list",
        "- second of the list",
        "| Firm | Licence |",
        "| Acme | withdrawn |",
    ]
    assert not any("All acts" in part or "Imprint" in part for part in words)


def test_a_page_tells_its_title_day_and_language(sandbox: Sandbox) -> None:
    reading = _read(sandbox, BOOK_PAGE)
    assert (reading.title, reading.published, reading.language) == ("Order 7 on licences", "2026-02-03", "en")


def test_a_title_cannot_turn_its_writing_round(sandbox: Sandbox) -> None:
    body = page(sentences(3)).replace(b"Order 7 on licences", "Order\u202e7\x07 on".encode())
    assert _read(sandbox, body).title == "Order 7 on"


def test_a_day_that_the_text_only_speaks_of_is_not_the_day_of_its_publication(sandbox: Sandbox) -> None:
    body = (
        sentences(3) + "<p>The Joint Statement was made on 30 March 2023.</p><p>Last updated: 03/03/2021</p>"
    )
    reading = sandbox.read(
        page(body, lang=""), "text/html", "https://gazette.example/2020/05/06/", "2026-08-01"
    )
    assert reading.published == ""


@pytest.mark.parametrize(
    ("head", "day"),
    [
        ('<meta name="dcterms.issued" content="2021-03-03">', "2021-03-03"),
        ('<meta name="date" content="2021-03-03T10:00:00Z">', "2021-03-03"),
    ],
)
def test_a_page_says_itself_when_it_was_published(sandbox: Sandbox, head: str, day: str) -> None:
    assert (
        sandbox.read(
            page(sentences(3), head=head), "text/html", "https://gazette.example/7", "2026-08-01"
        ).published
        == day
    )


@pytest.mark.parametrize(
    ("head", "day"),
    [
        ('<meta name="citation_date" content="2021/03">', ""),
        ('<meta name="date" content="March 2021">', ""),
        ('<meta name="date" content="1 March 2021">', "2021-03-01"),
        ('<script type="application/ld+json">{"datePublished":"2021-03-03"}</script>', "2021-03-03"),
        ('<meta property="article:modified_time" content="2021-03-03">', ""),
    ],
)
def test_a_month_is_no_day_and_today_is_never_added(sandbox: Sandbox, head: str, day: str) -> None:
    reading = sandbox.read(
        page(sentences(3), head=head, lang=""), "text/html", "https://gazette.example/7", "2026-08-01"
    )
    assert reading.published == day


def test_a_page_is_not_published_after_the_day_it_was_fetched(sandbox: Sandbox) -> None:
    late = page(sentences(3), head='<meta property="article:published_time" content="2026-08-09">', lang="")
    reading = _read(sandbox, late)
    assert (reading.published, reading.language) == ("", "")


def test_links_of_the_main_part_are_absolute_and_come_once(sandbox: Sandbox) -> None:
    main = (
        '<p><a href="two#part">Act 2</a> <a href="two">again</a> <a href="https://other.example/3">Act 3</a>'
        '<a href="mailto:a@b.example">mail</a> <a href="javascript:x()">script</a> <a href="#top">top</a></p>'
    )
    reading = _read(sandbox, page(sentences(2) + main))
    assert [(link.address, link.words) for link in reading.links] == [
        ("https://gazette.example/acts/two", "Act 2"),
        ("https://other.example/3", "Act 3"),
    ]


def test_where_a_page_has_only_navigation_its_links_are_told(sandbox: Sandbox) -> None:
    links = _read(sandbox, page("")).links
    assert [link.words for link in links] == ["Home", "All acts", "Imprint"]


@pytest.mark.parametrize(
    "block",
    [
        '<div id="onetrust-banner">We value your privacy at 12:01</div>',
        '<div class="cookie-notice large">Accept our biscuits</div>',
        '<section class="top advertisement">Buy a boat</section>',
        '<span class="current-time">12:03:04</span>',
    ],
)
def test_consent_boxes_adverts_and_clocks_do_not_change_a_page(sandbox: Sandbox, block: str) -> None:
    plain = page(sentences(5))
    assert _read(sandbox, page(sentences(5), around=block)).text == _read(sandbox, plain).text
    assert _read(sandbox, page(sentences(5) + block)).text == _read(sandbox, plain).text


def test_a_page_that_is_about_cookies_is_still_read(sandbox: Sandbox) -> None:
    reading = _read(sandbox, page(f'<div class="cookie-policy">{sentences(5)}</div>'))
    assert "By order 5" in reading.text


def test_where_the_main_part_cannot_be_told_all_text_is_taken_and_it_is_said(sandbox: Sandbox) -> None:
    reading = _read(sandbox, *DOCUMENTS["without a main part"])
    assert reading.text.count("the licence was revoked") == 30
    assert any("could not be told" in note for note in reading.notes)


def test_a_page_that_shows_its_text_by_script_says_so(sandbox: Sandbox) -> None:
    reading = _read(sandbox, b"<html><body><div id=app></div><script>start()</script></body></html>")
    assert reading.text == "" and reading.pieces == ()
    assert any("by script only" in note for note in reading.notes)


def test_a_login_page_and_a_page_that_says_it_is_gone_are_told(sandbox: Sandbox) -> None:
    login = page('<form>Your name <input name="n"> <input type="PassWord" name="p"></form>')
    gone = page("<h1>Seite nicht gefunden</h1><p>Leider.</p>")
    assert instead_of_document(_read(sandbox, login)) == "login"
    assert instead_of_document(_read(sandbox, gone)) == "not-found"
    assert instead_of_document(_read(sandbox, BOOK_PAGE)) is None


@pytest.mark.parametrize(
    ("charset", "media_type", "meta"),
    [
        ("cp1251", "text/html; charset=windows-1251", ""),
        ("cp1251", "text/html", '<meta charset="windows-1251">'),
        ("utf-8", "text/html; charset=iso-8859-1", ""),
        ("utf-16", "text/html", ""),
        ("utf-8-sig", "text/html; charset=koi8-r", ""),
    ],
)
def test_a_page_is_read_in_its_character_set(
    sandbox: Sandbox, charset: str, media_type: str, meta: str
) -> None:
    body = f"<html><head><title>Закон</title>{meta}</head><body><p>Статья первая закона о связи.</p></body></html>"
    reading = _read(sandbox, body.encode(charset), media_type)
    assert "Статья первая" in reading.text
    assert reading.title == "Закон"


def test_iso_2022_jp_is_not_taken_for_utf_8(sandbox: Sandbox) -> None:
    body = "<html><head><title>法律</title></head><body><p>第一条 目的</p></body></html>".encode("iso2022-jp")
    assert "第一条" in _read(sandbox, body, "text/html; charset=iso-2022-jp").text


def test_a_text_without_a_known_character_set_says_how_it_was_read(sandbox: Sandbox) -> None:
    reading = _read(sandbox, "Straße".encode("cp1252"), "text/plain")
    assert reading.text == "Straße"
    assert any("windows-1252" in note for note in reading.notes)


def test_a_pdf_has_pages_and_a_piece_knows_its_page(sandbox: Sandbox) -> None:
    reading = _read(
        sandbox, pdf([["Order 1."], ["Order 2.", "", "(a) stands"]], title="Orders é"), "text/html"
    )
    assert reading.pages == 2
    assert [(piece.page, words) for piece, words in zip(reading.pieces, _words(reading), strict=True)] == [
        (1, "Order 1."),
        (2, "Order 2."),
        (2, "(a) stands"),
    ]
    assert (reading.title, reading.language, reading.text) == (
        "Orders é",
        "en",
        "Order 1.\n\fOrder 2.\n(a) stands",
    )


def test_a_word_parted_at_the_end_of_a_line_is_one_word(sandbox: Sandbox) -> None:
    assert "surveillance tools" in _read(sandbox, pdf([["Of the surveil-", "lance tools."]])).text


def test_a_pdf_without_text_says_which_pages_are_scanned(sandbox: Sandbox) -> None:
    reading = _read(sandbox, pdf([PICTURE, ["Order 2."], PICTURE, PICTURE, []]))
    assert reading.scanned == (1, 3, 4)
    assert any(note.startswith("pages 1, 3-4 without text") for note in reading.notes)


def test_a_docx_is_read_in_its_order_with_tables_insertions_and_without_deletions(sandbox: Sandbox) -> None:
    inside = (
        paragraph("First.")
        + f"<w:tbl><w:tr><w:tc>{paragraph('Left')}</w:tc><w:tc>{paragraph('Right')}</w:tc></w:tr></w:tbl>"
        + "<w:p><w:r><w:t>Not </w:t></w:r><w:ins><w:r><w:t>added</w:t></w:r></w:ins>"
        + "<w:del><w:r><w:delText>taken away</w:delText></w:r></w:del></w:p>"
    )
    reading = _read(sandbox, docx(document_xml(inside)), "application/zip")
    assert _words(reading) == ["First.", "Left", "Right", "Not added"]
    assert reading.title == "First."


def test_the_pieces_of_a_law_book_are_its_articles(sandbox: Sandbox) -> None:
    reading = _read(sandbox, *DOCUMENTS["lawbook"])
    articles = {piece.label: words for piece, words in zip(reading.pieces, _words(reading), strict=True)}
    assert (
        articles["Article 2"] == "Article 2. The minister grants the licence.\n(1) He asks the court first."
    )
    assert list(articles)[1:] == ["Article 1", "Article 2", "Article 3"]
    assert reading.title == "Act on the export of intrusion tools"
    assert (reading.published, reading.language) == ("2024-05-06", "en")
    assert reading.text == LAW


def test_paragraphs_of_plain_text_end_at_empty_lines(sandbox: Sandbox) -> None:
    assert _words(_read(sandbox, *DOCUMENTS["plain"])) == [
        "First paragraph,\non two lines.",
        "Second: naïve.",
    ]


@pytest.mark.parametrize(
    ("body", "media_type", "address", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png", HERE, "a picture (PNG)"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99),
            "application/msword",
            HERE,
            "save it as DOCX or PDF",
        ),
        (b"{\\rtf1 a}", "text/plain", HERE, "an RTF file"),
        (b"{}", "application/json", HERE, "no reader for application/json"),
        (rss(""), "text/html", HERE, "XML data"),
        (b"no pdf at all", "application/pdf", HERE, "is called application/pdf but is none"),
        (b"\0\1\2\3" * 99, "", HERE, "no reader for this kind of file"),
        (b" \n ", "text/html", HERE, "is empty"),
    ],
)
def test_what_no_reader_reads_is_named(
    sandbox: Sandbox, body: bytes, media_type: str, address: str, expected: str
) -> None:
    with pytest.raises(ReadError) as refused:
        _read(sandbox, body, media_type, address)
    assert expected in str(refused.value)


def test_a_file_without_a_type_is_read_by_its_name_or_its_look(sandbox: Sandbox) -> None:
    assert _read(sandbox, b"Order 1.", "", "https://gazette.example/a.txt").reader == "plain 1"
    assert _read(sandbox, b"Order 1.", "application/octet-stream").reader == "plain 1"
    assert _read(sandbox, b"<p>Order 1.</p>", "").reader.startswith("html 1")


def test_readers_are_named_with_their_libraries_without_loading_them(sandbox: Sandbox) -> None:
    code = (
        "import sys; from mercwatch.capture.readers import versions; print(versions()); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"trafilatura", "pypdfium2", "docx", "lxml"} & set(done.stdout.split())
    for name, given in DOCUMENTS.items():
        if name in versions():
            assert _read(sandbox, *given).reader == versions()[name]


ATOM = (
    b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://gazette.example/base/">'
    b'<title>Acts</title><entry><title>Act &amp; 1</title><link href="act-1"/><updated>2026-01-02T03:04:05Z'
    b"</updated></entry><entry><title>No link</title></entry></feed>"
)
RDF = (
    b'<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    b'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>A</title></channel>'
    b"<item><title>Act 1</title><link>https://gazette.example/act-1</link><dc:date>2026-01-02</dc:date></item></rdf:RDF>"
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            rss(
                "<item><title>Act 1</title><link>/act-1#top</link><pubDate>Fri, 02 Jan 2026 10:00:00 GMT</pubDate>"
                "</item><item><title>mail</title><link>mailto:a@b.example</link></item>"
            ),
            [("https://gazette.example/act-1", "Act 1", "2026-01-02")],
        ),
        (ATOM, [("https://gazette.example/base/act-1", "Act & 1", "2026-01-02")]),
        (RDF, [("https://gazette.example/act-1", "Act 1", "2026-01-02")]),
        (
            rss("<item><title>A & B&nbsp;C</title><link>/a</link></item>"),
            [("https://gazette.example/a", "A & B C", "")],
        ),
    ],
)
def test_feeds_list_their_documents(
    sandbox: Sandbox, body: bytes, expected: list[tuple[str, str, str]]
) -> None:
    listing = sandbox.listing(body, HERE)
    assert listing.kind == "feed"
    assert [(item.address, item.title, item.dated) for item in listing.items] == expected


def test_sitemaps_list_pages_and_point_to_further_sitemaps(sandbox: Sandbox) -> None:
    one = sitemap(
        "<url><loc> https://gazette.example/1 </loc><lastmod>2026-01-02T03:04:05Z</lastmod></url>"
        "<url><lastmod>2026-01-03</lastmod></url><url><loc>ftp://gazette.example/2</loc></url>"
    )
    listing = sandbox.listing(one, HERE)
    assert [(item.address, item.dated) for item in listing.items] == [
        ("https://gazette.example/1", "2026-01-02")
    ]
    index = sitemap("<sitemap><loc>https://gazette.example/b.xml.gz</loc></sitemap>", "sitemapindex")
    assert sandbox.listing(index, HERE).more == ("https://gazette.example/b.xml.gz",)
