"""What the miner found and was judged, on pages and in tables: where it stands, and who judged."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from typing import Any

import pytest

from builders import BASE, Record, Thing, action, government
from mercwatch.assessment.assess import assess_all
from mercwatch.framework.load import load
from mercwatch.publishing.edition import Edition
from mercwatch.publishing.page import Page
from mercwatch.publishing.pages import actors, things
from mercwatch.publishing.render import MAX_PAGE, Renderer
from mercwatch.publishing.table_shapes import Table
from mercwatch.publishing.tables import tables
from mercwatch.record.entries import Withheld
from mercwatch.record.ledger import Ledger

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"
LAW = action("fr-law", ("in_force", "2024-01-01"), title="A law on searches")


def judged(number: int, decision: str = "accepted", **more: Any) -> list[Thing]:
    """A verdict, with its passage where the candidate is accepted."""
    sha = hashlib.sha256(str(number).encode()).hexdigest()
    passage = {
        "kind": "passage",
        "id": f"p-{number}",
        "source": "src-law",
        "file": f"fr/law-{number}.md",
        "start": 100,
        "end": 250,
        "quote_sha256": sha,
    }
    verdict = {
        "kind": "verdict",
        "id": f"v-{number}",
        "candidate": f"r1-{sha[:12]}",
        "actor": "FR",
        "recommendation": "R1",
        "decision": decision,
        "law": f"Law {number}",
        "article": "Art. 5",
        "sha256": sha,
        "why": f"Reason {number}.",
        **({"passage": passage["id"]} if decision == "accepted" else {}),
        **more,
    }
    return [passage, verdict] if decision == "accepted" else [verdict]


@cache
def ledger() -> Ledger:
    """One accepted candidate that led to an action, one accepted with hostile words, two rejected."""
    return (
        Record(load())
        .release(
            "2026-01-10",
            *BASE,
            government("DE"),
            LAW,
            *judged(1, bears_on=["fr-law"]),
            *judged(2, law=HOSTILE, article=HOSTILE, why=HOSTILE),
            *judged(3, "rejected"),
            *judged(4, "rejected", law=HOSTILE, why=HOSTILE),
        )
        .ledger
    )


def page_of(ledger: Ledger, path: str) -> tuple[str, dict[str, Any]]:
    """A page's HTML and the data of its twin."""
    edition = Edition.of(ledger)
    pages = [*actors.pages(edition), *things.pages(edition)]
    page: Page = next(page for page in pages if page.path == path)
    renderer = Renderer(edition)
    return renderer.html(page).decode(), json.loads(renderer.twin(page))


def section(html: str) -> str:
    """The part of a page that the miner's findings stand in."""
    return html[html.index('<section aria-labelledby="miner">') :].split("</section>", maxsplit=1)[0]


def test_a_government_page_shows_what_was_accepted_where_it_stands_and_what_it_bears_on() -> None:
    shown = section(page_of(ledger(), "/governments/FR/")[0])
    sha = hashlib.sha256(b"1").hexdigest()
    assert "What the miner found in the law book" in shown
    assert "The record holds <strong>2</strong> accepted and <strong>2</strong> rejected" in shown
    assert '<a href="/recommendations/R1/">R1</a>' in shown
    assert "Law 1, Art. 5" in shown
    assert f"fr/law-1.md, bytes 100–250, SHA-256 {sha[:12]}…" in shown
    assert '<a href="/actions/fr-law/">A law on searches</a>' in shown
    assert "<details><summary>2 rejected</summary>" in shown
    assert "Law 3" in shown.split("<details>")[1]


def test_a_machines_judgement_says_draft_and_a_persons_does_not() -> None:
    shown = section(page_of(ledger(), "/governments/FR/")[0])
    assert "all of these judgements are a machine’s" in shown
    assert shown.count('<span class="draft">draft</span>') == 5  # the sum, and each of four
    by_person = Record(load()).release("2026-01-10", *BASE, LAW)
    by_person.release("2026-01-11", *judged(1), by="person-1")
    shown = section(page_of(by_person.ledger, "/governments/FR/")[0])
    assert "draft" not in shown
    assert "accepted by Coder 1, a person" in shown


def test_a_government_without_verdicts_has_no_such_section() -> None:
    html, twin = page_of(ledger(), "/governments/DE/")
    assert "miner" not in html
    assert twin["miner"] is None


def test_an_action_says_which_passage_it_was_found_in() -> None:
    html, twin = page_of(ledger(), "/actions/fr-law/")
    sha = hashlib.sha256(b"1").hexdigest()
    words = re.sub(r"<[^>]*>", "", section(html))
    assert (
        f"Found by the miner: r1-{sha[:12]}, passage fr/law-1.md bytes 100–250, SHA-256 {sha} draft" in words
    )
    assert [found["candidate"] for found in twin["miner"]] == [f"r1-{sha[:12]}"]


def test_a_laws_hostile_words_are_shown_and_never_run() -> None:
    html, _ = page_of(ledger(), "/governments/FR/")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script" not in html
    assert "<img" not in html


def test_the_twin_holds_every_verdict_however_many_the_page_shows() -> None:
    many = [thing for number in range(400) for thing in judged(number, law=f"Law {number} {'x' * 250}")]
    many += [thing for number in range(400, 800) for thing in judged(number, "rejected")]
    found = Record(load()).release("2026-01-10", *BASE, *many).ledger
    html, twin = page_of(found, "/governments/FR/")
    assert len(html.encode()) <= MAX_PAGE
    assert "of 400 are shown; all are in" in html
    assert len(twin["miner"]["by_recommendation"][0]["verdicts"]) == 400
    assert len(twin["miner"]["rejected_ones"]) == 400


def test_a_withheld_passage_is_called_withheld() -> None:
    gone = next(entry for entry in ledger().entries.values() if entry.id == "p-1")
    kept = [entry for entry in ledger().entries.values() if entry is not gone]
    rest = Ledger.of(kept, ledger().releases, [Withheld(gone.name, "2026-02-01", "asked for")])
    assert "passage withheld" in section(page_of(rest, "/governments/FR/")[0])
    assert _rows(rest)["v-1"]["file"] is None


def _rows(found: Ledger) -> dict[Any, dict[str, Any]]:
    codebook = load()
    snapshot = found.at()
    cards = assess_all(snapshot, codebook, Edition.of(found).day)
    table: Table = next(t for t in tables(snapshot, codebook, cards) if t.name == "verdicts")
    names = [column.name for column in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in table.rows]
    return {row["id"]: row for row in rows}


@pytest.mark.parametrize(
    ("thing", "wanted"),
    [
        (
            "v-1",
            {
                "actor": "FR",
                "decision": "accepted",
                "passage": "p-1",
                "source": "src-law",
                "file": "fr/law-1.md",
                "start": 100,
                "end": 250,
                "bears_on": "fr-law",
                "recorded_by": "machine-1",
                "draft": True,
            },
        ),
        (
            "v-3",
            {"decision": "rejected", "passage": None, "file": None, "bears_on": None, "why": "Reason 3."},
        ),
    ],
)
def test_the_table_of_verdicts_says_where_who_and_draft(thing: str, wanted: dict[str, Any]) -> None:
    assert wanted.items() <= _rows(ledger())[thing].items()
