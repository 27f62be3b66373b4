"""Every template in a real browser: accessible, valid, small, private, and readable without JavaScript."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent.parent
CHECKS = ROOT / "tests" / "browser"
AXE = CHECKS / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def first(site: Path, folder: str) -> str:
    """The first page of a folder that holds one page a thing."""
    pages = sorted(path.parent.name for path in (site / folder).glob("*/index.html"))
    return f"/{folder}/{pages[0]}/"


PAGES = [
    "/",
    "/governments/",
    "/governments/CH/",
    "/governments/EU/",
    "/governments/TV/",
    "/organisations/",
    "/organisations/meta/",
    "/recommendations/",
    "/recommendations/R1/",
    "/indicators/R1.1/",
    "/methodology/",
    "/corrections/",
    "/changes/",
    "/about/",
    "/data/",
    "/404.html",
]
FOLDERS = ["actions", "findings", "codings", "sources", "instruments"]


def page_of(site: Path, name: str) -> str:
    """A page's address; a folder's name stands for its first page."""
    return name if name.startswith("/") else first(site, name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", PAGES + FOLDERS)
def test_a_page_is_accessible_and_fits_its_screen(
    name: str, width: int, scheme: str, site: Path, address: str, browser: Browser
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # for axe alone, which has to be injected
    )
    page = context.new_page()
    page.goto(address + page_of(site, name))
    page.add_script_tag(path=AXE)
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", WCAG)
    problems = [
        f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:200]} {v['nodes'][0]['failureSummary'][:200]}"
        for v in found["violations"]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert problems == []
    assert wide <= width, "the page scrolls sideways"


def test_every_template_is_valid_html(site: Path, tmp_path: Path) -> None:
    names = [page_of(site, name) for name in PAGES + FOLDERS]
    files = [str(site / name.lstrip("/") / ("index.html" if name.endswith("/") else "")) for name in names]
    report = tmp_path / "report.json"
    command = [
        "node",
        str(CHECKS / "node_modules" / ".bin" / "html-validate"),
        "--formatter",
        f"json={report}",
    ]
    command += ["--config", str(CHECKS / ".htmlvalidate.json")]
    result = subprocess.run([*command, *files], cwd=CHECKS, capture_output=True, text=True, check=False)
    assert report.exists(), result.stderr
    messages = [
        f"{Path(page['filePath']).relative_to(site)}:{m['line']}: {m['ruleId']}: {m['message']}"
        for page in json.loads(report.read_text())
        for m in page["messages"]
    ]
    assert messages == []


def test_no_page_asks_anyone_else_for_anything_or_breaks_its_own_policy(
    site: Path, address: str, browser: Browser
) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    for name in PAGES + FOLDERS:
        response = page.goto(address + page_of(site, name))
        assert response is not None
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    context.close()
    assert [url for url in asked if not url.startswith((address, "data:"))] == []
    assert complaints == []


def test_pages_read_the_same_without_javascript(site: Path, address: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "/governments/")
    assert page.get_by_role("link", name="Switzerland").first.is_visible()
    page.goto(address + "/governments/CH/")
    assert page.get_by_role("heading", name="Switzerland").is_visible()
    context.close()


def test_pages_stay_small(site: Path) -> None:
    styles = sum(path.stat().st_size for path in site.rglob("*.css"))
    for path in site.rglob("*.html"):
        limit = 400_000 if path == site / "index.html" else 150_000
        assert path.stat().st_size + styles <= limit, path.relative_to(site)
