"""What the site shows of captures: hash, time, how it was read, what we cite, and whether it still stands."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from builders import BASE, Record, Thing, action, capture, coding, finding, passage, recheck, source
from mercwatch.assessment.assess import assess_all
from mercwatch.capture.archive import Archive
from mercwatch.framework.load import load
from mercwatch.publishing.bake import bake
from mercwatch.publishing.captures import ranges
from mercwatch.publishing.database import sqlite_bytes
from mercwatch.publishing.edition import Edition
from mercwatch.publishing.package import files
from mercwatch.publishing.page import Page
from mercwatch.publishing.pages import actors, things
from mercwatch.publishing.render import MAX_PAGE, Renderer
from mercwatch.publishing.table_shapes import Table
from mercwatch.publishing.tables import tables
from mercwatch.record.entries import Withheld
from mercwatch.record.ledger import Ledger

SOURCE = "/sources/src-law/"
LAW = action("fr-law", ("in_force", "2024-01-01"))
CODED = coding("R1.1", (2, ["fr-law"], "2024-01-01"))
FINDING = finding()
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> \x07\x1b[2J \u202eevil\u2066"
TWO = (passage("p-1"), passage("p-2", start=300, end=400))


def record(*more: Thing) -> Ledger:
    """A released record of one government, one law and its source, with these things more."""
    return Record(load()).release("2026-03-01", *BASE, LAW, CODED, FINDING, *more).ledger


def pages_of(ledger: Ledger) -> Callable[[str], tuple[str, dict[str, Any]]]:
    """For a page's address its HTML and the data of its twin."""
    edition = Edition.of(ledger)
    pages: dict[str, Page] = {p.path: p for p in [*things.pages(edition), *actors.pages(edition)]}
    renderer = Renderer(edition)
    return lambda path: (renderer.html(pages[path]).decode(), json.loads(renderer.twin(pages[path])))


def page_of(ledger: Ledger, path: str = SOURCE) -> tuple[str, dict[str, Any]]:
    """A page's HTML and the data of its twin."""
    return pages_of(ledger)(path)


def words(html: str) -> str:
    """What a reader sees of a page's main part, in one line."""
    main = html[html.index("<main") : html.index('<section class="cite"')]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


def table(ledger: Ledger, name: str) -> list[dict[str, Any]]:
    """The rows of one table of the downloads."""
    found = next(t for t in tables_of(ledger) if t.name == name)
    names = [column.name for column in found.columns]
    return [dict(zip(names, row, strict=True)) for row in found.rows]


def tables_of(ledger: Ledger) -> list[Table]:
    """All tables of the downloads."""
    snapshot, codebook = ledger.at(), load()
    return tables(snapshot, codebook, assess_all(snapshot, codebook, Edition.of(ledger).day))


def withheld(ledger: Ledger, thing: str) -> Ledger:
    """The ledger with a thing's entries withheld."""
    gone = [entry for entry in ledger.entries.values() if entry.id == thing]
    kept = [entry for entry in ledger.entries.values() if entry.id != thing]
    return Ledger.of(kept, ledger.releases, [Withheld(e.name, "2026-03-01", "asked for") for e in gone])


# The capture


def test_a_source_without_a_capture_says_so_and_nothing_else_of_captures() -> None:
    html, twin = page_of(record())
    assert "No capture of our own yet." in words(html)
    assert "SHA-256" not in html and "sha256sum" not in html
    assert (twin["captures"], twin["source"]["drift"]) == ([], None)


def test_the_address_comes_first_and_then_hash_time_size_and_type() -> None:
    kept = capture(bytes=1234567)
    html, twin = page_of(record(kept))
    seen = words(html)
    wanted = ("https://gazette.example/src-law", kept["sha256"], "2026-01-02 03:04:05 UTC", "1,234,567 bytes")
    places = [seen.index(text) for text in wanted]
    assert places == sorted(places)
    assert 'rel="noopener noreferrer nofollow external">https://gazette.example/src-law<' in html
    assert "1,234,567 bytes, text/html" in seen and "fetched by us" in seen and "by html 1" in seen
    assert "kept privately; whoever has the same bytes finds the same hash: sha256sum FILE" in seen
    assert "The address has not been asked again since." in seen
    assert (twin["captures"][0]["sha256"], twin["captures"][0]["fetched"]) == (
        kept["sha256"],
        kept["fetched"],
    )


