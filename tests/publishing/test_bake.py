"""The baked site: twins, safety, sameness, and what one new action changes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import BASE, Record, Thing, action, coding, government, source
from commands import PROGRAM
from mercwatch.framework.load import load
from mercwatch.publishing.bake import BakeError, bake
from mercwatch.record.ledger import Ledger, LedgerError

Run = Callable[..., "subprocess.CompletedProcess[str]"]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def first_release() -> Record:
    law = action(
        "fr-law", ("adopted", "2023-12-01"), ("in_force", "2024-01-01"), summary=HOSTILE, title=HOSTILE
    )
    return Record(load()).release(
        "2026-01-02",
        *BASE,
        government("DE"),
        source("src-press", "press", "full-text"),
        law,
        action("de-said", ("announced", "2023-05"), actor="DE", of="src-press"),
        coding("R1.1", (2, ["fr-law"], "2024-01-01")),
    )


def statements(*names: str) -> str:
    """A sheet of one statement for each name, on a line each."""
    row: Thing = {"kind": "action", "actor": "FR", "title": "More", "summary": "More.", "type": "statement"}
    row |= {
        "stages": [{"stage": "announced", "date": "2023"}],
        "recommendations": ["R1"],
        "sources": ["src-law"],
    }
    return "".join(json.dumps({"id": name, **row}) + "\n" for name in names)


def contents(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first release, baked, for those who only read it."""
    out = tmp_path_factory.mktemp("first") / "site"
    bake(first_release().ledger, out)
    return out


