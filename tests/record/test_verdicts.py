"""Passages of law books and verdicts on candidates: what they may say, and what they may refer to."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from builders import BASE, Record, Thing, action
from mercwatch.framework.load import load
from mercwatch.record.dump import ledger_of, scan, write
from mercwatch.record.entries import Entry, parse_body
from mercwatch.record.kinds import Passage, Verdict
from mercwatch.record.problems import Refused
from mercwatch.record.sheets import read_sheet
from mercwatch.record.verify import verify

SHA = hashlib.sha256(b"Art. 5 The agency may.").hexdigest()
OTHER = hashlib.sha256(b"Art. 6 Nobody may.").hexdigest()
NAME = f"r1-{SHA[:12]}"
LAW = action("fr-law", ("in_force", "2024-01-01"))


def passage(**more: Any) -> Thing:
    """A passage of a source's law book."""
    return {
        "kind": "passage",
        "id": "p-1",
        "source": "src-law",
        "file": "fr/law.md",
        "article": "Art. 5",
        "start": 10,
        "end": 32,
        "quote_sha256": SHA,
        **more,
    }


def verdict(**more: Any) -> Thing:
    """An accepted candidate."""
    return {
        "kind": "verdict",
        "id": "v-1",
        "candidate": NAME,
        "actor": "FR",
        "recommendation": "R1",
        "decision": "accepted",
        "law": "Law 1",
        "sha256": SHA,
        "passage": "p-1",
        "why": "It names the agency.",
        **more,
    }


def rejected(**more: Any) -> Thing:
    """A rejected candidate."""
    return {key: value for key, value in verdict(decision="rejected", **more).items() if key != "passage"}


def test_a_passage_and_its_verdict_are_recorded_and_survive_a_dump(tmp_path: Path) -> None:
    ledger = (
        Record(load())
        .release("2026-01-10", *BASE, LAW, passage(), verdict(bears_on=["fr-law"]), rejected(id="v-2"))
        .ledger
    )
    write(ledger, tmp_path)
    assert len((tmp_path / "verdicts.jsonl").read_text().splitlines()) == 2
    assert len((tmp_path / "passages.jsonl").read_text().splitlines()) == 1
    assert verify(tmp_path).ok
    again = ledger_of(scan(tmp_path))
    assert again.entries.keys() == ledger.entries.keys()
    assert again.at().get(Verdict, "v-1").bears_on == ("fr-law",)


def test_a_passage_of_a_capture_keeps_the_name_that_it_had_before_law_books_were_known() -> None:
    text = (
        '{"body":{"capture":"c-1","end":9,"id":"p-1","kind":"passage","quote_sha256":"'
        + SHA
        + '","start":1},"recorded_by":"machine-1","recorded_on":"2026-01-01"}'
    )
    read = Entry.read(text)
    assert Entry.of(read.envelope).text == text
    assert isinstance(read.body, Passage)


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (passage(capture="c-1"), "exactly one of them"),
        ({k: v for k, v in passage().items() if k not in ("source", "file")}, "exactly one of them"),
        ({k: v for k, v in passage().items() if k != "file"}, "names its file"),
        (passage(file="../secret"), "without .."),
        (passage(file="fr/../../secret"), "without .."),
        (passage(file="/etc/passwd"), "without .."),
        (passage(file="fr\\..\\secret"), "without .."),
        (passage(end=10), "ends after it starts"),
        (passage(quote_sha256="no hash"), "quote_sha256"),
        (verdict(candidate="r8-" + SHA[:12]), "candidate"),
        (verdict(candidate="r1-" + OTHER[:12]), "the beginning of its sha256"),
        (verdict(recommendation="R2"), "named by its recommendation"),
        (verdict(decision="perhaps"), "decision"),
        ({k: v for k, v in verdict().items() if k != "passage"}, "an accepted candidate has a passage"),
        (rejected() | {"passage": "p-1"}, "a rejected one has none"),
        (rejected(bears_on=["fr-law"]), "only an accepted candidate bears on actions"),
        ({k: v for k, v in verdict().items() if k != "why"}, "why"),
    ],
)
def test_what_contradicts_itself_is_refused(thing: Thing, message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace(".", r"\.")):
        parse_body(thing)


