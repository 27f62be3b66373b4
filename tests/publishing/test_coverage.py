"""What the methodology page counts, and what the pages of firms and facts show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builders import BASE, MACHINE, Record, Thing, action, coding, government, source
from mercwatch.framework.load import load
from mercwatch.publishing.bake import bake

Json = dict[str, Any]
BLIND = [{**MACHINE, "id": f"machine-{n}", "blind": True} for n in (1, 2)]
CALL: Thing = {
    "kind": "instrument",
    "id": "paris-call-2018",
    "title": "Paris Call",
    "date": "2018-11-12",
    "summary": "A call.",
    "sources": ["src-law"],
}


def endorsement(actor: str) -> Thing:
    return {
        "kind": "endorsement",
        "id": f"{actor.lower()}-paris-call-2018",
        "actor": actor,
        "instrument": "paris-call-2018",
        "sources": ["src-law"],
    }


def search_log(actor: str) -> Thing:
    return {
        "kind": "search_log",
        "id": f"{actor.lower()}-search",
        "actor": actor,
        "coder": "machine-1",
        "indicators": ["R2.1"],
        "covers_checklist": False,
        "places": ["stored pages"],
        "languages": ["en"],
        "official_languages_covered": True,
        "queries": ["control list"],
        "period": "2026",
        "searched_on": "2026-01-01",
        "gaps": ["stored copies only"],
    }


VENDOR: Thing = {
    "kind": "actor",
    "id": "spy-firm",
    "type": "vendor",
    "name": "Spy Firm",
    "aliases": ["SpyFirm Ltd"],
    "country": "FR",
    "capabilities": ["spyware"],
    "owners": ["A fund, 2014 to 2019"],
    "related": [{"actor": "old-firm", "relation": "successor-of", "since": "2020"}],
    "sources": ["src-law"],
}
OLD_VENDOR: Thing = {
    "kind": "actor",
    "id": "old-firm",
    "type": "vendor",
    "name": "Old Firm",
    "sources": ["src-law"],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A baked site with three endorsers, one of them coded twice, and two firms."""
    law = action(
        "fr-law",
        ("in_force", "2024-01-01"),
        vendors=["SpyFirm Ltd", "Nobody Knows"],
        where={"src-law": "Article 5"},
    )
    note = action("de-note", ("in_force", "2024-01-01"), actor="DE", of="src-note")
    record = Record(load()).release(
        "2026-01-02",
        *BASE[1:],
        *BLIND,
        *(government(code) for code in ("DE", "ES", "EU")),
        source("src-note", "secondary", "excerpt"),
        CALL,
        *(endorsement(code) for code in ("FR", "DE", "ES")),
        search_log("ES"),
        VENDOR,
        OLD_VENDOR,
        law,
        note,
        coding("R1.3", (2, ["fr-law"], "2024-01-01")),
        coding("R1.3", (1, ["fr-law"], "2024-01-01"), coder="machine-2"),
        {
            "kind": "adjudication",
            "id": "fr-r1-3",
            "actor": "FR",
            "indicator": "R1.3",
            "coder": "machine-1",
            "stands": "fr-r1-3-machine-1",
            "reason": "The second class is named too.",
        },
        coding("R2.6", (1, ["de-note"], "2024-01-01"), actor="DE"),
        coding("R2.1", actor="ES", answer="unknown"),
    )
    out = tmp_path_factory.mktemp("coverage") / "site"
    bake(record.ledger, out)
    return out


def twin(site: Path, page: str) -> Json:
    data: Json = json.loads((site / f"{page.strip('/')}.json").read_text())
    return data


def html(site: Path, page: str) -> str:
    return (site / page.strip("/") / "index.html").read_text()


def test_the_sample_is_those_who_endorsed_the_paris_call_and_the_union(site: Path) -> None:
    sample = twin(site, "/methodology/")["sample"]
    assert sample["governments"] == 4
    assert sample["record"] == {"actions": 2, "median": 0, "firm": 1, "neither": 1, "search_logs": 1}


