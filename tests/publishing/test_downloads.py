"""Downloads say what the record says: whole, checkable, the same bytes, and safe to open."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from builders import BASE, PERSON, Record, Thing, action, coding, finding, government, source
from mercwatch.assessment.assess import assess_all
from mercwatch.framework.codebook import Codebook
from mercwatch.framework.load import load
from mercwatch.publishing.database import sqlite_bytes
from mercwatch.publishing.feed import atom
from mercwatch.publishing.package import files
from mercwatch.publishing.table_shapes import Column, Row, Table, Value
from mercwatch.publishing.tables import tables
from mercwatch.record.entries import Withheld
from mercwatch.record.ledger import Ledger, LedgerError

SITE = "https://mercwatch.example"
ATOM = "{http://www.w3.org/2005/Atom}"
DAY = date(2026, 3, 1)
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "\t=1", "\r=1", "\n=1"]
HOSTILE = "<script>alert('x')</script> ]]> & \x07 \ufffe \"a\",b;c\rd\r\ne"
IN_FORCE = ("in_force", "2024-01-01")


@pytest.fixture(scope="module")
def codebook() -> Codebook:
    """The shipped codebook."""
    return load()


@pytest.fixture
def record(codebook: Codebook) -> Record:
    """Two releases: a law, a finding and a coding, then a changed coding and a correction."""
    law = action("fr-law", IN_FORCE, ("applied", "2024-06-01"), title=HOSTILE, vendors=["A", "B"])
    made = Record(codebook).release("2026-01-10", *BASE, law, finding(), coding("R1.1", _met("2024-01-01")))
    changed = coding("R1.1", _met("2024-01-02"), because="The day was read wrongly <b>")
    correction = _correction("c-1", "fr-r1-1-machine-1")
    return made.release("2026-02-10", changed, correction, action("fr-second", IN_FORCE))


def _met(since: str) -> tuple[int, list[str], str]:
    return 2, ["fr-law"], since


def _correction(thing: str, about: str) -> Thing:
    texts = {"was": "The first.", "now": "The second.", "reason": "Read again."}
    return {"kind": "correction", "id": thing, "about": about, "date": "2026-02-09", **texts}


def _tables(ledger: Ledger, codebook: Codebook) -> dict[str, Table]:
    snapshot = ledger.at()
    found = tables(snapshot, codebook, assess_all(snapshot, codebook, DAY))
    return {table.name: table for table in found}


def _row(table: Table, *key: Value) -> dict[str, Value]:
    names = [column.name for column in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in table.rows]
    return next(row for row in rows if tuple(row[name] for name in table.key) == key)


def _package(ledger: Ledger, codebook: Codebook) -> dict[str, bytes]:
    return files(list(_tables(ledger, codebook).values()), ledger.releases[-1], codebook)


def _validate(package: dict[str, bytes], path: Path) -> subprocess.CompletedProcess[str]:
    for name, data in package.items():
        (path / name).write_bytes(data)
    command = [str(Path(sys.executable).parent / "frictionless"), "validate", "datapackage.json"]
    return subprocess.run(command, cwd=path, capture_output=True, text=True, timeout=120, check=False)


def _open(data: bytes) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.deserialize(data)
    return database


def _without(record: Record, thing: str) -> Ledger:
    """The ledger with a thing's entries withheld."""
    ledger = record.ledger
    gone = [entry for entry in ledger.entries.values() if entry.id == thing]
    kept = [entry for entry in ledger.entries.values() if entry.id != thing]
    return Ledger.of(kept, ledger.releases, [Withheld(e.name, "2026-02-20", "court order") for e in gone])


def _items(feed: bytes) -> list[dict[str, str]]:
    found = []
    for entry in ElementTree.fromstring(feed).iter(f"{ATOM}entry"):  # noqa: S314 - our own output
        texts = {child.tag.removeprefix(ATOM): child.text or "" for child in entry}
        link = entry.find(f"{ATOM}link")
        assert link is not None
        found.append({**texts, "link": link.attrib["href"]})
    return found


# Tables