def test_scanned_pages_final_address_second_archive_and_time_stamp_are_shown() -> None:
    kept = capture(
        address="https://other.example/law.pdf",
        how="imported",
        media_type="application/pdf",
        read={
            "reader": "pdf 1",
            "text_sha256": "a" * 64,
            "pages": 12,
            "scanned": [2, 3, 4, 7],
            "language": "fr",
            "published": "2024-01-02",
        },
        second_address="https://archive.example/1",
        stamp={"authority": "https://tsa.example", "time": "2026-01-02T03:05:00Z", "token_sha256": "b" * 64},
    )
    html, _ = page_of(record(kept))
    seen = words(html)
    assert "by pdf 1, 12 pages; pictures without text: pages 2–4, 7" in seen
    assert "the text is dated 2024-01-02, in language fr" in seen
    assert "handed in, saved by a person" in seen
    for address in ("https://other.example/law.pdf", "https://archive.example/1"):
        assert f'href="{address}" rel="noopener noreferrer nofollow external"' in html
    assert (
        f"RFC 3161, by https://tsa.example, 2026-01-02 03:05:00 UTC . SHA-256 of its token {'b' * 64}" in seen
    )


def test_a_final_address_that_is_the_sources_own_is_not_repeated() -> None:
    html, _ = page_of(record(capture(address="https://gazette.example/src-law")))
    assert "Final address" not in html


def test_what_nobody_could_read_says_so() -> None:
    html, twin = page_of(record(capture(read=None)))
    assert "could not be read as text" in words(html)
    assert twin["captures"][0]["read"] is None


def test_pages_are_said_in_runs() -> None:
    assert ranges([7, 1, 2, 3, 9, 10, 2]) == "1–3, 7, 9–10"
    assert ranges([]) == ""


# Passages


def test_a_passage_says_page_article_bytes_hash_and_its_words() -> None:
    read = {"reader": "pdf 1", "text_sha256": "a" * 64, "pages": 12, "language": "fr"}
    cited = passage("p-1", quote="Une autorité décide.", page=3, article="Art. 5", reader="pdf 1")
    html, twin = page_of(record(capture(read=read), cited))
    seen = words(html)
    assert f"Page 3, Art. 5 : bytes 100–250 of the text SHA-256 {cited['quote_sha256']}" in seen
    assert '<blockquote class="quote" dir="auto" lang="fr">Une autorité décide.</blockquote>' in html
    (told,) = twin["captures"][0]["passages"]
    assert (told["start"], told["end"], told["sha256"]) == (100, 250, cited["quote_sha256"])
    assert told["quote"] == "Une autorité décide."


def test_a_passage_whose_words_are_not_recorded_has_no_quotation() -> None:
    html, _ = page_of(record(capture(), passage("p-1")))
    assert "bytes 100–250" in html and '<blockquote class="quote"' not in html


def test_hostile_words_are_escaped_and_what_would_hide_or_steer_is_made_visible() -> None:
    hostile = passage("p-1", quote=HOSTILE, article=HOSTILE)
    kept = capture(media_type=HOSTILE, address="https://evil.example/\u202efdp.law\u2066")
    told = recheck("unreachable", reason=HOSTILE)
    html, twin = page_of(record(kept, hostile, told))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script" not in html and "<img" not in html
    assert not set("\x07\x1b\u202e\u2066") & (set(html) | set(json.dumps(twin, ensure_ascii=False)))
    assert "\N{REPLACEMENT CHARACTER}evil" in html
    assert "https://evil.example/%E2%80%AEfdp.law%E2%81%A6" in html


def test_a_page_with_hundreds_of_long_passages_stays_small_and_its_twin_has_them_all() -> None:
    cited = [passage(f"p-{n}", quote='"<&' * 133, start=n) for n in range(300)]
    more = [capture(f"cap-{n}", fetched=f"2026-01-0{n}T00:00:00Z") for n in range(1, 9)]
    more += [capture(f"old-{n}", fetched=f"2025-01-01T00:00:{n:02}Z") for n in range(60)]
    html, twin = page_of(record(capture(fetched="2026-01-09T00:00:00Z"), *cited, *more))
    assert len(html.encode()) <= MAX_PAGE
    assert "of 300 are shown; all are in" in words(html)
    assert "captures are shown; all are in" in words(html)
    assert [len(kept["passages"]) for kept in twin["captures"]] == [300, *[0] * 68]


# Whether it still stands

CHANGED = "Source changed on or before 2026-02-03; our capture of 2026-01-02 stands."
STANDS = "The page changed elsewhere by 2026-02-03; every passage that we cite stands as cited."
SAME = "On 2026-02-03 the address still gave the same text."
SILENT = "On 2026-02-03 the address gave no document (HTTP 404); our capture of 2026-01-02 stands."
UNREADABLE = (
    "The page changed by 2026-02-03; what it gives now could not be read (broken), and our capture of"
)
UNCITED = "The page changed by 2026-02-03; we cite no passage of this capture, and our capture of"
UNSEEN = (
    "The page changed by 2026-02-03; not every passage that we cite has been looked for, and our capture of"
)


