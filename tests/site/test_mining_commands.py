"""From candidates to verdicts at the command line: a queue, a judgement, and its passage found again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mercwatch.capture.passages import selector

Run = Callable[..., "subprocess.CompletedProcess[str]"]

LAW = """\
---
identifier: "12"
title: "Law on remote searches"
---
# Law on remote searches

## Art. 4 Purpose

This law is about searches.

## Art. 5 Remote searches

The agency may enter a device remotely if a judge allows it.

## Art. 6 Report

The agency reports to parliament each year.
"""
FIVE, SIX = "## Art. 5", "## Art. 6"
FILE = "xx/law-12.md"
PERSON = "- {kind: coder, id: person-1, type: person, name: A person}\n"
OF_FRANCE = ("--actor", "FR", "--by", "machine-1", "--why", "It names the agency and the judge.")


def candidate(start: str, end: str | None, recommendation: str, **more: Any) -> dict[str, Any]:
    """A candidate of the law, from one text in it to before another."""
    data = LAW.encode()
    first = data.index(start.encode())
    last = data.index(end.encode()) if end else len(data)
    place = {
        "file": FILE,
        "law": "12",
        "article": start.removeprefix("## "),
        "start": first,
        "end": last,
        "sha256": selector(data, first, last).quote,
        **more,
    }
    return {
        **place,
        "title": "Law on remote searches",
        "recommendation": recommendation,
        "score": 0.9,
        "language": "en",
        "in_force": True,
        "in_force_reason": "nothing says otherwise",
        "reasons": ["names an agency", "names a judge"],
        "places": [place],
    }


def name(row: dict[str, Any]) -> str:
    """A candidate's short name."""
    return f"{row['recommendation'].lower()}-{row['sha256'][:12]}"


R1 = candidate(FIVE, SIX, "R1")
R7 = candidate(FIVE, SIX, "R7")
REPORT = candidate(SIX, None, "R2")
OUTSIDE = candidate(SIX, None, "R3", file="../small.yaml")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A law book with one made-up law."""
    (tmp_path / "book" / "xx").mkdir(parents=True)
    (tmp_path / "book" / FILE).write_text(LAW)
    return tmp_path / "book"


@pytest.fixture
def found(tmp_path: Path, mercwatch: Run, small: Path) -> Path:
    """A file of candidates, and a record of the government whose law it is."""
    small.write_text(small.read_text() + PERSON)
    assert mercwatch("add", small).returncode == 0
    path = tmp_path / "found.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (R1, R7, REPORT, OUTSIDE)))
    return path


def fates(mercwatch: Run, book: Path) -> tuple[int, list[str]]:
    """The exit code of `passages`, and each passage's fate."""
    result = mercwatch("passages", book, "--json")
    assert "Traceback" not in result.stderr
    return result.returncode, [json.loads(line)["fate"] for line in result.stdout.splitlines()]


def test_an_accepted_candidate_becomes_a_passage_that_is_found_again_and_told_when_it_changes(
    mercwatch: Run, found: Path, book: Path
) -> None:
    waiting = mercwatch("queue", found)
    assert f"{name(R1)}   90%  waits" in waiting.stdout
    assert "names an agency; names a judge" in waiting.stdout
    assert "4 candidates, 0 judged." in waiting.stdout

    accepted = ("--accept", name(R1), "--accept", name(R7))
    result = mercwatch(
        "judge",
        found,
        *accepted,
        "--reject",
        name(REPORT),
        *OF_FRANCE,
        "--book",
        book,
        "--source",
        "src-law",
        "--bears-on",
        "fr-law",
    )
    assert result.returncode == 0, result.stderr
    assert "4 entries added: 2 accepted, 1 rejected." in result.stdout  # both share one passage

    judged = mercwatch("queue", found).stdout
    assert "accepted (draft)" in judged
    assert "rejected (draft)" in judged
    assert "4 candidates, 3 judged." in judged

    law = book / FILE
    assert fates(mercwatch, book) == (0, ["unchanged"])
    law.write_text(LAW.replace("# Law on", "A line above.\n\n# Law on", 1))
    assert fates(mercwatch, book) == (0, ["moved"])
    law.write_text(LAW.replace("if a judge allows", "if a clerk allows"))
    assert fates(mercwatch, book) == (1, ["altered"])
    law.write_text(LAW[: LAW.index(FIVE)] + LAW[LAW.index(SIX) :])
    assert fates(mercwatch, book) == (1, ["gone"])
    law.unlink()
    assert fates(mercwatch, book) == (1, ["gone"])
    others = mercwatch("passages", book, "--actor", "DE")
    assert (others.returncode, others.stdout) == (0, "0 unchanged, 0 moved, 0 altered, 0 gone.\n")