def test_a_level_stands_beside_its_state_draft_mark_codings_and_page(
    record: Record, codebook: Codebook
) -> None:
    row = _row(_tables(record.ledger, codebook)["levels"], "FR", "R1.1")
    assert (row["state"], row["level"], row["stage"], row["draft"]) == ("level", 2, "in_force", True)
    assert (row["since"], row["confidence"], row["as_of"]) == ("2024-01-02", "A", "2026-03-01")
    assert (row["codings"], row["page"]) == ("fr-r1-1-machine-1", "/governments/FR/#R1.1")


def test_unknown_is_an_empty_level_and_never_zero(record: Record, codebook: Codebook) -> None:
    row = _row(_tables(record.ledger, codebook)["levels"], "FR", "R1.2")
    assert (row["state"], row["level"]) == ("unknown", None)
    assert 'R1.2","2026-03-01","unknown","",' in _package(record.ledger, codebook)["levels.csv"].decode()


def test_a_company_is_on_the_pages_of_organisations(record: Record, codebook: Codebook) -> None:
    firm = {"kind": "actor", "id": "firm", "type": "company", "name": "Firm", "sources": ["src-law"]}
    record.release("2026-02-11", firm)
    pages = {row[-1] for row in _tables(record.ledger, codebook)["levels"].rows if row[0] == "firm"}
    assert pages and all(str(page).startswith("/organisations/firm/#R") for page in pages)


def test_a_member_is_shown_the_unions_level_beside_its_own(record: Record, codebook: Codebook) -> None:
    inheritable = next(i for i in codebook.indicators if i.inheritable and i.levels)
    joined = {"kind": "membership", "id": "fr-eu", "actor": "FR", "group": "EU", "since": "1958-01-01"}
    steps = (IN_FORCE, ("applied", "2025-06-01"))
    record.release(
        "2026-02-11",
        government("EU"),
        {**joined, "sources": ["src-law"]},
        action("eu-act", *steps, actor="EU"),
        coding(inheritable.id, (1, ["eu-act"], "2025-06-01"), actor="EU"),
    )
    row = _row(_tables(record.ledger, codebook)["levels"], "FR", inheritable.id)
    assert (row["level"], row["inherited_level"]) == (None, 1)


def test_evidence_names_the_entry_that_the_coder_saw(record: Record, codebook: Codebook) -> None:
    seen = record.ledger.live["fr-law"][0].name
    revised = action("fr-law", IN_FORCE, ("applied", "2024-06-01"), title="Law", because="title")
    record.release("2026-02-12", revised)
    found = _tables(record.ledger, codebook)
    assert _row(found["coding_evidence"], "fr-r1-1-machine-1", 1)["entry"] == seen
    assert _row(found["actions"], "fr-law")["entry"] == record.ledger.live["fr-law"][0].name != seen
    assert _row(found["actions"], "fr-law")["release"] == 3


def test_lists_of_ids_are_joined_by_a_space_and_texts_by_a_semicolon(
    record: Record, codebook: Codebook
) -> None:
    record.release("2026-02-11", action("fr-3", IN_FORCE, recommendations=["R1", "R2"], vendors=["A", "B c"]))
    row = _row(_tables(record.ledger, codebook)["actions"], "fr-3")
    assert (row["recommendations"], row["vendors"]) == ("R1 R2", "A; B c")


def test_a_source_that_is_named_twice_is_one_row(record: Record, codebook: Codebook) -> None:
    record.release("2026-02-11", action("fr-3", IN_FORCE, sources=["src-law", "src-law"]))
    rows = _tables(record.ledger, codebook)["action_sources"].rows
    assert rows.count(("fr-3", "src-law", None)) == 1


def test_rows_are_sorted_with_r2_before_r10(record: Record, codebook: Codebook) -> None:
    ids = [row[0] for row in _tables(record.ledger, codebook)["recommendations"].rows]
    assert ids == [f"R{number}" for number in range(1, 12)]


def test_no_download_holds_a_personal_name(record: Record, codebook: Codebook) -> None:
    person = {"kind": "person", "id": "p-1", "salt": "0" * 32, "name": "Jo Public", "role": "Minister"}
    record.release("2026-02-11", {**person, "basis": "public-office", "sources": ["src-law"]})
    found = _tables(record.ledger, codebook)
    downloads = [*_package(record.ledger, codebook).values(), sqlite_bytes(list(found.values()))]
    assert not any(b"Jo Public" in data or str(PERSON["name"]).encode() in data for data in downloads)


