"""Dump, load, release and verify: the record as a set that anyone can check."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercwatch.record.verify import verify

ROOT = Path(__file__).parent.parent.parent
Run = Callable[..., "subprocess.CompletedProcess[str]"]

MORE = """\
- kind: action
  id: {id}
  actor: FR
  title: A statement
  summary: It was said.
  type: statement
  stages: [{{stage: announced, date: "2023-05"}}]
  recommendations: [R1]
  sources: [src-law]
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_a_dump_loads_into_another_database_and_dumps_the_same_bytes(
    mercwatch: Run, started: Run, released: Path, tmp_path: Path
) -> None:
    other = str(tmp_path / "other.sqlite3")
    assert "5 entries were new" in mercwatch("load", released, MERCWATCH_DB=other).stdout
    assert "0 entries were new" in mercwatch("load", released, MERCWATCH_DB=other).stdout
    started("dump", tmp_path / "again", MERCWATCH_DB=other)
    assert contents(tmp_path / "again") == contents(released)


def test_the_shipped_record_verifies_and_round_trips(mercwatch: Run, tmp_path: Path) -> None:
    data = ROOT / "data"
    assert mercwatch("verify", data).returncode == 0
    assert mercwatch("load", data).returncode == 0
    mercwatch("dump", tmp_path / "again")
    shipped = {name: text for name, text in contents(data).items() if name != "README.md"}
    assert contents(tmp_path / "again") == shipped


def test_two_branches_that_each_add_facts_merge_without_conflict(
    mercwatch: Run, released: Path, tmp_path: Path
) -> None:
    repository = tmp_path / "repository"
    shutil.copytree(released, repository / "data")
    shutil.copy(ROOT / ".gitattributes", repository / ".gitattributes")

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@t.example"]
        subprocess.run(["git", *identity, *arguments], cwd=repository, check=True, capture_output=True)

    git("init", "--initial-branch", "main")
    git("add", ".")
    git("commit", "-m", "start")
    for branch in ("one", "two"):
        git("checkout", "-b", branch, "main")
        base = {"MERCWATCH_DB": str(tmp_path / f"{branch}.sqlite3")}
        sheet = tmp_path / f"{branch}.yaml"
        sheet.write_text(MORE.format(id=f"fr-said-{branch}"))
        mercwatch("load", repository / "data", **base)
        assert mercwatch("add", sheet, **base).returncode == 0
        mercwatch("dump", repository / "data", **base)
        git("commit", "-am", branch)
    git("merge", "one")
    assert mercwatch("load", repository / "data").returncode == 0
    mercwatch("dump", repository / "data")
    both = (repository / "data" / "actions.jsonl").read_text()
    assert "fr-said-one" in both
    assert "fr-said-two" in both
    assert mercwatch("verify", repository / "data", "--allow-pending").returncode == 0
    assert mercwatch("release").returncode == 0


def test_two_versions_of_one_thing_block_a_release_until_a_third_names_both(
    mercwatch: Run, released: Path, tmp_path: Path
) -> None:
    for branch in ("one", "two"):
        base = {"MERCWATCH_DB": str(tmp_path / f"{branch}.sqlite3")}
        sheet = tmp_path / f"{branch}.yaml"
        sheet.write_text(MORE.format(id="fr-said").replace("It was said.", f"It was said by {branch}."))
        mercwatch("load", released, **base)
        mercwatch("add", sheet, **base)
        mercwatch("dump", tmp_path / branch, **base)
        assert mercwatch("load", tmp_path / branch).returncode == 0
    refused = mercwatch("release")
    assert refused.returncode == 2
    assert "fr-said: two live entries" in refused.stderr
    sheet.write_text(MORE.format(id="fr-said") + "  because: The first summary is the source's.\n")
    assert mercwatch("add", sheet).returncode == 0
    assert mercwatch("release").returncode == 0


def test_two_releases_with_one_predecessor_are_refused(
    mercwatch: Run, released: Path, tmp_path: Path
) -> None:
    for branch in ("one", "two"):
        base = {"MERCWATCH_DB": str(tmp_path / f"{branch}.sqlite3")}
        sheet = tmp_path / f"{branch}.yaml"
        sheet.write_text(MORE.format(id=f"fr-said-{branch}"))
        mercwatch("load", released, **base)
        mercwatch("add", sheet, **base)
        mercwatch("release", **base)
        mercwatch("dump", tmp_path / branch, **base)
    assert mercwatch("load", tmp_path / "one").returncode == 0
    refused = mercwatch("load", tmp_path / "two")
    assert refused.returncode == 2
    assert "name one predecessor" in refused.stderr


def test_the_database_refuses_to_change_or_delete_what_is_recorded(
    mercwatch: Run, released: Path, database: Path
) -> None:
    connection = sqlite3.connect(database)
    for statement in (
        "DELETE FROM entry",
        "UPDATE entry SET text = ''",
        "DELETE FROM release",
        "UPDATE release SET number = 2",
    ):
        with pytest.raises(sqlite3.DatabaseError, match="never changed or deleted"):
            connection.execute(statement)