def test_before_the_first_release_there_is_nothing_to_bake(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="nothing has been released"):
        bake(Ledger(), tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_hostile_text_is_shown_and_never_run(first: Path) -> None:
    page = (first / "actions" / "fr-law" / "index.html").read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for path in first.rglob("*.html"):
        text = path.read_text()
        assert "<script" not in text, path
        assert "<img" not in text, path
        assert not re.search(r"\sstyle=", text), path
        assert not re.search(r'(src|href)="(?!/|#|https?://)', text), path


def test_every_page_carries_a_policy_that_forbids_scripts_and_strangers(first: Path) -> None:
    for path in first.rglob("*.html"):
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', path.read_text())
        assert policy, path
        assert "default-src &#x27;none&#x27;" in policy[1]
        assert "script" not in policy[1]


def test_every_draft_level_says_draft(first: Path) -> None:
    for name in (
        "governments/FR/index.html",
        "indicators/R1.1/index.html",
        "governments/index.html",
        "index.html",
    ):
        assert '<span class="draft">draft</span>' in (first / name).read_text(), name
    twin = json.loads((first / "governments" / "FR.json").read_text())
    assert [cell["draft"] for row in twin["profile"] for cell in row["cells"]] == [True]


def test_baking_a_release_again_gives_the_same_bytes_and_writes_nothing(tmp_path: Path) -> None:
    ledger = first_release().ledger
    bake(ledger, tmp_path / "one")
    bake(ledger, tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    again = bake(ledger, tmp_path / "one")
    assert again.written == 0


def test_after_one_new_action_only_pages_that_show_it_are_written_again(tmp_path: Path) -> None:
    record = first_release()
    site = tmp_path / "site"
    bake(record.ledger, site)
    before = contents(site)
    inodes = {name: (site / name).stat().st_ino for name in before}
    mark = {"kind": "context", "id": "c", "about": "de-more", "coder": "machine-1", "reason": "No test."}
    record.release("2026-02-02", action("de-more", ("announced", "2023-06"), actor="DE"), mark)
    bake(record.ledger, site)
    after = contents(site)
    changed = {name for name in after if before.get(name) != after[name]}
    assert "governments/DE/index.html" in changed
    assert "actions/de-more/index.html" in changed
    for name in (
        "governments/FR/index.html",
        "indicators/R1.1/index.html",
        "codings/fr-r1-1-machine-1/index.html",
        "about/index.html",
    ):
        assert name not in changed
        assert (site / name).stat().st_ino == inodes[name], "an unchanged file is the same file"


def test_a_page_names_the_release_in_which_its_content_last_changed(tmp_path: Path) -> None:
    record = first_release()
    record.release("2026-02-02", action("de-more", ("announced", "2023-06"), actor="DE"))
    bake(record.ledger, tmp_path / "site")
    changed = {
        code: json.loads((tmp_path / "site" / "governments" / f"{code}.json").read_text())["changed"][
            "number"
        ]
        for code in ("FR", "DE")
    }
    assert changed == {"FR": 1, "DE": 2}


def test_a_level_that_aged_out_changes_the_page_in_the_release_that_says_so(tmp_path: Path) -> None:
    used = action("fr-used", ("in_force", "2020-01-01"), ("applied", "2023-01-15"))
    tests = [(2, ["fr-used"], "2020-01-01"), (3, ["fr-used"], "2023-01-15")]
    record = Record(load()).release("2026-01-02", *BASE, used, coding("R1.1", *tests))
    record.release("2026-02-02", government("DE"))
    bake(record.ledger, tmp_path / "site")
    twin = json.loads((tmp_path / "site" / "governments" / "FR.json").read_text())
    assert twin["changed"]["number"] == 2
    assert twin["profile"][0]["cells"][0]["level"] == 2


def test_a_superseded_entry_stays_readable(tmp_path: Path) -> None:
    record = first_release()
    record.release(
        "2026-02-02",
        action("de-said", ("announced", "2023-07"), actor="DE", because="The day was the report's."),
    )
    bake(record.ledger, tmp_path / "site")
    page = (tmp_path / "site" / "actions" / "de-said" / "index.html").read_text()
    assert "Superseded" in page
    assert "The day was the report&#x27;s." in page
    assert "2023-05" in page


def test_a_folder_that_is_not_a_baked_site_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "mine.txt").write_text("mine")
    with pytest.raises(BakeError, match="not a baked site"):
        bake(first_release().ledger, tmp_path / "site")
    assert (tmp_path / "site" / "mine.txt").read_text() == "mine"


def test_a_kill_in_the_middle_of_publishing_leaves_the_old_site_whole(
    mercwatch: Run, small: Path, tmp_path: Path, database: Path
) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text(statements(*(f"fr-{n}" for n in range(300))))  # 600 files between the sign and the end
    for command in (("add", small), ("add", more), ("release",)):
        assert mercwatch(*command).returncode == 0
    site = tmp_path / "site"
    assert mercwatch("publish", "--out", site).returncode == 0
    before = contents(site)
    more.write_text(statements("fr-more"))
    assert mercwatch("add", more).returncode == 0
    assert mercwatch("release").returncode == 0
    process = subprocess.Popen(
        [PROGRAM, "publish", "--out", str(site)],
        env={**os.environ, "MERCWATCH_DB": str(database)},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not any(tmp_path.glob(".site.new-*/governments")) and time.monotonic() < deadline:
        os.sched_yield()
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was killed before it was done"
    assert contents(site) == before
    assert mercwatch("publish", "--out", site).returncode == 0
    assert (site / "actions" / "fr-more" / "index.html").exists()
    assert not list(tmp_path.glob(".site.new-*"))


def test_dates_that_are_only_bounded_are_said_in_words(tmp_path: Path) -> None:
    law = action("fr-law", ("adopted", "../2020-12-31"), ("in_force", "2021-01-01/2022-06-30"))
    judged = coding("R1.1", (2, ["fr-law"], "2021-01-01/2022-06-30"))
    bake(Record(load()).release("2026-01-02", *BASE, law, judged).ledger, tmp_path / "site")
    page = (tmp_path / "site" / "governments" / "FR" / "index.html").read_text()
    assert "since some day from 2021-01-01 to 2022-06-30" in page
    assert "2020-12-31 at the latest" in page
    assert "../2020" not in page