# What is withheld


def test_what_is_withheld_leaves_the_downloads_and_every_reference_still_holds(
    record: Record, codebook: Codebook, tmp_path: Path
) -> None:
    ledger = _without(record, "src-law")
    found = _tables(ledger, codebook)
    assert found["actions"].rows and not found["action_sources"].rows and not found["sources"].rows
    assert [row[2] for row in found["withheld"].rows] == ["court order"]
    assert not any(b"gazette.example" in data for data in _package(ledger, codebook).values())
    done = _validate(_package(ledger, codebook), tmp_path)
    assert done.returncode == 0, done.stdout


def test_a_coding_whose_coder_is_withheld_stays_without_the_coder(record: Record, codebook: Codebook) -> None:
    row = _row(_tables(_without(record, "machine-1"), codebook)["codings"], "fr-r1-1-machine-1")
    assert (row["coder"], row["indicator"]) == (None, "R1.1")


def test_what_stood_on_a_withheld_thing_goes_with_all_that_stood_on_it(
    record: Record, codebook: Codebook
) -> None:
    found = _tables(_without(record, "FR"), codebook)
    assert not found["actions"].rows and not found["action_stages"].rows and not found["levels"].rows


# The data package


def test_frictionless_finds_nothing_wrong_in_a_hostile_record(
    record: Record, codebook: Codebook, tmp_path: Path
) -> None:
    titles = [action(f"fr-x{n}", IN_FORCE, title=text) for n, text in enumerate(FORMULAS)]
    record.release("2026-02-11", *titles)
    done = _validate(_package(record.ledger, codebook), tmp_path)
    assert done.returncode == 0, done.stdout


def test_frictionless_finds_a_file_that_was_altered(
    record: Record, codebook: Codebook, tmp_path: Path
) -> None:
    package = _package(record.ledger, codebook)
    altered = package["actions.csv"].replace(b"It was done.", b"It was not. ")
    assert altered != package["actions.csv"]
    done = _validate({**package, "actions.csv": altered}, tmp_path)
    assert done.returncode != 0 and "hash" in done.stdout.lower()


def test_frictionless_finds_a_reference_that_leads_nowhere(
    record: Record, codebook: Codebook, tmp_path: Path
) -> None:
    found = _tables(record.ledger, codebook)
    found["sources"] = replace(found["sources"], rows=())
    done = _validate(files(list(found.values()), record.ledger.releases[-1], codebook), tmp_path)
    assert done.returncode != 0 and "foreign" in done.stdout.lower()


@pytest.mark.parametrize("text", [*FORMULAS, "'quoted'", "''", HOSTILE, "plain = text"])
def test_no_cell_is_a_formula_and_every_text_comes_back_by_the_readmes_rule(
    record: Record, codebook: Codebook, text: str
) -> None:
    record.release("2026-02-11", action("fr-3", IN_FORCE, title=text))
    data = _package(record.ledger, codebook)["actions.csv"].decode()
    rows = list(csv.DictReader(io.StringIO(data, newline="")))
    assert not any(
        cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for r in rows for cell in r.values()
    )
    (title,) = (row["title"] for row in rows if row["id"] == "fr-3")
    assert title.removeprefix("'") == text


def test_the_csv_says_what_the_table_says(record: Record, codebook: Codebook) -> None:
    found = _tables(record.ledger, codebook)
    package = _package(record.ledger, codebook)
    for table in found.values():
        read = list(csv.reader(io.StringIO(package[f"{table.name}.csv"].decode(), newline="")))
        assert read[0] == [column.name for column in table.columns]
        assert [_read(row, table.columns) for row in read[1:]] == list(table.rows)


def _read(cells: list[str], columns: tuple[Column, ...]) -> Row:
    texts = (cell.removeprefix("'") for cell in cells)
    return tuple(_value(text, column.type) for text, column in zip(texts, columns, strict=True))


