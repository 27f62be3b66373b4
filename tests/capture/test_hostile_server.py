"""A hostile server: every answer of it is refused with its reason or kept exactly, and harms nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from capture.hostile import CASES, KEPT, MEMORY, Case, serve
from capture.server import NOT_FOUND, Certificates, Server, Talk, ok
from mercwatch.capture.archive import Archive, Kept
from mercwatch.capture.asking import Rules
from mercwatch.capture.fetching import Fetcher

TESTS = Path(__file__).parent.parent
pytestmark = pytest.mark.xdist_group("hostile server")  # all cases are fetched once, by one process


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the archive of this module lies."""
    return tmp_path_factory.mktemp("hostile") / "archive"


@pytest.fixture(scope="module")
def told(server: Server, made: Certificates, folder: Path) -> dict[str, Any]:
    """What came of all cases, fetched by one process, twelve at a time."""
    asked = {"addresses": serve(server, made), "folder": str(folder), "root": str(made.root)}
    done = subprocess.run(
        [sys.executable, "-m", "capture.hostile"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        cwd=TESTS,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_answer_is_refused_with_its_reason_or_kept_exactly(
    case: Case, told: dict[str, Any]
) -> None:
    outcome = told["outcomes"][case.name]
    assert outcome["reason"] == case.expected, outcome["message"]
    if case.expected == KEPT:
        assert outcome["sha256"] == hashlib.sha256(case.body).hexdigest()
    else:
        assert outcome["message"].isprintable() and len(outcome["message"]) < 500


def test_a_slow_answer_costs_no_more_than_its_deadline(told: dict[str, Any]) -> None:
    assert all(told["outcomes"][case.name]["seconds"] < 5 for case in CASES if case.slow)


def test_after_all_of_them_the_archive_is_whole(told: dict[str, Any], folder: Path) -> None:
    assert told["problems"] == []
    with Archive.open(folder) as archive:
        assert len(archive) == sum(case.expected == KEPT for case in CASES)
        assert len(archive.attempts()) == sum(case.expected != KEPT for case in CASES)


def test_after_all_of_them_the_process_is_small_and_nothing_is_left_behind(told: dict[str, Any]) -> None:
    assert told["memory"] < MEMORY
    assert told["threads"] == ["MainThread"]
    assert told["sockets"] == 0
    assert told["longest_sleep"] <= 60


def test_after_all_of_them_a_lost_catalogue_is_made_again_equal(
    told: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder / "warc", tmp_path / "warc")
    with Archive.open(folder) as archive, Archive.open(tmp_path, write=True) as again:
        assert [_plain(kept) for kept in again.all()] == [_plain(kept) for kept in archive.all()]
        assert list(again.verify()) == []


def test_what_a_server_says_in_its_headers_begins_no_header_of_ours(
    told: dict[str, Any], server: Server
) -> None:
    assert not any(b"\r\nX-Injected" in head for head in server.heads)


def _plain(kept: Kept) -> dict[str, Any]:
    return {name: getattr(kept, name) for name in Kept.__slots__}


def test_a_host_is_asked_at_its_pace_and_as_its_robots_txt_asks(server: Server, rules: Rules) -> None:
    slow = ok(b"User-agent: *\nCrawl-delay: 30\n")
    for robots, waits in ((NOT_FOUND, [2, 4, 6]), (slow, [2, 30, 30])):
        origin = server.listen({"/robots.txt": robots, **{f"/{n}": ok(b"page") for n in range(3)}})
        sleeps: list[float] = []
        fetcher = Fetcher(replace(rules, pace=2, robots=True), sleeps.append)
        for number in range(3):
            fetcher.fetch(f"{origin}/{number}")
        assert len(sleeps) == 3  # robots.txt itself is asked at once
        assert all(slept > wait - 1.5 for slept, wait in zip(sleeps, waits, strict=True))


def test_a_server_that_is_busy_is_left_alone_as_long_as_it_asks(server: Server, rules: Rules) -> None:
    def busy(talk: Talk) -> None:
        wait = "7" if talk.number == 1 else "soon"
        talk.send(ok(b"wait", f"Retry-After: {wait}", status="503 Busy") if talk.number < 3 else ok(b"page"))

    origin = server.listen({"/busy": busy})
    sleeps: list[float] = []
    fetcher = Fetcher(replace(rules, retries=2, back_off=3), sleeps.append)
    assert fetcher.fetch(f"{origin}/busy").body == b"page"
    assert [slept for slept in sleeps if slept > 1] == [7, 6]


def test_every_request_says_who_asks_and_where_to_complain(server: Server, rules: Rules) -> None:
    origin = server.listen({"/who": ok(b"page")})
    Fetcher(replace(rules, contact="mail@example.org\r\nX-Injected: yes")).fetch(f"{origin}/who")
    head = server.heads[-1].decode()
    assert head.startswith("GET /who HTTP/1.1\r\n")
    assert "User-Agent: Mercwatch/" in head and "complaints: mail@example.org" in head
    assert "\r\nX-Injected" not in head
