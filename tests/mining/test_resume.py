"""A run that was killed is taken up where it stopped."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from pathlib import Path

from mining.law_books import PROGRAM, ROADS, TROJAN, law, mined, written

LAWS = 5_000
DEADLINE = 120.0


def numbered(n: int) -> str:
    """One law of many: each twentieth is on the subject, no two say the same."""
    if n % 20:
        return ROADS.replace("Parkplätze", f"{n} Parkplätze")
    return law(f"Gesetz {n} über das Abhören", TROJAN.replace("drei", f"{n}"), identifier=f"law-{n}")


def kill_after_a_part(book: Path, out: Path) -> None:
    """Start mining, kill it with all its workers once it has put a part away."""
    parts = out.with_name(f"{out.name}.parts")
    command = [PROGRAM, "mine", str(book), "--out", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as process:
        assert process.stderr is not None
        told = b""
        until = time.monotonic() + DEADLINE
        while not list(parts.glob("part-*.arrow")):
            assert process.poll() is None and time.monotonic() < until, told[-500:]
            if select.select([process.stderr], [], [], 0.01)[0]:
                told += os.read(process.stderr.fileno(), 65_536)
        os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    files = {f"{n % 7}/{n}.md": numbered(n) for n in range(LAWS)}
    book = written(tmp_path / "book", files)
    out, whole = tmp_path / "taken-up" / "found.jsonl", tmp_path / "at-once" / "found.jsonl"
    kill_after_a_part(book, out)
    assert not out.exists() and list(out.parent.iterdir()) == [out.parent / "found.jsonl.parts"]
    said = mined(book, out).stdout
    _, _, rest = said.partition("Taken up where an earlier run stopped: ")
    done = int(rest.split(" laws were done", 1)[0].replace(",", ""))
    assert 0 < done < LAWS and f"{LAWS:,} laws" in said
    assert "Taken up" not in mined(book, whole).stdout
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in out.parent.iterdir()) == ["found.jsonl", "found.summary.json"]
    assert (
        out.with_name("found.summary.json").read_text() == whole.with_name("found.summary.json").read_text()
    )