def _value(text: str, type_: str) -> Value:
    if text == "":
        return None
    if type_ == "boolean":
        return {"true": True, "false": False}[text]
    return int(text) if type_ == "integer" else text


def test_the_package_is_dated_by_its_release_and_has_the_same_bytes_on_any_day(
    record: Record, codebook: Codebook
) -> None:
    package = _package(record.ledger, codebook)
    described = json.loads(package["datapackage.json"])
    assert (described["created"], described["version"]) == ("2026-02-10T00:00:00Z", "2")
    assert package == _package(record.ledger, codebook)
    assert date.today().isoformat().encode() not in b"".join(package.values())


def test_every_column_is_described_and_every_file_is_listed(record: Record, codebook: Codebook) -> None:
    package = _package(record.ledger, codebook)
    resources = json.loads(package["datapackage.json"])["resources"]
    assert {r["path"] for r in resources} == set(package) - {"README.md", "datapackage.json"}
    assert all(field["description"] for r in resources for field in r["schema"]["fields"])
    assert all(f"`{r['path']}`" in package["README.md"].decode() for r in resources)


def test_the_readme_says_how_to_cite_and_what_a_level_is_not(record: Record, codebook: Codebook) -> None:
    text = " ".join(_package(record.ledger, codebook)["README.md"].decode().split())
    assert f"release 2 of 2026-02-10, head `{record.ledger.releases[-1].head}`" in text
    for caveat in ("Unknown is not zero", "draft", "our working reading", "third parties' text excepted"):
        assert caveat in text


# The database


def test_the_database_holds_the_same_rows_and_every_reference(record: Record, codebook: Codebook) -> None:
    found = _tables(record.ledger, codebook)
    with closing(_open(sqlite_bytes(list(found.values())))) as database:
        for table in found.values():
            rows = database.execute(f'SELECT * FROM "{table.name}" ORDER BY rowid').fetchall()  # noqa: S608
            assert rows == list(table.rows)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_database_declares_keys_and_references(record: Record, codebook: Codebook) -> None:
    found = list(_tables(record.ledger, codebook).values())
    with closing(_open(sqlite_bytes(found))) as database:
        database.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            database.execute("INSERT INTO action_sources VALUES ('fr-law', 'nowhere', NULL)")
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            database.execute("INSERT INTO action_sources VALUES ('fr-law', 'src-law', NULL)")
        with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
            database.execute("UPDATE actions SET title = NULL")


def test_the_view_of_governments_has_names_and_no_organisation(record: Record, codebook: Codebook) -> None:
    firm = {"kind": "actor", "id": "firm", "type": "company", "name": "Firm", "sources": ["src-law"]}
    record.release("2026-02-11", firm)
    with closing(_open(sqlite_bytes(list(_tables(record.ledger, codebook).values())))) as database:
        row = database.execute(
            "SELECT government, recommendation_title, indicator_title, level FROM levels_of_governments"
            " WHERE indicator = 'R1.1'"
        ).fetchall()
        actors = database.execute("SELECT DISTINCT actor FROM levels_of_governments").fetchall()
    assert row == [("FR", codebook.recommendations[0].title, codebook.by_id["R1.1"].title, 2)]
    assert actors == [("FR",)]


def test_the_same_record_gives_the_same_database(record: Record, codebook: Codebook) -> None:
    first = sqlite_bytes(list(_tables(record.ledger, codebook).values()))
    shuffled = Ledger.of(reversed(list(record.ledger.entries.values())), record.ledger.releases)
    assert first == sqlite_bytes(list(_tables(shuffled, codebook).values()))


# The feed


def test_the_feed_tells_releases_deeds_findings_corrections_and_changed_codings(record: Record) -> None:
    links = [item["link"].removeprefix(SITE) for item in _items(atom(record.ledger, SITE))]
    assert links == [
        "/changes/#release-2",
        "/corrections/#c-1",
        "/codings/fr-r1-1-machine-1/",
        "/actions/fr-second/",
        "/changes/#release-1",
        "/findings/fr-case/",
        "/actions/fr-law/",
    ]