def test_a_withheld_body_leaves_dump_and_database_and_stays_counted(
    mercwatch: Run, started: Run, released: Path, tmp_path: Path, database: Path
) -> None:
    line = next(t for t in (released / "actions.jsonl").read_text().splitlines() if "fr-law" in t)
    name = json.loads(line)["name"]
    notice = tmp_path / "notice.yaml"
    notice.write_text(
        f"- kind: withholding\n  id: withheld-1\n  target: {name}\n  thing: fr-law\n"
        "  date: 2026-02-01\n  reason: Order of a court.\n"
    )
    assert mercwatch("add", notice, "--on", "2026-02-01").returncode == 0
    assert mercwatch("release", "--on", "2026-02-01").returncode == 0
    mercwatch("dump", tmp_path / "after")
    assert not any(b"It names agencies" in text for text in contents(tmp_path / "after").values())
    assert b"It names agencies" not in database.read_bytes()
    verdict = mercwatch("verify", tmp_path / "after")
    assert verdict.returncode == 0, verdict.stderr
    assert "1 withheld" in verdict.stdout
    assert mercwatch("load", released).returncode == 0  # an older dump does not bring it back
    started("dump", tmp_path / "later")
    assert contents(tmp_path / "later") == contents(tmp_path / "after")
    assert "under review" in mercwatch("assess", "FR").stdout


def test_withholding_a_correction_does_not_bring_back_what_it_corrected(
    mercwatch: Run, released: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "fixed.yaml"
    fixed = MORE.format(id="fr-law").replace("A statement", "Corrected")
    sheet.write_text(fixed + "  because: The first was wrong.\n")
    assert mercwatch("add", sheet, "--on", "2026-02-01").returncode == 0
    mercwatch("dump", tmp_path / "two")
    lines = (tmp_path / "two" / "actions.jsonl").read_text().splitlines()
    name = json.loads(next(line for line in lines if "Corrected" in line))["name"]
    notice = tmp_path / "notice.yaml"
    notice.write_text(
        f"- {{kind: withholding, id: withheld-1, target: {name}, thing: fr-law, date: 2026-02-02, reason: Order.}}\n"
    )
    assert mercwatch("add", notice).returncode == 0
    assert mercwatch("release").returncode == 0
    mercwatch("publish", "--out", tmp_path / "site")
    assert not (tmp_path / "site" / "actions" / "fr-law").exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_flipped_byte_anywhere_is_named(data: st.DataObject, released: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(released, copy)
    file = data.draw(st.sampled_from(sorted(copy.iterdir())))
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(content)
    verdict = verify(copy)
    assert not verdict.ok
    assert any(problem.file == file.name for problem in verdict.problems)


def test_a_lost_a_swapped_and_a_slipped_in_entry_are_named(
    released: Path, tmp_path: Path, mercwatch: Run
) -> None:
    sources = released / "actors.jsonl"
    whole = sources.read_text()
    sources.write_text("")
    lost = verify(released)
    assert any("is lost" in problem.rule for problem in lost.problems)
    sources.write_text(whole)

    sheet = tmp_path / "more.yaml"
    sheet.write_text(MORE.format(id="fr-extra"))
    mercwatch("add", sheet)
    mercwatch("dump", tmp_path / "more")
    extra = next(t for t in (tmp_path / "more" / "actions.jsonl").read_text().splitlines() if "fr-extra" in t)
    actions = released / "actions.jsonl"
    own = actions.read_text()
    actions.write_text(extra + "\n" + own)
    assert any("slipped in" in p.rule and "fr-extra" in p.rule for p in verify(released).problems)
    actions.write_text(extra + "\n")  # swapped
    rules = [p.rule for p in verify(released).problems]
    assert any("slipped in" in rule for rule in rules)
    assert any("is lost" in rule for rule in rules)
    actions.write_text(own)
    (released / "notes.txt").write_text("hello")
    assert any(p.file == "notes.txt" for p in verify(released).problems)


def test_a_forged_record_is_consistent_but_shows_against_a_pinned_head(
    mercwatch: Run, released: Path, tmp_path: Path
) -> None:
    head = json.loads((released / "releases.jsonl").read_text())["head"]
    honest = mercwatch("verify", released, "--head", head)
    assert honest.returncode == 0
    assert "continues the head you gave" in honest.stdout
    forged = {"MERCWATCH_DB": str(tmp_path / "forged.sqlite3")}
    sheet = tmp_path / "forged.yaml"
    sheet.write_text((tmp_path / "small.yaml").read_text().replace("a test of necessity", "no test"))
    mercwatch("add", sheet, "--on", "2026-01-10", **forged)
    mercwatch("release", "--on", "2026-01-10", **forged)
    mercwatch("dump", tmp_path / "forged", **forged)
    alone = mercwatch("verify", tmp_path / "forged")
    assert alone.returncode == 0
    assert "cannot show whether all of it was forged" in alone.stdout
    pinned = mercwatch("verify", tmp_path / "forged", "--head", head)
    assert pinned.returncode == 1
    assert "is not in this chain" in pinned.stderr


def test_load_refuses_a_record_file_by_file_line_and_rule(mercwatch: Run, released: Path) -> None:
    actions = released / "actions.jsonl"
    actions.write_text(actions.read_text().replace("A law on", "The law on"))
    (released / "actors.jsonl").write_text('{"entry":{},"name":"x"}\n')
    result = mercwatch("load", released, MERCWATCH_DB=str(released.parent / "new.sqlite3"))
    assert result.returncode == 2
    assert "actions.jsonl:1: entry" in result.stderr
    assert "actors.jsonl:1: entry x" in result.stderr
