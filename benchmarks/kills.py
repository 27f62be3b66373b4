"""Kills `mercwatch capture` a hundred times with kill -9, and says what was missing or damaged afterwards.

Prints, asserts nothing. After each kill the archive is opened and verified, and every capture that the record
names is read back and hashed. At the end one run is left to finish.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from capture.killing import Kills, wait_for_none
from capture.server import running


def main() -> None:
    """Kill, and report."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--seed", type=int, default=6)
    given = options.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, running() as server:
        kills = Kills(Path(name), server, sources=20 * given.kills)
        kills.prepare()
        chance = random.Random(given.seed)  # noqa: S311 - moments, not secrets
        for number in range(1, given.kills + 1):
            kills.kill_once(chance)
            print(
                f"\r{number} kills, {kills.held} captures kept, {kills.named} named", end="", file=sys.stderr
            )
        print(file=sys.stderr)
        left = wait_for_none(Path(name))
        held, named = kills.held, kills.named
        kills.finish()
    print(f"kills                       {given.kills} (seed {given.seed}), {kills.killed} while it ran")
    print(f"after the last kill         {held} captures in the archive, {named} named in the record")
    print(f"after a run to its end      {kills.held} captures in the archive, {kills.named} named")
    print(f"missing or damaged          {len(kills.problems)}")
    for problem in kills.problems[:20]:
        print(f"  {problem}")
    print(f"processes left behind       {len(left)}")
    print(f"seconds                     {time.monotonic() - began:.0f}")


if __name__ == "__main__":
    main()