def test_a_release_counts_what_is_new_superseding_and_withheld(record: Record) -> None:
    newest, first = (i for i in _items(atom(_without(record, "src-law"), SITE)) if "release/" in i["id"])
    assert record.ledger.releases[-1].head in newest["summary"]
    assert "New: action 1, correction 1." in newest["summary"]
    assert "Superseding: coding 1." in newest["summary"] and "Withheld" not in newest["summary"]
    assert "Withheld: 1." in first["summary"]


def test_a_changed_coding_says_why_and_that_it_is_a_draft(record: Record) -> None:
    (item,) = (i for i in _items(atom(record.ledger, SITE)) if "/codings/" in i["link"])
    assert "(draft)" in item["title"]
    assert "Changed because: The day was read wrongly &lt;b&gt;" in item["summary"]


def test_a_coding_that_a_person_let_stand_is_no_draft(record: Record) -> None:
    adjudication = {"kind": "adjudication", "id": "a-1", "actor": "FR", "indicator": "R1.1"}
    stands = {"coder": "person-1", "stands": "fr-r1-1-machine-1", "reason": "Checked."}
    record.release("2026-02-11", {**adjudication, **stands})
    (item,) = (i for i in _items(atom(record.ledger, SITE)) if "/codings/" in i["link"])
    assert "draft" not in item["title"]


def test_markup_in_the_record_stays_text_for_xml_and_for_readers_of_html(codebook: Codebook) -> None:
    law = action("fr-law", IN_FORCE, title=HOSTILE, summary=HOSTILE)
    item = _items(atom(Record(codebook).release("2026-01-10", *BASE, law).ledger, SITE))[1]
    assert "<script>alert('x')</script> ]]> &" in item["title"]
    assert "<script>" not in item["summary"] and "&lt;script&gt;" in item["summary"]
    assert not {"\x07", "\ufffe"} & set(item["title"] + item["summary"])


def test_the_same_ledger_gives_the_same_feed_dated_by_releases(record: Record) -> None:
    feed = atom(record.ledger, SITE)
    shuffled = Ledger.of(reversed(list(record.ledger.entries.values())), record.ledger.releases)
    assert feed == atom(shuffled, f"{SITE}/")
    days = {item["updated"] for item in _items(feed)}
    assert days == {"2026-02-10T00:00:00+00:00", "2026-01-10T00:00:00+00:00"}


def test_ids_are_tags_that_outlive_later_releases_and_other_hosts(record: Record) -> None:
    before = {item["id"] for item in _items(atom(record.ledger, SITE))}
    record.release("2026-02-11", action("fr-3", IN_FORCE))
    after = [item["id"] for item in _items(atom(record.ledger, "https://mirror.example"))]
    assert before < set(after) and len(after) == len(set(after))
    assert f"tag:mercwatch,2026:fr-law/{record.ledger.live['fr-law'][0].name}" in after


def test_the_feed_tells_three_releases_in_full_and_no_more_than_200_items(codebook: Codebook) -> None:
    made = Record(codebook).release("2026-01-01", *BASE, action("fr-old", IN_FORCE))
    for month in (2, 3):
        made.release(f"2026-0{month}-01", action(f"fr-m{month}", IN_FORCE))
    made.release("2026-04-01", *(action(f"fr-n{n}", IN_FORCE) for n in range(250)), finding())
    items = _items(atom(made.ledger, SITE))
    links = [item["link"].removeprefix(SITE) for item in items]
    assert len(links) == 200 and "/actions/fr-old/" not in links
    assert [f"/changes/#release-{n}" in links for n in (1, 2, 3, 4)] == [True] * 4
    assert "/findings/fr-case/" in links


def test_before_the_first_release_there_is_no_feed() -> None:
    with pytest.raises(LedgerError, match="nothing has been released"):
        atom(Ledger(), SITE)


def test_every_source_is_a_row_with_how_far_it_was_read(record: Record, codebook: Codebook) -> None:
    record.release("2026-02-11", source("src-unread", "press", "not-read"))
    row = _row(_tables(record.ledger, codebook)["sources"], "src-unread")
    assert (row["nature"], row["read"], row["read_on"]) == ("press", "not-read", None)
