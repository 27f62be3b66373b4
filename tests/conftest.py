"""Fixtures that every room's tests share: the real command, and a small true-to-form record."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands import PROGRAM, Commands
from once import once

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


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    """The real command, its code read once."""
    prepared = Commands()
    yield prepared
    prepared.close()


def variables(database: Path, **more: str) -> dict[str, str]:
    """The environment of a command that has this database."""
    return {**os.environ, "MERCWATCH_DB": str(database), **more}


@pytest.fixture
def mercwatch(commands: Commands, tmp_path: Path, database: Path) -> Run:
    """Run the real command with this test's database, in this test's folder."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return commands.run(list(map(str, arguments)), tmp_path, variables(database, **environment), 120)

    return run


@pytest.fixture
def started(tmp_path: Path, database: Path) -> Run:
    """The same as `mercwatch`, with the program started anew: all of its start, and another seed of hashes."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *map(str, arguments)],
            cwd=tmp_path,
            env=variables(database, **environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A sheet with one government, one law, its source, and one coding."""
    sheet = tmp_path / "small.yaml"
    sheet.write_text(SMALL)
    return sheet


@pytest.fixture(scope="session")
def released_once(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small record, released: its database and its dump."""

    def make(folder: Path) -> None:
        (folder / "small.yaml").write_text(SMALL)
        of = variables(folder / "record.sqlite3")
        for line in ("add small.yaml --on 2026-01-10", "release --on 2026-01-10", "dump dump"):
            done = commands.run(line.split(), folder, of, 120)
            assert done.returncode == 0, done.stderr

    return once(tmp_path_factory, "released", make)


@pytest.fixture
def released(released_once: Path, database: Path, small: Path, tmp_path: Path) -> Path:
    """A dump of the small record, released once; this test's database holds it too."""
    shutil.copy(released_once / "record.sqlite3", database)
    return shutil.copytree(released_once / "dump", tmp_path / "dump")
