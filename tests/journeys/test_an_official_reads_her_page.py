"""An official opens her country's page and follows a level to its source; a reporter cites and downloads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from mercwatch.record.verify import verify


@pytest.fixture
def page(browser: Browser) -> Page:
    """A fresh window."""
    return browser.new_context(viewport={"width": 1280, "height": 900}).new_page()


def test_from_a_level_to_its_source_in_three_clicks(page: Page, address: str) -> None:
    page.goto(address + "/")
    page.get_by_role("link", name="Governments").first.click()
    page.get_by_role("link", name="Luxembourg").first.click()
    assert "draft" in page.inner_text("main").lower()
    page.locator("main a[href^='/actions/lu-']").first.click()
    page.locator("main a[href^='http']").first.wait_for()
    outside = page.locator("main a[href^='http']").first
    assert outside.get_attribute("rel") is not None
    assert "noopener" in (outside.get_attribute("rel") or "")


def test_her_page_says_what_is_credited_what_contradicts_it_and_what_nobody_has_looked_at(
    page: Page, address: str
) -> None:
    page.goto(address + "/governments/PL/")
    text = page.inner_text("body").lower()
    for word in ("since", "draft", "unknown", "next step", "how to cite", "finding", "our working reading"):
        assert word in text, word
    page.goto(address + "/governments/TV/")
    assert "nobody has looked" in page.inner_text("main").lower()


def test_every_page_has_a_data_twin_at_the_same_address(site: Path) -> None:
    for path in site.rglob("index.html"):
        folder = path.parent
        twin = site / "index.json" if folder == site else folder.with_name(folder.name + ".json")
        json.loads(twin.read_text())
        address = "/" + str(twin.relative_to(site))
        assert f'href="{address}"' in path.read_text(), f"{path} does not link its twin"


def test_the_dump_on_the_site_verifies_against_its_own_head(site: Path) -> None:
    release = json.loads((site / "release.json").read_text())
    verdict = verify(site / "data" / "dump", release["head"])
    assert verdict.ok, verdict.problems
    assert verdict.pinned


def test_the_data_package_is_valid(site: Path) -> None:
    frictionless = Path(sys.executable).parent / "frictionless"
    result = subprocess.run(
        [frictionless, "validate", "datapackage.json"],
        cwd=site / "data",
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:]


def test_what_a_page_cites_is_the_release_that_it_rests_on(page: Page, address: str, site: Path) -> None:
    head = json.loads((site / "release.json").read_text())["head"]
    page.goto(address + "/governments/LU/")
    assert re.search(r"release \d+", page.inner_text("main").lower())
    assert head[:12] in page.inner_text("body")
