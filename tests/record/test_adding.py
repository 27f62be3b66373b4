"""What `mercwatch add` takes in, and what it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def without(sheet: Path, *lines: str) -> Path:
    """The sheet without lines that contain one of these texts."""
    kept = [line for line in sheet.read_text().splitlines() if not any(text in line for text in lines)]
    sheet.write_text("\n".join(kept) + "\n")
    return sheet


def changed(sheet: Path, old: str, new: str) -> Path:
    """The sheet with one text put for another, which must be there."""
    text = sheet.read_text()
    assert old in text
    sheet.write_text(text.replace(old, new))
    return sheet


def test_a_good_sheet_is_added_and_adding_it_again_adds_nothing(mercwatch: Run, small: Path) -> None:
    assert "5 entries added" in mercwatch("add", small).stdout
    assert "0 entries added" in mercwatch("add", small).stdout


BAD = {
    "an unknown field": (
        "  iso3: FRA",
        "  iso3: FRA\n  colour: blue",
        "actor FR: colour: there is no such field",
    ),
    "a missing source": (
        "  recommendations: [R1]\n  sources: [src-law]",
        "  recommendations: [R1]",
        "sources",
    ),
    "a date that is not one": ('date: "2023-12-20"', 'date: "2023-13-20"', "'2023-13-20' is not a date"),
    "a deed after its publication": (
        'published: "2024-01-02"',
        'published: "2023-01-02"',
        "after every source",
    ),
    "a publication after it was read": (
        "read_on: 2026-01-10",
        "read_on: 2023-01-10",
        "before it was published",
    ),
    "an unknown government": ("  actor: FR\n  title", "  actor: QQ\n  title", "unknown government QQ"),
    "an unknown indicator": ("indicator: R1.1", "indicator: R1.9", "unknown indicator R1.9"),
    "an unknown source": (
        "status: member\n  sources: [src-law]",
        "status: member\n  sources: [src-x]",
        "src-x",
    ),
    "a coding without evidence": ("by: [fr-law], since", "by: [], since", "names its evidence"),
    "an applied level without application": ("level: 2", "level: 3", "no evidence has the stage applied"),
    "a level that is not there": ("level: 2", "level: 7", "has no such level"),
    "a level before its evidence": ('since: "2024-01-01"', 'since: "2019"', "before the evidence began"),
    "a coding by nobody": ("coder: machine-1\n  tests", "coder: nobody\n  tests", "there is no coder nobody"),
    "an old meaning": ("meaning: 1", "meaning: 9", "no meaning-version 9"),
    "a government with a long id": ("  id: FR\n", "  id: france\n", "two-letter code"),
    "an address that is a script": ("https://gazette.example/law", "javascript:alert(1)", "address"),
    "an alias": ("publisher: Official gazette", "publisher: *x", "alias"),
}


@pytest.mark.parametrize(("old", "new", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_with_file_line_and_rule(
    mercwatch: Run, small: Path, old: str, new: str, message: str, tmp_path: Path
) -> None:
    result = mercwatch("add", changed(small, old, new))
    assert result.returncode == 2
    assert message in result.stderr
    first = result.stderr.splitlines()[0].split(":")
    assert first[0] == "small.yaml"
    assert int(first[1]) >= 1
    assert "nothing was taken in" in result.stderr or "small.yaml" in result.stderr
    assert "nothing is pending" in mercwatch("release").stderr


def test_all_errors_are_told_at_once(mercwatch: Run, small: Path) -> None:
    changed(small, "indicator: R1.1", "indicator: R1.9")
    changed(small, "  actor: FR\n  title", "  actor: QQ\n  title")
    errors = mercwatch("add", small).stderr
    assert "unknown indicator R1.9" in errors
    assert "unknown government QQ" in errors
    assert "small.yaml:27:" in errors  # the action's line
    assert "small.yaml:38:" in errors  # the coding's line


def test_a_level_0_needs_a_search_log(mercwatch: Run, small: Path) -> None:
    text = small.read_text().split("  tests:")[0]
    small.write_text(text + "  answer: zero\n  rationale: Nothing was found.\n")
    result = mercwatch("add", small)
    assert result.returncode == 2
    assert "search_log" in result.stderr


def test_a_search_log_with_gaps_supports_no_level_0(mercwatch: Run, small: Path) -> None:
    text = small.read_text().split("  tests:")[0]
    log = """\
- kind: search_log
  id: fr-log
  actor: FR
  coder: machine-1
  indicators: [R1.1]
  covers_checklist: true
  official_languages_covered: true
  places: [The gazette]
  languages: [fr]
  queries: [captation de données]
  period: 2020/2026
  searched_on: 2026-01-05
  gaps: [Two codes break off early.]