@pytest.mark.parametrize(
    ("outcome", "fates", "more", "cited", "sentence", "drift"),
    [
        ("unchanged", {"p-1": "unchanged"}, {}, TWO, SAME, None),
        ("unreachable", {}, {}, TWO, SILENT, "unreachable"),
        ("changed", {"p-1": "unchanged", "p-2": "moved"}, {}, TWO, STANDS, None),
        ("changed", {"p-1": "unchanged", "p-2": "altered"}, {}, TWO, CHANGED, "changed"),
        ("changed", {"p-1": "gone", "p-2": "moved"}, {}, TWO, CHANGED, "changed"),
        ("changed", {"p-1": "unchanged"}, {}, TWO, UNSEEN, "changed"),
        ("changed", {}, {"reason": "broken"}, TWO, UNREADABLE, "changed"),
        ("changed", {}, {}, (), UNCITED, "changed"),
    ],
)
def test_a_source_page_says_what_the_last_recheck_means(
    outcome: str,
    fates: dict[str, str],
    more: Thing,
    cited: tuple[Thing, ...],
    sentence: str,
    drift: str | None,
) -> None:
    found = record(capture(), *cited, recheck(outcome, fates=fates, **more))
    html, twin = page_of(found)
    assert sentence in words(html)
    assert twin["captures"][0]["recheck"]["words"].startswith(sentence)
    assert (twin["source"]["drift"] or {}).get("code") == drift
    assert (words(html).count(sentence) == 2) == (drift is not None), "at the top too where it drifted"


@pytest.mark.parametrize(
    ("fate", "now", "shown"),
    [
        ("unchanged", 100, "of the text · stands as cited SHA-256"),
        ("moved", 120, "stands with the same words, at another place, now from byte 120"),
        ("altered", 90, "<strong>altered</strong>, now from byte 90"),
        ("gone", None, "<strong>gone</strong>"),
    ],
)
def test_each_passage_says_its_own_fate(fate: str, now: int | None, shown: str) -> None:
    told = recheck("changed", passages=[{"passage": "p-1", "fate": fate, "start": now}])
    html, twin = page_of(record(capture(), *TWO, told))
    assert shown in (html if "<" in shown else words(html))
    assert "not looked for yet" in words(html)
    assert [p["fate"] for p in twin["captures"][0]["passages"]] == [fate, None]


def test_of_the_same_text_a_passage_taken_later_stands_too() -> None:
    _, twin = page_of(record(capture(), *TWO, recheck("unchanged", fates={"p-1": "unchanged"})))
    assert [p["fate_words"] for p in twin["captures"][0]["passages"]] == ["stands as cited"] * 2


def test_after_an_unreachable_recheck_no_passage_is_said_to_have_a_fate() -> None:
    _, twin = page_of(record(capture(), *TWO, recheck("unreachable")))
    assert [p["fate_words"] for p in twin["captures"][0]["passages"]] == [None, None]


# The mark where a source is cited


CITING = ("/actions/fr-law/", "/findings/fr-case/", "/codings/fr-r1-1-machine-1/", "/governments/FR/")


@pytest.mark.parametrize(
    ("told", "mark"),
    [
        (recheck("changed", fates={"p-1": "gone"}), "source changed since our capture"),
        (recheck("unreachable"), "address gave no document"),
        (recheck("changed", fates={"p-1": "moved"}), None),
        (recheck("unchanged"), None),
    ],
)
def test_a_cited_source_that_drifted_carries_a_mark_that_leads_to_its_page(
    told: Thing, mark: str | None
) -> None:
    found = pages_of(record(capture(), passage("p-1"), told))
    for path in CITING:
        links = re.findall(r'<a class="drift" href="/sources/src-law/#captures">([^<]*)</a>', found(path)[0])
        assert set(links) == ({mark} if mark else set()), path
    assert 'id="captures"' in found(SOURCE)[0]


def test_a_newer_capture_ends_what_is_said_of_an_old_one_but_not_a_lost_passage() -> None:
    newer = capture("cap-new", fetched="2026-02-10T00:00:00Z")
    silent = record(capture(), newer, recheck("unreachable"))
    lost = record(capture(), newer, passage("p-1"), recheck("changed", fates={"p-1": "altered"}))
    assert page_of(silent)[1]["source"]["drift"] is None
    assert page_of(lost)[1]["source"]["drift"]["code"] == "changed"
    assert [kept["id"] for kept in page_of(lost)[1]["captures"]] == ["cap-new", "cap-law"]


