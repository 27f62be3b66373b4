"""The record linter: each rule of care, with a sheet that breaks it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mercwatch.record.lint.rules import RULES

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).parent.parent.parent

SOURCE = """\
- kind: source
  id: src-{id}
  publisher: Ministry
  title: {title}
  address: {address}
  language: en
  nature: primary
  read: provision
  read_on: "2026-01-10"
  copy_read: stored
  published: "{published}"
"""


def source(thing: str = "law", **changes: str) -> str:
    """A source in YAML."""
    given = {"title": "A law", "address": f"https://ministry.example/{thing}", "published": "2024-03-01"}
    return SOURCE.format(id=thing, **(given | changes))


def deed(thing: str = "fr-deed", **changes: str) -> str:
    """An action in YAML, eleven lines long."""
    given = {
        "title": "Title of the deed",
        "summary": "The ministry listed a firm.",
        "date": "2024-02-01",
        "type": "sanction",
        "sources": "[src-law]",
        "more": "note: Nothing more was seen.",
    } | changes
    return """\
- kind: action
  id: {id}
  actor: FR
  title: "{title}"
  summary: '{summary}'
  type: {type}
  stages:
    - {{stage: applied, date: "{date}"}}
  recommendations: [R5]
  sources: {sources}
  {more}
""".format(id=thing, **given)


def finding(**changes: str) -> str:
    """A finding in YAML."""
    given = {"state": "allegation", "summary": "A newspaper reported a purchase.", "more": "note: None."}
    return """\
- kind: finding
  id: fr-finding
  actor: FR
  title: A reported purchase
  summary: {summary}
  found: "2024-02-01"
  found_by: A newspaper
  state: {state}
  recommendations: [R3]
  sources: [src-law]
  {more}
""".format(**(given | changes))


PERSON = """\
- kind: person
  id: person-1
  salt: 0123456789abcdef0123456789abcdef
  name: Ada Exemplar
  role: Head of a firm
  basis: {basis}
  {more}
  sources: [src-law]
