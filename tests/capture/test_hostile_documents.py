"""Documents made to break their reader cost themselves, and nothing else."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capture.documents import (
    DAY,
    HERE,
    PICTURE,
    bomb_pdf,
    document_xml,
    docx,
    laughs,
    page,
    paragraph,
    pdf,
    pdf_of,
    rss,
    sentences,
    sitemap,
    stream,
    zip_of,
)
from mercwatch.capture.reading import ReadError, Reading
from mercwatch.capture.sandbox import Bounds, Sandbox

TIGHT = Bounds(memory=600 << 20, cpu=2, wall=60.0, output=16 << 20)
MOST_MORE = 250 << 20
"""Bytes that this process may grow by while the worst answers come in."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The readers, with bounds that are soon reached."""
    with Sandbox(TIGHT) as readers:
        yield readers


@pytest.fixture(scope="module")
def taken_over() -> Iterator[Sandbox]:
    """A reader that does what its document says."""
    with Sandbox(
        Bounds(memory=300 << 20, cpu=1, wall=60.0, output=16 << 20), "capture.misbehaving"
    ) as readers:
        yield readers


def _read(sandbox: Sandbox, body: bytes, media_type: str = "") -> Reading:
    return sandbox.read(body, media_type, HERE, DAY)


def _pages(kids: bytes, *more: bytes) -> bytes:
    return pdf_of([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%b]/Count 1>>" % kids, *more])


def _form_in_itself() -> bytes:
    resources = b"/Resources<</XObject<</A 5 0 R>>>>"
    return _pages(
        b"3 0 R",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R%b>>" % resources,
        stream(b"/A Do"),
        stream(b"/A Do /A Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]" + resources),
    )


def _attributes(count: int) -> str:
    return "<p " + " ".join(f"a{number}=1" for number in range(count)) + ">Order 1.</p>"


LOCKED = (
    b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<" + b"ab" * 32 + b">/U<" + b"cd" * 32 + b">>>/ID[<00><00>]"
)
UTF16_BOMB = laughs("html", "<w:p/>").decode().replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16")

READ_ALL_THE_SAME: dict[str, tuple[Callable[[], bytes], str]] = {
    "HTML nested 100,000 deep": (lambda: ("<html><div>" * 100_000 + "Order 1.").encode("ascii"), "Order 1."),
    "HTML of inline tags nested deep": (
        lambda: ("<html>" + "<b><i>" * 9_000 + "Order 1.").encode("ascii"),
        "Order 1.",
    ),
    "lists and terms nested deep": (
        lambda: ("<html>" + "<dd><li><dt>" * 5_000 + "Order 1.").encode("ascii"),
        "Order 1.",
    ),
    "a tag with a million attributes": (
        lambda: f"<html>{_attributes(1_000_000)}".encode("ascii"),
        "Order 1.",
    ),
    "many tags with many attributes": (
        lambda: f"<html>{_attributes(1_500) * 60}".encode("ascii"),
        "Order 1.",
    ),
    "a page of tags alone": (lambda: b"<html>" + b"<br><hr>" * 65_000 + b"Order 1.", "Order 1."),
    "tags that never end": (lambda: b"<html><p>Order 1.</p>" + b"<a href='" * 100_000, "Order 1."),
    "comments that never end": (lambda: b"<html><p>Order 1.</p>" + b"<!--" * 100_000, "Order 1."),
    "NUL bytes in the text": (lambda: page(sentences(5)).replace(b"ministry", b"mini\0stry"), "ministry"),
    "bytes that are no UTF-8": (
        lambda: page(sentences(5)).replace(b"order 2", b"order \xff\xc0 2"),
        "By order 1",
    ),
    "a page that calls itself UTF-16": (
        lambda: page(sentences(5)).replace(b"utf-8", b"utf-16"),
        "By order 5",
    ),
    "a page that calls itself rot13": (lambda: page(sentences(5)).replace(b"utf-8", b"rot13"), "By order 5"),
    "letters that turn the line round": (
        lambda: page(sentences(5) + "<p>\u202eevil\u202c</p>"),
        "By order 5",
    ),
    "XHTML with a bomb of entities": (
        lambda: laughs("html", f"<html><body>{sentences(3)}<p>&a9;</p></body></html>"),
        "By order 3",
    ),
    "a data address of a megabyte": (
        lambda: page(f'<img src="data:image/png;base64,{"A" * 1_000_000}">{sentences(3)}'),
        "By order 3",
    ),
    "thousands of document types": (
        lambda: b"<!DOCTYPE html [" * 50_000 + b"<html><p>Order 1.</p>",
        "Order 1.",
    ),
    "a base that is no address": (lambda: page(sentences(3), head='<base href="http://[">'), "By order 3"),
    "a PDF without its table": (lambda: pdf([["Order 1."]]).replace(b"xref", b"xxxx"), "Order 1."),
    "a PDF that claims 2,000,000,000 pages": (
        lambda: pdf([["Order 1."]]).replace(b"/Count 1", b"/Count 2000000000"),
        "Order 1.",
    ),
    "a PDF with JavaScript": (
        lambda: pdf([["Order 1."]], catalogue=b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>"),
        "Order 1.",
    ),
    "a PDF that starts a program": (
        lambda: pdf([["Order 1."]], catalogue=b"/OpenAction<</S/Launch/F(/bin/sh)>>"),
        "Order 1.",
    ),
}


@pytest.mark.parametrize("name", READ_ALL_THE_SAME)
def test_is_read_all_the_same(sandbox: Sandbox, name: str) -> None:
    make, expected = READ_ALL_THE_SAME[name]
    reading = _read(sandbox, make(), "" if make()[:4] == b"%PDF" else "text/html")
    assert expected in reading.text
    assert len(reading.text) < 1_000_000


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a PDF cut short": (lambda: pdf([["Order 1."]])[:250], "the PDF is broken"),
    "a PDF of noise": (lambda: b"%PDF-1.7\n" + bytes(range(256)) * 100, "the PDF is broken"),
    "a PDF locked by a password": (lambda: pdf([["x"]], trailer=LOCKED), "locked by a password"),
    "a PDF whose pages hold themselves": (lambda: _pages(b"2 0 R 2 0 R"), "none of its pages"),
    "a PDF of arrays nested deep": (
        lambda: pdf_of([b"<</Type/Catalog/X " + b"[" * 200_000]),
        "the PDF is broken",
    ),
    "a PDF that draws itself twice over": (_form_in_itself, "the reader"),
    "a PDF that unpacks to two gigabytes": (lambda: bomb_pdf(700), "needs more than 600 MiB"),
    "a DOCX that unpacks to 30 MB": (
        lambda: docx(document_xml(paragraph("a")), {"big.xml": b"0" * (30 << 20)}),
        "too much for a document",
    ),
    "a DOCX of 6,000 parts": (
        lambda: docx(document_xml(""), {f"{number}.xml": b"" for number in range(6_000)}),
        "too much for a document",
    ),
    "a DOCX that asks for a file of ours": (
        lambda: docx(
            document_xml(paragraph("&x;"), '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>')
        ),
        "declares entities",
    ),
    "a DOCX with entities in UTF-16": (
        lambda: docx(document_xml(paragraph("a")), {"styles.xml": UTF16_BOMB}),
        "declares entities",
    ),
    "a DOCX without its document": (lambda: docx(None, {"a.xml": b"<a/>"}), "the DOCX file is broken"),
    "a DOCX that is no XML inside": (lambda: docx("<w:document"), "the DOCX file is broken"),
    "a DOCX of tables nested deep": (
        lambda: docx(
            document_xml("<w:tbl><w:tr><w:tc>" * 100_000 + "</w:tc></w:tr></w:tbl>" * 100_000), pressed=False
        ),
        "the DOCX file is broken",
    ),
    "a ZIP file that is no DOCX": (lambda: zip_of("a.txt", b"x"), "is no DOCX"),
    "a ZIP file cut short": (lambda: docx(document_xml(paragraph("a")))[:-30], "the DOCX file is broken"),
    "nothing but NUL bytes": (lambda: b"\0" * 1_000, "is empty"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_in_one_line_that_says_why(sandbox: Sandbox, name: str) -> None:
    make, expected = REFUSED[name]
    with pytest.raises(ReadError) as refused:
        _read(sandbox, make())
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


LISTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a feed of a billion laughs": (lambda: laughs("rss", "<rss><channel>&a9;</channel></rss>"), "entities"),
    "a sitemap of a billion laughs": (lambda: laughs("urlset", "<urlset>&a9;</urlset>"), "entities"),
    "a feed that asks for a file of ours": (
        lambda: rss(
            "<item><title>&x;</title></item>", '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        ),
        "entities",
    ),
    "a sitemap that unpacks to 80 MB": (lambda: gzip.compress(b" " * (1 << 20)) * 80, "unpacks to more than"),
    "a packed list cut short": (lambda: gzip.compress(sitemap(""))[:-9], "is packed, and broken"),
    "a page instead of a feed": (lambda: page(sentences(3)), "neither a feed"),
}


@pytest.mark.parametrize("name", LISTS)
def test_no_list_is_made_of(sandbox: Sandbox, name: str) -> None:
    make, expected = LISTS[name]
    with pytest.raises(ReadError, match=expected):
        sandbox.listing(make(), HERE)


def test_of_a_feed_with_a_million_items_the_first_are_listed(sandbox: Sandbox) -> None:
    items = "".join(f"<item><link>/{number}</link></item>" for number in range(1_200))
    listing = sandbox.listing(rss(items + "<item><link>/a</link></item>" * 1_000_000), HERE)
    assert len(listing.items) == 1_000
    assert listing.items[0].address == "https://gazette.example/0"


def test_of_a_feed_nested_deep_nothing_is_listed(sandbox: Sandbox) -> None:
    assert sandbox.listing(b"<rss>" + b"<channel>" * 2_000, HERE).items == ()


def test_a_sitemap_that_lists_itself_is_not_asked_again(sandbox: Sandbox) -> None:
    inside = f"<sitemap><loc>{HERE}</loc></sitemap><sitemap><loc>{HERE}#a</loc></sitemap>"
    assert sandbox.listing(sitemap(inside, "sitemapindex"), HERE).more == ()


@pytest.mark.parametrize(
    "deed",
    [
        "opens a socket",
        "opens a local socket",
        "looks up a host",
        "reads a file",
        "reads its memory map",
        "lists a folder",
        "writes a file",
        "removes a file",
        "starts a program",
        "forks",
        "starts a thread",
        "signals its parent",
        "raises its limits",
    ],
)
def test_a_reader_that_is_taken_over_cannot_do_more_than_read(taken_over: Sandbox, deed: str) -> None:
    assert _read(taken_over, deed.encode()).text in ("PermissionError", "RuntimeError", "gaierror")


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        ("ends with a fault", "broke down on this document (SIGSEGV)"),
        ("ends without a word", "broke down on this document"),
        ("works for ever", "stopped after 1 s of work"),
        ("takes all memory", "needs more than 300 MiB"),
        ("talks without end", "more than 16,777,216 bytes"),
        ("talks nonsense", "is not a reading"),
        ("sends a million brackets", "is not a reading"),
        ("sends no reading", "is not a reading"),
        ("promises more than it sends", "is not a reading"),
        ("sends an error of many lines", "one two"),
        ("a piece past the end", "outside the text"),
        ("a piece that cuts a letter", "cuts a letter"),
        ("a piece of nothing", "outside the text"),
        ("a piece on no page", "does not have"),
        ("a link to a script", "is not a reading"),
        ("a title of two lines", "is not a reading"),
    ],
)
def test_a_reader_that_fails_or_lies_costs_its_document_alone(
    taken_over: Sandbox, deed: str, expected: str
) -> None:
    with pytest.raises(ReadError) as refused:
        _read(taken_over, deed.encode())
    assert expected in str(refused.value)
    assert len(str(refused.value)) < 1_200 and "\n" not in str(refused.value)
    assert _read(taken_over, b"reads a file").text == "PermissionError"


def test_a_reader_that_waits_for_ever_is_stopped() -> None:
    with (
        Sandbox(Bounds(wall=1.0), "capture.misbehaving") as readers,
        pytest.raises(ReadError, match="after 1 s"),
    ):
        _read(readers, b"waits for ever")


def test_a_list_of_what_is_no_web_address_is_not_believed(taken_over: Sandbox) -> None:
    with pytest.raises(ReadError, match="is not a listing"):
        taken_over.listing(b"x", HERE)


def _peak() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def test_the_worst_answers_do_not_make_this_process_large(taken_over: Sandbox, sandbox: Sandbox) -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _peak()
    for deed in (b"talks without end", b"sends a million brackets", b"sends an error of many lines"):
        with pytest.raises(ReadError):
            _read(taken_over, deed)
    assert _peak() - before < MOST_MORE
    assert "By order 9" in _read(sandbox, page(sentences(9)), "text/html").text


def _children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


def test_when_the_readers_are_killed_the_next_document_is_read() -> None:
    others = _children()
    with Sandbox(TIGHT, "capture.misbehaving") as readers:
        assert _read(readers, b"forks").text == "PermissionError"
        (child,) = _children() - others
        os.kill(child, 9)
        with pytest.raises(ReadError, match="started again for the next"):
            _read(readers, b"forks")
        assert _read(readers, b"forks").text == "PermissionError"
    assert _children() <= others


def test_the_readers_end_with_the_process_that_started_them() -> None:
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            readers = Sandbox(TIGHT, "capture.misbehaving")
            _read(readers, b"forks")
            (child,) = _children()
            os.write(theirs, str(child).encode())
            os.kill(os.getpid(), 9)
        finally:
            os._exit(1)
    os.close(theirs)
    child = int(os.read(ours, 20))
    os.waitpid(process, 0)
    until = time.monotonic() + 10
    while Path(f"/proc/{child}/cmdline").exists() and _is_alive(child):
        assert time.monotonic() < until, "the readers live on"
        os.sched_yield()
    os.close(ours)


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_document_larger_than_the_bound_is_not_sent_to_a_reader() -> None:
    with Sandbox(Bounds(body=100)) as readers, pytest.raises(ReadError, match="larger than 100 bytes"):
        _read(readers, b"a" * 101)


def test_a_page_that_is_a_picture_is_named_among_the_scanned(sandbox: Sandbox) -> None:
    assert _read(sandbox, pdf([PICTURE])).scanned == (1,)
