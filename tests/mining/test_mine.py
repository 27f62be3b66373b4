"""`mercwatch mine` on a made-up law book in three languages, however the book is kept."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet
import pytest

from mercwatch.capture.law import clean
from mercwatch.mining import candidates
from mining.law_books import (
    BOOK,
    Rows,
    member,
    mined,
    outside,
    ranked,
    rows_of,
    summary_of,
    tarred,
    written,
)
from once import once

FIELDS = {
    "file",
    "law",
    "title",
    "article",
    "recommendation",
    "score",
    "start",
    "end",
    "sha256",
    "language",
    "in_force",
    "in_force_reason",
    "reasons",
    "places",
}
PLACE = {"file", "law", "article", "start", "end", "sha256"}
TROJAN = ("de/ueberwachung.md", "Art. 269ter")
LICENCES = {("de/ausfuhr.md", "Art. 4"), ("en/export.html", "2"), ("fr/armes.txt", "Article 2")}
NOTICES = {("fr/marches.md", "Art. 20"), ("en/procurement.md", "1")}


class Mined(NamedTuple):
    """The book, its result and what the command printed."""

    book: Path
    out: Path
    rows: Rows
    said: str


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mined:
    """The made-up book, mined from its folder."""

    def make(folder: Path) -> None:
        said = mined(written(folder / "book", BOOK), folder / "found.jsonl").stdout
        (folder / "said.txt").write_text(said)

    folder = once(tmp_path_factory, "three-languages", make)
    out = folder / "found.jsonl"
    return Mined(folder / "book", out, rows_of(out), (folder / "said.txt").read_text())


def test_the_right_articles_come_first(found: Mined) -> None:
    assert ranked(found.rows, "R1")[0] == TROJAN
    assert set(ranked(found.rows, "R2")[:5]) >= LICENCES
    assert set(ranked(found.rows, "R3")[:2]) == NOTICES
    assert ("fr/renseignement.md", "Art. 8") in ranked(found.rows, "R7")[:3]


def test_the_same_words_in_laws_on_other_subjects_score_low(found: Mined) -> None:
    others = {"en/food.md", "de/strassen.md", "fr/ecoles.md"}
    scores = [row["score"] for row in found.rows if row["file"] in others]
    assert max(scores, default=0) < 0.2
    assert not others & {row["file"] for row in found.rows if row["score"] > 0.5}


def test_what_was_read_is_told(found: Mined) -> None:
    assert "12 laws" in found.said and "languages de, en, fr" in found.said
    assert f"{len(found.rows)} candidates written to" in found.said
    told = summary_of(found.out)
    assert told["languages"] == ["de", "en", "fr"] and told["files"] == 12 and told["problems"] == []
    assert sum(told["counts"].values()) == 12


def test_a_row_has_every_field_and_says_why(found: Mined) -> None:
    for row in found.rows:
        assert set(row) == FIELDS and all(set(place) == PLACE for place in row["places"])
        assert 0 <= row["score"] <= 1 and row["reasons"] and row["in_force_reason"]
        assert row["language"] == row["file"][:2]
    trojan = next(row for row in found.rows if row["recommendation"] == "R1")
    assert trojan["law"] == "nord-ueberwachung" and trojan["title"].startswith("Gesetz über die Überwachung")
    assert any("informatikprogramm" in reason for reason in trojan["reasons"])


def test_scores_fall_within_a_recommendation(found: Mined) -> None:
    for name in {row["recommendation"] for row in found.rows}:
        scores = [row["score"] for row in found.rows if row["recommendation"] == name]
        assert scores == sorted(scores, reverse=True)


def test_every_place_is_found_again_in_the_files_own_bytes(found: Mined) -> None:
    places = [place for row in found.rows for place in (row, *row["places"])]
    assert {Path(place["file"]).suffix for place in places} == {".md", ".html", ".txt"}
    for place in places:
        passage = (found.book / place["file"]).read_bytes()[place["start"] : place["end"]]
        assert hashlib.sha256(passage).hexdigest() == place["sha256"]
        assert place["article"] in clean(passage.decode().split("\n", 1)[0])


def test_a_passage_of_html_begins_in_its_heading_and_ends_with_its_article(found: Mined) -> None:
    row = next(row for row in found.rows if row["file"] == "en/export.html" and row["article"] == "2")
    passage = (found.book / row["file"]).read_text()[row["start"] : row["end"]]
    assert passage.startswith("<h5>2. Export")
    assert "violations of human rights" in passage and "Short title" not in passage


def test_an_article_repeated_word_for_word_is_one_candidate_with_both_places(found: Mined) -> None:
    trojans = [row for row in found.rows if row["recommendation"] == "R1" and "269" in row["article"]]
    assert len(trojans) == 1
    files = {place["file"] for place in trojans[0]["places"]}
    assert files == {"de/ueberwachung.md", "de/aenderung.md"}


def test_a_result_is_read_back_as_candidates(found: Mined) -> None:
    rows = candidates.read(found.out)
    assert [row.model_dump(mode="json") for row in rows] == found.rows
    assert rows[0].name == f"r1-{rows[0].sha256[:12]}"


def german(found: Mined) -> list[str]:
    """The lines of the German laws' candidates; each law of a book is weighed by itself."""
    lines = found.out.read_text(encoding="utf-8").splitlines(keepends=True)
    return [line for line, row in zip(lines, found.rows, strict=True) if row["language"] == "de"]


def test_an_archive_gives_the_same_bytes_and_its_hostile_members_write_nothing(
    found: Mined, tmp_path: Path
) -> None:
    evil = BOOK["de/ausfuhr.md"].replace("Art. 4", "Art. 666").encode()

    def fill(tar: tarfile.TarFile) -> None:
        member(tar, "../evil.md", evil)
        member(tar, "de/../../evil.md", evil)
        member(tar, str(tmp_path / "absolute.md"), evil)
        member(tar, "de/link.md", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        member(tar, "away", type=tarfile.SYMTYPE, linkname=str(tmp_path))
        member(tar, "away/roads-again.md", BOOK["de/strassen.md"].encode())
        for name in ("de/ueberwachung.md", "de/ausfuhr.md", "de/aenderung.md", "de/strassen.md"):
            tar.add(found.book / name, name)

    archive = tarred(tmp_path / "book.tar.xz", fill)
    out = tmp_path / "found.jsonl"
    before = outside(tmp_path.parent)
    said = mined(archive, out).stdout
    assert outside(tmp_path.parent) - before == {str(out), str(tmp_path / "found.summary.json")}
    assert out.read_text(encoding="utf-8") == "".join(german(found))
    assert "5 laws" in said, "what the archive calls away/ lies in the book's own folder, not behind the link"


def test_a_table_gives_the_same_rows_and_a_table_holds_them(found: Mined, tmp_path: Path) -> None:
    table, out = tmp_path / "book.parquet", tmp_path / "found.parquet"
    names = [name for name in BOOK if name.startswith("de/")]
    texts = {"file": names, "text": [(found.book / name).read_text() for name in names]}
    pyarrow.parquet.write_table(pa.table(texts), table)
    mined(table, out, "--language", "de")
    rows = [json.loads(line) for line in german(found)]
    assert pyarrow.parquet.read_table(out).to_pylist() == rows
    assert [row.model_dump(mode="json") for row in candidates.read(out)] == rows