"""

GOOD = source() + deed() + deed("fr-other", sources="[src-other]", date="2024-02-02") + source("other")

# What breaks a rule: the rule, the sheet, the line of the entry at fault, and words of the message.
BAD: dict[str, tuple[str, str, int, str]] = {
    "one deed told twice": (
        "one-deed-once",
        source() + source("two") + deed() + deed("fr-deed-again", sources="[src-two]"),
        34,
        "the same deed as fr-deed",
    ),
    "an address that follows its reader": (
        "address-well-formed",
        source(address="https://ministry.example/law?utm_source=feed"),
        1,
        "it follows its readers (utm_source)",
    ),
    "an address without a public host": (
        "address-well-formed",
        source(address="https://localhost/law"),
        1,
        "no public host name",
    ),
    "an address with a trailing dot in its host": (
        "address-well-formed",
        source(address="https://ministry.example./law"),
        1,
        "no public host name",
    ),
    "an address with a password": (
        "address-well-formed",
        source(address="https://me:secret@ministry.example/law"),
        1,
        "a user name or password",
    ),
    "two facts at one address without their places": (
        "own-passage",
        source() + deed() + deed("fr-other", title="Something else", date="2024-02-02"),
        12,
        "`where` must say its place in it",
    ),
    "two facts at one place": (
        "own-passage",
        source()
        + deed(more='where: {src-law: "Article 1"}')
        + deed("fr-other", date="2024-02-02", more='where: {src-law: "Article 1"}'),
        23,
        "the same place in ministry.example/law as fr-deed",
    ),
    "a deed after its publication": (
        "deed-before-publication",
        source(published="2024-01-01") + deed(),
        12,
        "dated 2024-02-01, published by 2024-01-01",
    ),
    "a publication after it was read": (
        "published-before-read",
        source(published="2026-02-01"),
        1,
        "read 2026-01-10, published 2026-02-01",
    ),
    "a word of blame": (
        "neutral-wording",
        source() + deed(summary="The ministry listed the notorious firm."),
        12,
        "'notorious' is a word of blame",
    ),
    "an allegation told as proved": (
        "stage-of-proof",
        source() + finding(summary="A newspaper has proved that the police bought it."),
        12,
        "an allegation does not say 'proved that'",
    ),
    "a conviction of unknown finality": (
        "stage-of-proof",
        source() + deed(type="prosecution", summary="A court convicted two managers."),
        12,
        "not of whether it is final",
    ),
    "an acquittal that does not say so": (
        "stage-of-proof",
        source() + finding(state="acquittal"),
        12,
        "its text does not say so",
    ),
    "a person named in a summary": (
        "people-named",
        source() + deed(summary="The ministry listed the founder Ada Exemplar."),
        12,
        "'Ada Exemplar' looks like a person",
    ),
    "a person of the record named in another entry": (
        "people-named",
        source()
        + PERSON.format(basis="sanctioned", more="outcome: listed")
        + deed(summary="Listed with Ada Exemplar were others."),
        20,
        "names a person; refer to person-1",
    ),
    "a person sanctioned, without the outcome": (
        "people-named",
        source() + PERSON.format(basis="sanctioned", more="# no outcome"),
        12,
        "the outcome is not said",
    ),
    "a person acquitted": (
        "people-named",
        source() + PERSON.format(basis="charged", more="outcome: acquitted"),
        12,
        "was acquitted, so is not named",
    ),
    "a person taken off a list": (
        "people-named",
        source() + PERSON.format(basis="sanctioned", more="outcome: delisted"),
        12,
        "was delisted, so is not named",
    ),
    "a firm without an entry": (
        "one-entry-a-firm",
        source() + deed(more="vendors: [Unheard Of Ltd]"),
        12,
        "no actor has the name or alias 'Unheard Of Ltd'",
    ),
    "two firms with one name": (
        "one-entry-a-firm",
        source()
        + "- {kind: actor, id: firm-a, type: vendor, name: Firm, sources: [src-law]}\n"
        + "- {kind: actor, id: firm-b, type: vendor, name: Other, aliases: [firm], sources: [src-law]}\n",
        13,
        "'firm' is a name of firm-a too",
    ),
    "eight words of a source's title": (
        "own-words",
        source(title="Order on the listing of firms that sell tools for intrusion")
        + deed(summary="It is an order on the listing of firms that sell tools."),
        12,
        "stands in the title of src-law too",
    ),
}


def test_a_careful_sheet_passes(mercwatch: Run, tmp_path: Path) -> None:
    sheet = tmp_path / "good.yaml"
    sheet.write_text(GOOD)
    done = mercwatch("lint", sheet)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("case", BAD)
def test_what_breaks_a_rule_is_named_by_file_line_and_rule(case: str, mercwatch: Run, tmp_path: Path) -> None:
    rule, text, line, words = BAD[case]
    sheet = tmp_path / "bad.yaml"
    sheet.write_text(text)
    done = mercwatch("lint", sheet)
    assert done.returncode == 1
    assert f"bad.yaml:{line}: {rule}: " in done.stderr
    assert words in done.stderr


def test_every_rule_has_a_sheet_that_breaks_it() -> None:
    assert {rule for rule, *_ in BAD.values()} == {*RULES, "own-words"}


def test_words_of_a_private_text_are_found_unless_they_stand_in_quotation_marks(
    mercwatch: Run, tmp_path: Path
) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "src-law.txt").write_text(
        "Whereas the Minister may, by order, list any person that sells such means."
    )
    sheet = tmp_path / "sheet.yaml"
    words = "the minister may by order list any person that sells"
    sheet.write_text(source() + deed(summary=f"Since then {words} them."))
    assert "own-words" in mercwatch("lint", sheet, "--texts", texts).stderr
    sheet.write_text(source() + deed(summary=f'The law says: "{words}".'))
    assert mercwatch("lint", sheet, "--texts", texts).returncode == 0


def test_of_a_dump_only_what_is_live_is_linted(mercwatch: Run, released: Path, tmp_path: Path) -> None:
    assert mercwatch("lint", released).returncode == 0
    sheet = tmp_path / "worse.yaml"
    sheet.write_text(
        (tmp_path / "small.yaml")
        .read_text()
        .split("- kind: action")[1]
        .split("- kind: coding")[0]
        .join(("- kind: action", "  because: a second reading\n"))
        .replace("It names", "It is a draconian law and names")
    )
    assert mercwatch("add", sheet).returncode == 0
    assert mercwatch("dump", released).returncode == 0
    worse = mercwatch("lint", released)
    assert worse.returncode == 1 and "'draconian' is a word of blame" in worse.stderr
    sheet.write_text(sheet.read_text().replace("draconian", "new").replace("second", "third"))
    assert mercwatch("add", sheet).returncode == 0
    assert mercwatch("dump", released).returncode == 0
    assert mercwatch("lint", released).returncode == 0


def test_a_sheet_that_cannot_be_read_is_refused(mercwatch: Run, tmp_path: Path) -> None:
    sheet = tmp_path / "broken.yaml"
    sheet.write_text("- kind: source\n  id: [")
    done = mercwatch("lint", sheet)
    assert done.returncode == 2 and "broken.yaml:" in done.stderr


def test_the_shipped_record_is_careful(mercwatch: Run) -> None:
    done = mercwatch("lint", ROOT / "data")
    assert (done.returncode, done.stderr) == (0, "")