def test_each_government_stands_at_its_highest_level_and_unknown_is_not_zero(site: Path) -> None:
    rows = {row["id"]: row for row in twin(site, "/methodology/")["sample"]["recommendations"]}
    assert rows["R1"]["standing"] == [0, 1, 0]
    assert (rows["R1"]["standing_nothing_found"], rows["R1"]["standing_unknown"]) == (0, 3)
    assert sum(rows["R7"]["standing"]) + rows["R7"]["standing_unknown"] == 4


def test_cells_are_counted_by_level_by_search_and_by_what_they_rest_on(site: Path) -> None:
    rows = {row["id"]: row for row in twin(site, "/methodology/")["sample"]["indicators"]}
    assert (rows["R1.3"]["levels"], rows["R1.3"]["primary"], rows["R1.3"]["drafts"]) == ([0, 1, 0], 1, 1)
    assert (rows["R2.6"]["levels"], rows["R2.6"]["primary"]) == ([1, 0, 0], 0)
    assert (rows["R2.1"]["unknown_searched"], rows["R2.1"]["unknown"]) == (1, 3)


def test_agreement_stands_on_the_page_and_in_the_download(site: Path) -> None:
    (row,) = twin(site, "/methodology/")["agreement"]["rows"]
    assert (row["indicator"], row["n"], row["percent"], row["pairing"]) == (
        "R1.3",
        1,
        0,
        "machine with machine",
    )
    assert "undefined" in html(site, "/methodology/")
    lines = (site / "data/agreement.csv").read_text().splitlines()
    assert lines[1].startswith('"R1.3","1","true","machine with machine","1","0","0.0000"')


def test_a_cell_on_which_coders_differed_says_which_coding_stands_and_why(site: Path) -> None:
    page = html(site, "/governments/FR/")
    assert "The second class is named too." in page
    assert "/codings/fr-r1-3-machine-2/" in page, "the coding that does not stand is a link away"
    assert "as a <span" in page, "a machine's decision is a draft"


def test_what_was_looked_at_and_is_unknown_is_told_apart(site: Path) -> None:
    page = twin(site, "/governments/ES/")
    looked = [i["id"] for row in page["looked_and_unknown"] for i in row["indicators"]]
    unseen = [i["id"] for row in page["nobody_has_looked"] for i in row["indicators"]]
    assert looked == ["R2.1"] and "R2.1" not in unseen and len(unseen) == 37
    assert page["search_logs"][0]["page"] in html(site, "/governments/ES/")


def test_a_firm_has_one_page_under_all_its_names(site: Path) -> None:
    firm = twin(site, "/market/spy-firm/")
    assert firm["firm"]["aliases"] == ["SpyFirm Ltd"]
    assert [deed["id"] for deed in firm["actions"]] == ["fr-law"]
    assert "successor of" in html(site, "/market/spy-firm/")
    assert "followed by" in html(site, "/market/old-firm/")
    assert "/market/spy-firm/" in html(site, "/actions/fr-law/")
    assert "Nobody Knows" in html(site, "/actions/fr-law/")


def test_firms_of_the_market_are_asked_nothing_and_stand_in_no_list_of_organisations(site: Path) -> None:
    assert not twin(site, "/organisations/")["rows"]
    assert {row["id"] for row in twin(site, "/market/")["rows"]} == {"spy-firm", "old-firm"}
    assert not (site / "organisations/spy-firm").exists()


def test_a_fact_says_its_place_in_its_source(site: Path) -> None:
    assert twin(site, "/actions/fr-law/")["sources"][0]["place"] == "Article 5"
    assert ", Article 5 <span" in html(site, "/actions/fr-law/")
    assert '"fr-law","src-law","Article 5"' in (site / "data/action_sources.csv").read_text()