def test_pages_that_cite_a_source_say_that_they_changed_when_its_mark_comes_and_not_before() -> None:
    made = Record(load()).release("2026-03-01", *BASE, LAW, CODED, FINDING)
    made.release("2026-03-02", capture(), passage("p-1"), recheck("unchanged"))
    made.release("2026-03-03", recheck("unreachable", because="Asked again."))
    numbers = {}
    for upto in (2, 3):
        releases = made.ledger.releases[:upto]
        names = {name for release in releases for name in release.body.entries}
        known = Ledger.of((made.ledger.entries[name] for name in names), releases)
        found = pages_of(known)
        numbers[upto] = [
            found(path)[1]["changed"]["number"] for path in (SOURCE, "/governments/FR/", "/actions/fr-law/")
        ]
    assert numbers == {2: [2, 1, 1], 3: [3, 3, 3]}


# Downloads


def test_the_tables_say_what_was_kept_how_it_was_read_what_is_cited_and_what_became_of_it() -> None:
    read = {"reader": "pdf 1", "text_sha256": "a" * 64, "pages": 9, "scanned": [1, 2]}
    stamp = {"authority": "https://tsa.example", "time": "2026-01-02T03:05:00Z", "token_sha256": "b" * 64}
    told = recheck("changed", passages=[{"passage": "p-1", "fate": "moved", "start": 7}])
    found = record(capture(read=read, stamp=stamp), passage("p-1", quote="Words.", page=3), told)
    (kept,) = table(found, "captures")
    assert {"id": "cap-law", "source": "src-law", "bytes": 6, "how": "fetched"}.items() <= kept.items()
    assert {"reader": "pdf 1", "pages": 9, "scanned": "1 2", "language": None}.items() <= kept.items()
    assert (kept["stamp_authority"], kept["stamp_token_sha256"]) == ("https://tsa.example", "b" * 64)
    (cited,) = table(found, "passages")
    wanted = {
        "capture": "cap-law",
        "source": "src-law",
        "page": 3,
        "start": 100,
        "quote": "Words.",
        "file": None,
    }
    assert wanted.items() <= cited.items()
    (asked,) = table(found, "rechecks")
    assert (asked["capture"], asked["outcome"], asked["reason"]) == ("cap-law", "changed", None)
    assert table(found, "recheck_passages") == [
        {"recheck": "re-cap-law", "passage": "p-1", "fate": "moved", "start": 7}
    ]


def test_with_a_withheld_capture_all_that_stood_on_it_goes_and_the_page_has_no_capture() -> None:
    found = withheld(record(capture(), *TWO, recheck("changed", fates={"p-1": "gone"})), "cap-law")
    for name in ("captures", "passages", "rechecks", "recheck_passages"):
        assert table(found, name) == []
    html, twin = page_of(found)
    assert "No capture of our own yet." in words(html)
    assert twin["source"]["drift"] is None


def test_frictionless_and_the_database_accept_the_tables(tmp_path: Path) -> None:
    told = recheck("changed", fates={"p-1": "gone"})
    rows = [capture(), passage("p-1", quote="=1+1"), told, source("src-two"), capture("cap-2", "src-two")]
    found = record(*rows, {**passage("p-law", of="x"), "capture": None, "reader": None} | _OF_BOOK)
    made = tables_of(found)
    for name, data in files(made, found.releases[-1], load()).items():
        (tmp_path / name).write_bytes(data)
    command = [str(Path(sys.executable).parent / "frictionless"), "validate", "datapackage.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(sqlite_bytes(made))
        count = database.execute(
            "SELECT count(*) FROM passages LEFT JOIN captures ON captures.id = passages.capture"
        ).fetchone()
        assert count == (2,)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


_OF_BOOK = {"source": "src-law", "file": "fr/law.md"}


def test_a_captures_bytes_are_nowhere_in_a_bake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quote = "Only these words are the point."
    before, after = ("".join(f"{side} {n} of the publisher's page. " for n in range(50)) for side in "ab")
    body = f"<p>{before}{quote}{after}</p>".encode()
    monkeypatch.setenv("MERCWATCH_ARCHIVE", str(tmp_path / "archive"))
    with Archive.open(tmp_path / "archive", write=True) as archive:
        kept = archive.keep_file(body, "text/html", "https://gazette.example/src-law", "2026-01-02T03:04:05Z")
        assert archive.body(kept) == body
    row = capture(body=body)
    assert row["sha256"] == kept.sha256
    bake(record(row, passage("p-1", quote=quote)), tmp_path / "site")
    published = list(everything(tmp_path / "site"))
    assert any(quote.encode() in data for data in published), "the quotation is recorded, so it is shown"
    assert sum(kept.sha256.encode() in data for data in published) > 3
    pieces = [text[at : at + 24].encode() for text in (before, after) for at in range(0, len(text) - 24, 24)]
    assert not any(piece in data for piece in pieces for data in published)


def everything(site: Path) -> Iterator[bytes]:
    """The bytes of every file of a site, also of those inside an archive."""
    for path in site.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            yield data
            if path.suffix == ".zip":
                with zipfile.ZipFile(io.BytesIO(data)) as packed:
                    yield from (packed.read(name) for name in packed.namelist())
