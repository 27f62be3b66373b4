"""What a blind coder gets, and how a coding sheet enters the record."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Commands
from once import once

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SHEET = """\
kind: coding-sheet
id: FR
codings:
  R1.1:
    why: It names agencies, offences and necessity.
    tests:
      "1": {by: [fr-law], since: "2024-01-01"}
      "2": {by: [fr-law], since: "2024-01-01"}
      "3": "no"
  R1.2:
    why: A rule is known to exist and was not read.
    answer: unknown
rest_unknown: Nothing on record bears on it.
"""
BLIND = """\
- {kind: coder, id: machine-2, type: machine, name: Second, model: m, instructions: Other order., blind: true}
"""


@pytest.fixture(scope="module")
def recorded_once(commands: Commands, released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the small record with a second coder."""

    def make(folder: Path) -> None:
        database = shutil.copy(released_once / "record.sqlite3", folder)
        (folder / "coder.yaml").write_text(BLIND)
        variables = {**os.environ, "MERCWATCH_DB": str(database)}
        assert commands.run(["add", "coder.yaml"], folder, variables, 120).returncode == 0

    return once(tmp_path_factory, "recorded", make) / "record.sqlite3"


@pytest.fixture
def recorded(recorded_once: Path, database: Path, small: Path, tmp_path: Path) -> Path:
    """The small record with a second coder, in this test's database; the path of a coding sheet."""
    shutil.copy(recorded_once, database)
    sheet = tmp_path / "fr.yaml"
    sheet.write_text(SHEET)
    return sheet


def test_a_dossier_holds_tests_and_evidence_and_nobodys_coding(
    mercwatch: Run, recorded: Path, tmp_path: Path
) -> None:
    assert "1 dossiers" in mercwatch("dossier", "FR", "--out", tmp_path / "out").stdout
    text = (tmp_path / "out" / "FR.md").read_text()
    assert "R1.1" in text and "`fr-law`" in text and "read: provision" in text
    assert "R8.1" not in text, "a government is not asked what companies are asked"
    assert "The law names agencies, aims and the test" not in text, "the rationale of a coding"
    assert "machine-1" not in text


def test_two_coders_get_the_same_material_in_opposite_order(
    mercwatch: Run, recorded: Path, tmp_path: Path
) -> None:
    for reading in ("tests-first", "evidence-first"):
        mercwatch("dossier", "FR", "--out", tmp_path / reading, "--reading", reading)
    one, other = ((tmp_path / name / "FR.md").read_text() for name in ("tests-first", "evidence-first"))
    same = {line for line in one.splitlines() if not line.startswith("# ")}
    assert same == {line for line in other.splitlines() if not line.startswith("# ")}
    assert one.index("## R1.1") < one.index("## R7.1") < one.index("`fr-law`")
    assert other.index("`fr-law`") < other.index("## R7.1") < other.index("## R1.1")


def test_a_dossier_of_nobody_is_refused(mercwatch: Run, recorded: Path, tmp_path: Path) -> None:
    done = mercwatch("dossier", "ZZ", "--out", tmp_path / "out")
    assert done.returncode == 2 and "no government or organisation ZZ" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_coding_sheet_codes_what_it_names_and_says_unknown_of_the_rest(
    mercwatch: Run, recorded: Path, tmp_path: Path
) -> None:
    assert mercwatch("code", recorded, "--by", "machine-2").returncode == 0
    mercwatch("dump", tmp_path / "dump")
    rows = [json.loads(line)["entry"]["body"] for line in (tmp_path / "dump/codings.jsonl").open()]
    mine = {row["indicator"]: row for row in rows if row["coder"] == "machine-2"}
    assert [test["met"] for test in mine["R1.1"]["tests"]] == [True, True, False]
    assert mine["R1.1"]["pins"], "the evidence is pinned to the version that the coder saw"
    assert mine["R7.2"]["answer"] == "unknown"
    assert {i.split(".")[0] for i in mine} == {f"R{n}" for n in range(1, 8)}


def test_a_coding_sheet_added_again_adds_nothing_until_its_evidence_changes(
    mercwatch: Run, recorded: Path, small: Path
) -> None:
    mercwatch("code", recorded, "--by", "machine-2")
    assert "0 codings added" in mercwatch("code", recorded, "--by", "machine-2").stdout
    law = small.read_text().split("- kind: action")[1].split("- kind: coding")[0]
    small.write_text("- kind: action" + law.replace("It names", "It also names") + "  because: read again\n")
    assert mercwatch("add", small).returncode == 0
    assert "1 codings added" in mercwatch("code", recorded, "--by", "machine-2").stdout


BAD = {
    "an actor that is not there": ("id: FR", "id: DE", ":1: there is no government or organisation DE"),
    "an indicator asked of others": ("  R1.2:", "  R8.1:", ":10: R8.1 is not asked of FR"),
    "a level that does not exist": ('"3": "no"', '"4": "no"', "a test is named by its level"),
    "evidence that is not there": ("by: [fr-law]", "by: [fr-lew]", ":4: coding fr-r1-1-machine-2: evidence"),
    "an answer that is none": ("answer: unknown", "answer: perhaps", "answer"),
    "a test met before its evidence": ("2024-01-01", "2020-01-01", "before the evidence began"),
    "broken YAML": ("codings:", "codings: [", "fr.yaml:"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_coding_sheet_is_refused_whole(
    case: str, mercwatch: Run, recorded: Path, tmp_path: Path
) -> None:
    old, new, words = BAD[case]
    recorded.write_text(SHEET.replace(old, new))
    done = mercwatch("code", recorded, "--by", "machine-2")
    assert done.returncode == 2, done.stdout
    assert words in done.stderr and "fr.yaml" in done.stderr
    mercwatch("dump", tmp_path / "dump")
    assert "machine-2" not in (tmp_path / "dump/codings.jsonl").read_text(), "nothing was taken in"