"""
    small.write_text(text + "  answer: zero\n  search_log: fr-log\n  rationale: Nothing was found.\n" + log)
    result = mercwatch("add", small)
    assert result.returncode == 2
    assert "supports no 0" in result.stderr
    without(small, "gaps:")
    assert mercwatch("add", small).returncode == 0


def test_an_id_stands_for_one_thing(mercwatch: Run, small: Path, tmp_path: Path) -> None:
    changed(small, "id: fr-law", "id: src-law")
    assert "used for two things, also on line 7" in mercwatch("add", small).stderr


def test_a_changed_thing_needs_a_reason_and_then_supersedes(mercwatch: Run, small: Path) -> None:
    assert mercwatch("add", small).returncode == 0
    changed(small, "title: A law on intrusion", "title: The law on intrusion")
    assert "say why in `because`" in mercwatch("add", small).stderr
    changed(small, "  id: fr-law\n", "  id: fr-law\n  because: The title was not the law's own.\n")
    assert "1 entries added" in mercwatch("add", small).stdout


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.yaml", b"- kind: coder\n  id: x\n  name: \xff\xfe\n", "bad.yaml:3: this is not UTF-8"),
        ("bad.jsonl", b'{"kind": "coder", "kind": "coder"}\n', "stands twice"),
        ("deep.jsonl", b"[" * 100_000 + b"\n", "nested deeper"),
        ("list.jsonl", b"[1, 2]\n", "list.jsonl:1: a row is a list of fields"),
        ("real.jsonl", b'{"kind": "coder", "id": 1.5}\n', "not a whole number"),
        ("bomb.yaml", b"a: &a [x]\nb: [*a, *a]\n", "bomb.yaml:1"),
        ("ragged.csv", b"kind,id\ncoder\n", "ragged.csv:2: the row has more or fewer cells"),
        ("sheet.exe", b"MZ", "a sheet ends in"),
    ],
)
def test_hostile_files_are_refused(
    mercwatch: Run, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    result = mercwatch("add", tmp_path / name)
    assert result.returncode == 2
    assert message in result.stderr


def test_a_line_of_2_gb_is_refused_without_being_read(mercwatch: Run, tmp_path: Path) -> None:
    huge = tmp_path / "huge.jsonl"
    with huge.open("wb") as stream:
        stream.write(b'{"kind": "coder", "id": "')
        stream.truncate(2 * 1024**3)  # a sparse file: zeros without an end of line
    result = subprocess.run(
        ["prlimit", "--as=1000000000", str(Path(sys.executable).parent / "mercwatch"), "add", str(huge)],
        env={**os.environ, "MERCWATCH_DB": str(tmp_path / "db.sqlite3")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2, result.stderr
    assert "huge.jsonl:1: the line is longer than 1,000,000 bytes" in result.stderr


def test_a_csv_sheet_says_the_same_as_a_yaml_sheet(mercwatch: Run, tmp_path: Path, small: Path) -> None:
    assert mercwatch("add", small).returncode == 0
    sheet = tmp_path / "more.csv"
    sheet.write_text(
        "kind,id,actor,title,summary,type,stages,recommendations,sources\n"
        'action,fr-more,FR,More,Said more.,statement,"[{""stage"": ""announced"", ""date"": ""2023""}]",'
        "R1;R2,src-law\n"
    )
    assert "1 entries added" in mercwatch("add", sheet).stdout


def test_a_kill_in_the_middle_of_adding_leaves_nothing_half_there(
    mercwatch: Run, small: Path, tmp_path: Path, database: Path
) -> None:
    assert mercwatch("add", small).returncode == 0
    many = tmp_path / "many.jsonl"
    row = '{{"kind":"person","id":"p-{0}","salt":"{0:032x}","name":"N","role":"R","basis":"charged","sources":["src-law"]}}\n'
    with many.open("w") as stream:
        stream.writelines(row.format(number) for number in range(20_000))
    for seconds in (1.8, 3.6, 5.4):
        kill_after(seconds, database, "add", many)
        mercwatch("dump", tmp_path / "dump")
        people = tmp_path / "dump" / "people.jsonl"
        there = len(people.read_text().splitlines()) if people.exists() else 0
        assert there in (0, 20_000)


def test_a_kill_in_the_middle_of_loading_leaves_nothing_half_there(
    mercwatch: Run, tmp_path: Path, database: Path
) -> None:
    whole = len(list((ROOT / "data").glob("*.jsonl")))
    for seconds in (0.6, 1.0, 1.4, 1.8):
        kill_after(seconds, database, "load", ROOT / "data")
        assert mercwatch("dump", tmp_path / "dump").returncode == 0
        assert len(list((tmp_path / "dump").glob("*.jsonl"))) in (0, whole)


def kill_after(seconds: float, database: Path, *arguments: str | Path) -> None:
    """Run a command and kill it hard after that time, or let it end if it was faster."""
    command = [str(Path(sys.executable).parent / "mercwatch"), *map(str, arguments)]
    process = subprocess.Popen(
        command, env={**os.environ, "MERCWATCH_DB": str(database)}, stdout=subprocess.DEVNULL
    )
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
