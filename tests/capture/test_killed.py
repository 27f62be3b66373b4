"""`kill -9` at any moment of a capture: nothing that the record names is missing or damaged."""

from __future__ import annotations

import random
from pathlib import Path

from capture.killing import Kills, wait_for_none
from capture.server import Server


def test_a_killed_run_loses_nothing_that_the_record_names_and_leaves_no_process(
    server: Server, tmp_path: Path
) -> None:
    kills = Kills(tmp_path, server, sources=40)
    kills.prepare()
    chance = random.Random(6)  # noqa: S311 - moments, not secrets
    for _ in range(3):
        kills.kill_once(chance, requests=25)
    assert wait_for_none(tmp_path) == []
    kills.finish()
    assert kills.problems == []
    assert kills.killed > 0
    assert kills.named == 40
