"""The command as its users meet it: explanations, data, clear errors, exit codes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CODEBOOK = ROOT / "src" / "mercwatch" / "framework" / "codebooks" / "1.0.0.yaml"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_help_names_every_command(started: Run) -> None:
    said = started("--help").stdout
    for command in ("add", "assess", "codebook", "dump", "load", "publish", "release", "serve", "verify"):
        assert f"\n  {command} " in said


def test_assess_leads_from_a_level_to_the_address_of_its_source(mercwatch: Run, released: Path) -> None:
    said = mercwatch("assess", "FR").stdout
    assert "level 2, in force, since 2024-01-01" in said
    assert "[draft]" in said
    assert "https://gazette.example/law" in said
    assert "our working reading" in said


def test_assess_as_of_a_day_answers_for_that_day(mercwatch: Run, released: Path) -> None:
    assert (
        "R1.1 Public rule on when intrusion tools may be used: unknown"
        in mercwatch("assess", "FR", "--as-of", "2023-12-31").stdout
    )


def test_assess_known_before_the_first_release_has_no_answer_and_says_so(
    mercwatch: Run, released: Path
) -> None:
    result = mercwatch("assess", "FR", "--known-on", "2026-01-09")
    assert result.returncode == 2
    assert "there is no answer; the first is of 2026-01-10" in result.stderr


def test_assess_as_json_carries_the_release_and_the_whole_way_back(mercwatch: Run, released: Path) -> None:
    found = json.loads(mercwatch("assess", "FR", "--json").stdout)
    cell = next(cell for cell in found["cells"] if cell["indicator"] == "R1.1")
    assert (cell["level"], cell["draft"], cell["state"]) == (2, True, "level")
    assert cell["tests"][0]["evidence"][0]["addresses"] == ["https://gazette.example/law"]
    assert len(found["release"]["head"]) == 64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["assess", "QQ"], "no government or organisation QQ"),
        (["assess", "fr-law"], "no government or organisation fr-law"),
        (["codebook", "diff", "1.0.0", "9.9.9"], "9.9.9"),
        (["codebook", "diff", "1.0.0", "1.0.0"], "does not come after"),
        (["serve", "nowhere"], "there is no baked site here"),
        (["load", "nowhere"], "there is no such folder"),
    ],
)
def test_bad_questions_get_a_clear_answer_and_exit_code_2(
    mercwatch: Run, released: Path, arguments: list[str], message: str
) -> None:
    result = mercwatch(*arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "line", ["--help", "assess FR", "add small.yaml", "assess QQ", "lint small.yaml", "nonsense"]
)
def test_a_command_of_the_prepared_process_is_the_command_as_it_starts(
    mercwatch: Run, started: Run, released: Path, line: str
) -> None:
    prepared, anew = mercwatch(*line.split()), started(*line.split())
    assert (prepared.returncode, prepared.stdout, prepared.stderr) == (
        anew.returncode,
        anew.stdout,
        anew.stderr,
    )


def test_codebook_diff_says_who_has_to_code_again(mercwatch: Run, tmp_path: Path) -> None:
    text = CODEBOOK.read_text()
    start = text.index("- id: R1.1")
    changed = text[:start] + text[start:].replace("meaning: 1", "meaning: 2", 1)
    changed = changed.replace('version: "1.0.0"', 'version: "1.1.0"', 1)
    (tmp_path / "1.1.0.yaml").write_text(changed)
    result = mercwatch("codebook", "diff", "1.0.0", tmp_path / "1.1.0.yaml")
    assert result.returncode == 0, result.stderr
    assert "R1.1" in result.stdout
    assert "government" in result.stdout


def test_publishing_into_a_folder_that_is_no_site_is_refused_in_a_line(
    mercwatch: Run, released: Path, tmp_path: Path
) -> None:
    assert mercwatch("load", released).returncode == 0
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letters.txt").write_text("Not a site.")
    refused = mercwatch("publish", "--out", mine)
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)
    assert "not a baked site" in refused.stderr
    assert (mine / "letters.txt").read_text() == "Not a site."
