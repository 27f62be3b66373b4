"""A law book with all that goes wrong in it, and what a law book tells of laws that are no longer law."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from mercwatch.site.mining_cli import mine as command
from mining.law_books import (
    AMENDING,
    EXPORT,
    INTERCEPTION,
    TROJAN,
    law,
    mine,
    mined,
    rows_of,
    summary_of,
    written,
)
from once import once


def own(months: str, title: str, **front: str) -> str:
    """A law that says what no other says."""
    return law(title, TROJAN.replace("drei Monate", months), **front)


BAD = {
    "broken-yaml.md": (b"---\ntitle: [a\n---\n# Gesetz\n", "broken YAML in the front matter"),
    "deep.md": (b"---\na: " + b"[" * 100_000 + b"\n---\n# Gesetz\n", "more than 20 levels deep"),
    "alias.md": (b"---\na: &a [b]\nc: *a\n---\n# Gesetz\n", "anchors are not allowed"),
    "no-names.md": (b"---\n- a\n- b\n---\n# Gesetz\n", "the front matter is no list of names and values"),
    "endless.md": (b"---\ntitle: a\n# Gesetz\n", "the front matter has no end"),
    "latin.md": ("# Gesetz über das Abhören".encode("latin-1"), "is not UTF-8 (byte 9)"),
    "nul.md": (b"# Gesetz\n\nDer Text\0 und der Rest", "holds a NUL byte: not a text"),
    "gibberish.md": (b"# Qwlpf xyzzy\n\nGlorb fnord wibble plugh.\n", "no lexicon knows its words"),
    "empty.md": (b"", "no lexicon knows its words"),
    "whole.md": (
        "# Über die Überwachung des Fernmeldeverkehrs\n\nDie Überwachung wird vom Gericht angeordnet.".encode(),
        "has no articles: taken as one",
    ),
}
FORCE = {
    "old.md": own("fünf Monate", "Altes Gesetz über die Überwachung", identifier="nord-alt"),
    "new.md": own(
        "sechs Monate", "Neues Gesetz über die Überwachung", identifier="nord-neu", repeals="nord-alt"
    ),
    "number-1990.md": own(
        "sieben Monate",
        "Gesetz über den Nachrichtendienst",
        identifier="nord-nd-1990",
        sr_number="121",
        applicability_date="1990-01-01",
    ),
    "number-2017.md": own(
        "acht Monate",
        "Gesetz über den Nachrichtendienst",
        identifier="nord-nd-2017",
        sr_number="121",
        applicability_date="2017-09-01",
    ),
    "number-later.md": own(
        "zwölf Monate",
        "Gesetz über den Nachrichtendienst",
        identifier="nord-nd-later",
        sr_number="121",
        applicability_date="9999-01-01",
    ),
    "ended.md": own("neun Monate", "Gesetz über das Abhören", status="repealed"),
    "amending.md": AMENDING.replace("drei Monate", "zehn Monate"),
    "claims.md": own("elf Monate", "Gesetz über die Telefonüberwachung", status="in_force"),
}
HUGE = 200 * 2**20


class Mined(NamedTuple):
    """What came of the bad book."""

    rows: dict[str, dict[str, Any]]
    said: str
    problems: dict[str, str]


def mine_the_bad_book(folder: Path) -> None:
    """Write the bad book into a folder and mine it."""
    book = written(
        folder / "book", {"good.md": INTERCEPTION, "named-like-a-law.md/inside.md": EXPORT, **FORCE}
    )
    for name, (data, _) in BAD.items():
        (book / name).write_bytes(data)
    (book / "dangling.md").symlink_to(book / "nowhere.md")
    (book / "looping.md").symlink_to(book / "looping.md")
    (book / "leads-out.md").symlink_to("/etc/passwd")
    os.mkfifo(book / "pipe.md")
    with (book / "huge.md").open("wb") as stream:
        stream.truncate(HUGE)
    done = mined(book, folder / "found.jsonl")
    (folder / "said.txt").write_text(done.stdout + done.stderr)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mined:
    """The bad book, mined."""
    folder = once(tmp_path_factory, "bad-book", mine_the_bad_book)
    out = folder / "found.jsonl"
    problems = dict(problem.split(": ", 1) for problem in summary_of(out)["problems"])
    rows = {row["file"]: row for row in rows_of(out)}
    return Mined(rows, (folder / "said.txt").read_text(), problems)


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_good_law_is_named_with_its_reason(found: Mined, name: str) -> None:
    reason = BAD[name][1]
    assert reason in found.problems[name]
    assert f"{name}: " in found.said and reason in found.said


@pytest.mark.parametrize("name", ["dangling.md", "looping.md", "leads-out.md", "pipe.md"])
def test_links_and_pipes_are_not_followed_and_named(found: Mined, name: str) -> None:
    assert found.problems[name] == "not read: is not a plain file"


def test_a_law_over_the_limit_is_named_with_its_size(found: Mined) -> None:
    assert found.problems["huge.md"] == f"not read: is larger than 48 MiB ({HUGE:,} bytes)"


def test_the_rest_of_a_bad_book_is_mined(found: Mined) -> None:
    assert {"good.md", "named-like-a-law.md/inside.md", "whole.md", *FORCE} <= set(found.rows)
    assert not set(found.problems) & {"good.md", "named-like-a-law.md/inside.md", *FORCE}


def test_a_law_without_articles_is_one_candidate(found: Mined) -> None:
    row = found.rows["whole.md"]
    assert (row["article"], row["start"], row["end"]) == ("", 0, len(BAD["whole.md"][0]))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("old.md", False, "nord-neu in the same book names it among what it repeals"),
        ("new.md", None, "nothing in the book says that it ended"),
        ("number-1990.md", False, "nord-nd-2017 in the same book stands under its number 121, newer"),
        ("number-2017.md", True, "the newest text under its number 121, applicable since 2017-09-01"),
        ("number-later.md", None, "this text applies from 9999-01-01 only"),
        ("ended.md", False, "the law book itself says: repealed"),
        ("amending.md", None, "it changes another law"),
        ("claims.md", None, "no register was asked"),
    ],
)
def test_in_force_is_what_the_book_shows_with_its_reason(
    found: Mined, name: str, value: bool | None, reason: str
) -> None:
    row = found.rows[name]
    assert row["in_force"] is value and reason in row["in_force_reason"]


def refused(folder: Path, *arguments: str | Path) -> Result:
    """Run the command inside this process, see it refuse and leave nothing new in the folder."""
    before = set(folder.rglob("*"))
    result = CliRunner().invoke(command, list(map(str, arguments)))
    assert result.exit_code == 2, result.output
    assert set(folder.rglob("*")) == before
    return result


def test_an_empty_folder_holds_nothing_to_mine(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "README.md").write_text("# About this book")
    result = refused(tmp_path, tmp_path / "book", "--out", tmp_path / "found.jsonl")
    assert "holds no law" in result.stderr and "nothing to mine" in result.stderr


def test_a_place_that_is_no_book_is_refused(tmp_path: Path) -> None:
    (tmp_path / "book.tar.xz").write_bytes(b"no archive")
    (tmp_path / "book.zip").write_bytes(b"no archive")
    out = tmp_path / "found.jsonl"
    assert "no tar archive" in refused(tmp_path, tmp_path / "book.tar.xz", "--out", out).stderr
    assert "is no folder, tar archive" in refused(tmp_path, tmp_path / "book.zip", "--out", out).stderr
    assert "is no folder, tar archive" in refused(tmp_path, tmp_path / "nowhere", "--out", out).stderr


def test_a_result_must_be_named_by_its_format(tmp_path: Path) -> None:
    written(tmp_path / "book", {"a.md": EXPORT})
    result = refused(tmp_path, tmp_path / "book", "--out", tmp_path / "found.csv")
    assert "must end in .jsonl or .parquet" in result.stderr


def test_an_unknown_language_is_refused_and_the_known_ones_are_named(tmp_path: Path) -> None:
    written(tmp_path / "book", {"a.md": EXPORT})
    result = refused(tmp_path, tmp_path / "book", "--out", tmp_path / "found.jsonl", "--language", "de,xx")
    assert "no lexicon for xx" in result.stderr and "da, de, el, en" in result.stderr


TABLE = pa.table({"name": ["a"], "words": ["b"]})
EMPTY = pa.table({"file": [], "text": []}, pa.schema({"file": pa.string(), "text": pa.string()}))


@pytest.mark.parametrize("content", [None, TABLE, EMPTY], ids=["no Parquet", "no column of texts", "no row"])
def test_a_table_that_holds_no_laws_is_refused_and_nothing_is_left(
    tmp_path: Path, content: pa.Table | None
) -> None:
    table = tmp_path / "book.parquet"
    table.write_bytes(b"no table")
    if content is not None:
        pyarrow.parquet.write_table(content, table)
    done = mine(table, tmp_path / "found.jsonl", "--language", "de")
    assert done.returncode == 2 and "book.parquet" in done.stderr and "Traceback" not in done.stderr
    assert [path for path in tmp_path.iterdir() if path != table] == []


def test_a_table_that_names_a_file_without_its_text_does_not_open_it(tmp_path: Path) -> None:
    elsewhere = tmp_path / "private.md"
    elsewhere.write_text(EXPORT)
    table = pa.table({"file": [str(elsewhere), "../private.md", "a.md"], "text": [None, None, EXPORT]})
    pyarrow.parquet.write_table(table, tmp_path / "book.parquet")
    done = mine(tmp_path / "book.parquet", tmp_path / "found.jsonl", "--language", "de")
    assert done.returncode == 0 and done.stderr.count("came without its text") == 2
    assert {row["file"] for row in rows_of(tmp_path / "found.jsonl")} == {"a.md"}


def test_a_full_disk_ends_the_work_and_nothing_is_left(tmp_path: Path) -> None:
    """The limit stands between what one worker hands over and what all of it takes on the disk."""
    written(tmp_path / "book", {f"{n}.md": own(f"{n} Monate", "Gesetz über das Abhören") for n in range(300)})
    done = mine(tmp_path / "book", tmp_path / "found.jsonl", before=["prlimit", "--fsize=400000"])
    assert done.returncode == 2 and "nothing was left behind" in done.stderr, done.stderr[-500:]
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["book"]
