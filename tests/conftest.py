"""Fixtures that every room's tests share: the real command, and a small true-to-form record."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SMALL = """\
- kind: coder
  id: machine-1
  type: machine
  name: Machine coder 1
  model: a model
  instructions: Code once, from the codebook.
- kind: source
  id: src-law
  publisher: Official gazette
  title: Law on intrusion
  address: https://gazette.example/law
  language: en
  nature: primary
  read: provision
  read_on: 2026-01-10
  copy_read: stored
  published: "2024-01-02"
- kind: actor
  id: FR
  type: government
  name: France
  name_fr: France
  iso3: FRA
  region: Europe
  status: member
  sources: [src-law]
- kind: action
  id: fr-law
  actor: FR
  title: A law on intrusion
  summary: It names agencies, offences and a test of necessity.
  type: law
  stages:
    - {stage: adopted, date: "2023-12-20"}
    - {stage: in_force, date: "2024-01-01"}
  recommendations: [R1]
  sources: [src-law]
- kind: coding
  id: fr-r1-1-machine-1
  actor: FR
  indicator: R1.1
  meaning: 1
  coder: machine-1
  tests:
    - {level: 2, met: true, by: [fr-law], since: "2024-01-01"}
  rationale: The law names agencies, aims and the test.
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where this test's database lies."""
    return tmp_path / "record.sqlite3"


@pytest.fixture
def mercwatch(tmp_path: Path, database: Path) -> Run:
    """Run the real command with this test's database, in this test's folder."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "mercwatch"), *map(str, arguments)]
        variables = {**os.environ, "MERCWATCH_DB": str(database), **environment}
        return subprocess.run(
            command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120, check=False
        )

    return run


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A sheet with one government, one law, its source, and one coding."""
    sheet = tmp_path / "small.yaml"
    sheet.write_text(SMALL)
    return sheet


@pytest.fixture
def released(mercwatch: Run, small: Path, tmp_path: Path) -> Path:
    """A dump of the small record, released once."""
    assert mercwatch("add", small, "--on", "2026-01-10").returncode == 0
    assert mercwatch("release", "--on", "2026-01-10").returncode == 0
    assert mercwatch("dump", tmp_path / "dump").returncode == 0
    return tmp_path / "dump"