@pytest.mark.parametrize(
    ("things", "message"),
    [
        ([passage(source="src-none"), rejected()], "source: there is no source src-none"),
        ([passage(source="fr-law"), rejected()], "source: fr-law is a action, not a source"),
        ([verdict(passage="p-none")], "passage: there is no passage p-none"),
        ([verdict(passage="fr-law")], "passage: fr-law is a action, not a passage"),
        ([passage(quote_sha256=OTHER), verdict()], "p-1 has other bytes than the candidate"),
        ([passage(), verdict(bears_on=["fr-none"])], "bears_on: there is no action fr-none"),
        ([passage(), verdict(bears_on=["src-law"])], "bears_on: src-law is a source, not a action"),
        ([passage(), verdict(bears_on=["de-law"])], "bears_on: de-law is of DE, not of FR"),
        ([rejected(actor="QQ")], "unknown government QQ"),
        ([rejected(actor="a-firm")], "actor: a-firm is no government"),
    ],
)
def test_a_verdict_refers_to_its_governments_own_things(things: list[Thing], message: str) -> None:
    firm = {
        "kind": "actor",
        "id": "a-firm",
        "type": "company",
        "name": "A firm",
        "sources": ["src-law"],
    }
    germany = {
        "kind": "actor",
        "id": "DE",
        "type": "government",
        "name": "DE",
        "name_fr": "DE",
        "region": "Europe",
        "status": "member",
        "sources": ["src-law"],
    }
    other = action("de-law", ("in_force", "2024-01-01"), actor="DE")
    with pytest.raises(Refused) as refused:
        Record(load()).release("2026-01-10", *BASE, LAW, firm, germany, other, *things)
    assert message in str(refused.value)


def test_a_verdict_may_rest_on_a_passage_of_a_capture_that_was_read_as_text() -> None:
    capture = {
        "kind": "capture",
        "id": "c-1",
        "source": "src-law",
        "sha256": OTHER,
        "bytes": 99,
        "media_type": "text/html",
        "fetched": "2026-01-01T00:00:00Z",
    }
    of_capture = {
        "kind": "passage",
        "id": "p-1",
        "capture": "c-1",
        "reader": "html 1",
        "start": 1,
        "end": 9,
        "quote_sha256": SHA,
    }
    with pytest.raises(Refused, match="c-1 was not read as text, so nothing can be cut from it"):
        Record(load()).release("2026-01-10", *BASE, LAW, capture, of_capture, verdict())
    read = {**capture, "read": {"reader": "html 1", "text_sha256": SHA}}
    made = Record(load()).release("2026-01-10", *BASE, LAW, read, of_capture, verdict())
    assert "v-1" in made.ledger.live


def test_a_quotation_is_the_words_whose_hash_is_named() -> None:
    row = {"kind": "passage", "id": "p-1", "source": "src-law", "file": "a.md", "start": 1, "end": 9}
    with pytest.raises(ValueError, match="quote_sha256 is not the hash of the quote"):
        Passage.model_validate({**row, "quote_sha256": SHA, "quote": "Other words."})


def test_a_verdict_can_be_written_by_hand_in_a_sheet(tmp_path: Path) -> None:
    sheet = tmp_path / "verdicts.csv"
    sheet.write_text(
        "kind,id,candidate,actor,recommendation,decision,law,sha256,passage,bears_on,why\n"
        f"verdict,v-1,{NAME},FR,R1,accepted,Law 1,{SHA},p-1,fr-law;fr-other,It names the agency.\n"
    )
    (row,) = read_sheet(sheet)
    assert isinstance(row.body, Verdict)
    assert row.body.bears_on == ("fr-law", "fr-other")