def test_a_person_can_take_over_a_machines_verdict_and_says_why(mercwatch: Run, found: Path) -> None:
    reject = ("judge", found, "--reject", name(REPORT), "--actor", "FR")
    assert mercwatch(*reject, "--by", "machine-1", "--why", "It is about reports.").returncode == 0
    again = mercwatch(*reject, "--by", "person-1", "--why", "It only reports.")
    assert again.returncode == 2
    assert "say why in `because`" in again.stderr
    because = ("--because", "A person has read it")
    assert mercwatch(*reject, "--by", "person-1", "--why", "It only reports.", *because).returncode == 0
    judged = mercwatch("queue", found, "-r", "R2").stdout
    assert "rejected" in judged
    assert "draft" not in judged


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--reject", "r1-000000000000"], "no candidate is named r1-000000000000"),
        ([], "give --accept NAME or --reject NAME"),
        (["--accept", name(R1), "--reject", name(R1)], "both accepted and rejected"),
        (["--accept", name(R1)], "--accept needs --book"),
        (["--accept", name(OUTSIDE), "--book", "book", "--source", "src-law"], "leads out of the law book"),
        (["--accept", name(R1), "--book", "book", "--source", "src-none"], "there is no source src-none"),
        (["--accept", name(R1), "--book", "empty", "--source", "src-law"], "cannot be read: No such file"),
        (["--accept", name(R1), "--book", "newer", "--source", "src-law"], "has changed since it was mined"),
        (["--accept", name(R1), "--book", "cut", "--source", "src-law"], "are not inside a file of 5"),
    ],
)
def test_what_cannot_be_judged_is_told_and_adds_nothing(
    mercwatch: Run, found: Path, book: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    for other, text in (("newer", LAW.replace("judge", "clerk")), ("cut", "short")):
        (tmp_path / other / "xx").mkdir(parents=True)
        (tmp_path / other / FILE).write_text(text)
    good = ["--reject", name(REPORT)] if arguments else []
    result = mercwatch("judge", found, *good, *arguments, *OF_FRANCE)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert "4 candidates, 0 judged." in mercwatch("queue", found).stdout


def test_a_broken_line_of_candidates_is_named_with_its_file(mercwatch: Run, tmp_path: Path) -> None:
    path = tmp_path / "found.jsonl"
    path.write_text(f"{json.dumps(R1)}\n{json.dumps({**R7, 'score': 7})}\n")
    for command in (["queue", path], ["judge", path, "--reject", name(R1), *OF_FRANCE]):
        result = mercwatch(*command)
        assert result.returncode == 2
        assert f"{path}:2: score" in result.stderr
        assert "Traceback" not in result.stderr
    path.write_text(f"{json.dumps(R1)}\n{{broken\n")
    assert f"{path}:2: is no JSON" in mercwatch("queue", path).stderr


def test_the_queue_can_be_written_as_a_page(mercwatch: Run, found: Path, book: Path, tmp_path: Path) -> None:
    result = mercwatch("queue", found, "--page", "queue.html", "--book", book, "--top", "1")
    assert "4 candidates written to queue.html." in result.stdout
    page = (tmp_path / "queue.html").read_text()
    assert "The agency may enter a device remotely if a judge allows it." in page
    assert f"mercwatch judge {found} --accept {name(R1)} --book {book}" in page
    nowhere = mercwatch("queue", found, "--page", "no-folder/queue.html")
    assert nowhere.returncode == 2
    assert "cannot be written" in nowhere.stderr
