"""The shipped record, baked once and served on loopback, in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from mercwatch.publishing.bake import bake
from mercwatch.record.dump import ledger_of, scan
from mercwatch.record.ledger import Ledger
from mercwatch.site.serve import server

ROOT = Path(__file__).parent.parent.parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    """The shipped record."""
    return ledger_of(scan(ROOT / "data"))


@pytest.fixture(scope="session")
def site(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped record, baked."""
    out = tmp_path_factory.mktemp("bake") / "site"
    bake(ledger, out)
    return out


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the baked site is served."""
    httpd = server(site, 0)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium
        chromium.close()
