"""Law 1, walked on the shipped record: from every level, link by link in the twins, to a source or a search log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]
LEVELS = ("level", "searched, nothing found", "count")


def twin(site: Path, page: str) -> Json:
    """The data of a page, by its address."""
    data: Json = json.loads((site / (page.strip("/") + ".json")).read_text())
    return data


def cells(site: Path) -> Iterator[Json]:
    """Every cell that says something, of every actor, and what it inherits."""
    for folder in ("governments", "organisations"):
        for path in sorted((site / folder).glob("*.json")):
            for row in json.loads(path.read_text()).get("profile", []):
                for cell in row["cells"]:
                    yield cell
                    if cell["inherited"]:
                        yield cell["inherited"]


def roots(site: Path, cell: Json) -> Iterator[str]:
    """Where a cell ends: the outside addresses of its sources, or its search log's page."""
    for coding in cell["codings"]:
        page = twin(site, coding["page"])
        if page["coding"]["search_log"]:
            yield twin(site, page["coding"]["search_log"])["search_log"]["searched_on"]
        for evidence in page["coding"]["evidence"]:
            assert (site / evidence["page"].strip("/") / "index.html").exists()
            for source in evidence["sources"]:
                yield twin(site, source["page"])["source"]["address"]


def test_every_level_and_every_nothing_found_leads_to_a_source_or_a_search_log(site: Path) -> None:
    walked = 0
    for cell in cells(site):
        if cell["state"] not in LEVELS:
            continue
        walked += 1
        where = f"{cell['actor']['id']} {cell['indicator']}"
        ends = list(roots(site, cell))
        assert ends, f"{where} leads nowhere"
        assert all(end.startswith(("http://", "https://", "20")) for end in ends), where
        for test in cell["tests"]:
            for evidence in test["evidence"]:
                assert evidence["sources"], f"{where}: {evidence['id']} has no source"
    assert walked > 100


def test_every_source_leads_to_its_captures_or_says_that_there_is_none(site: Path) -> None:
    for path in sorted((site / "sources").glob("*.json")):
        kept = json.loads(path.read_text())["captures"]
        page = (path.with_suffix("") / "index.html").read_text()
        assert ("No capture of our own yet." in page) == (not kept), path
        shown = [one for one in kept if f'id="capture-{one["id"]}"' in page]
        assert all(one["sha256"] in page for one in shown) and bool(shown) == bool(kept), path


def test_every_action_and_finding_names_a_source_with_an_address(site: Path) -> None:
    for path in sorted((site / "actions").glob("*.json")):
        assert all(s["address"].startswith("http") for s in json.loads(path.read_text())["sources"]), path
        assert json.loads(path.read_text())["sources"], path
    for path in sorted((site / "findings").glob("*.json")):
        assert json.loads(path.read_text())["finding"]["sources"], path


def test_every_action_is_coded_or_says_why_not(site: Path) -> None:
    for path in sorted((site / "actions").glob("*.json")):
        data = json.loads(path.read_text())
        assert data["codings"] or data["context_reason"], path


def test_every_link_inside_the_site_leads_somewhere(site: Path) -> None:
    linked: dict[str, Path] = {}  # each link, and a page that has it
    for path in site.rglob("*.html"):
        page = "/" + str(path.relative_to(site))
        for link in set(re.findall(r'href="(/[^"]*|#[^"]*)"', path.read_text())):
            linked.setdefault(page + link if link.startswith("#") else link, path)
    ids: dict[Path, set[str]] = {}
    for link, path in linked.items():
        address, _, fragment = link.partition("#")
        target = site / address.lstrip("/")
        target = target / "index.html" if target.is_dir() else target
        assert target.exists(), f"{path.relative_to(site)} links {link}"
        if fragment and target.suffix == ".html":
            if target not in ids:
                ids[target] = set(re.findall(r'\sid="([^"]+)"', target.read_text()))
            assert fragment in ids[target], f"{path.relative_to(site)} links {link}"
