"""Runs of `mercwatch capture` that are killed at chosen moments, and what must hold after each.

Used by the test, which kills a few, and by `benchmarks/kills.py`, which kills a hundred.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from capture.server import NOT_FOUND, Answer, Server, Talk, chunked, ok
from mercwatch.capture.archive import Archive

MERCWATCH = Path(sys.executable).parent / "mercwatch"
CODER = {
    "kind": "coder",
    "id": "machine-1",
    "type": "machine",
    "name": "Machine coder 1",
    "model": "a model",
    "instructions": "Code once, from the codebook.",
}


def page(number: int) -> bytes:
    """What is served at a number: of varied size, every seventh the same as another one."""
    number -= number % 7 == 6
    words = f"Article {number}. " + "Interception needs a warrant of a court. " * (1 + number % 40)
    return f"<html><title>A law on interception</title><p>{words}</p></html>".encode()


@dataclass
class Kills:
    """Many killed runs over one record and one archive. problems: what did not hold, one line each."""

    folder: Path
    server: Server
    sources: int
    problems: list[str] = field(default_factory=list)
    runs: int = 0
    killed: int = 0
    named: int = 0
    held: int = 0
    _asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def prepare(self) -> None:
        """A record whose sources the server serves: plain, in chunks, and moved."""
        answers: dict[str, Answer] = {"/robots.txt": NOT_FOUND}
        for number in range(self.sources):
            answers[f"/{number}"] = self._counted(number)
            answers[f"/there/{number}"] = ok(page(number), "Content-Type: text/html")
        origin = self.server.listen(answers)
        rows = [CODER, *(_source(origin, number) for number in range(self.sources))]
        sheet = self.folder / "sheet.yaml"
        sheet.write_text(yaml.safe_dump(rows, sort_keys=False), encoding="utf-8")
        self._run("add", str(sheet), "--by", "machine-1")

    def kill_once(self, chance: random.Random, requests: int = 40) -> None:
        """Start a run, kill it after some requests (fewer than so many) and a moment more; see."""
        while self._asked.acquire(blocking=False):
            pass
        with subprocess.Popen(
            [MERCWATCH, *self._arguments()],
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as run:
            for _ in range(chance.randrange(1, requests)):
                if not self._asked.acquire(timeout=30 if run.poll() is None else 0):
                    break
            try:
                run.wait(chance.random() * 0.15)
            except subprocess.TimeoutExpired:
                run.send_signal(signal.SIGKILL)
                self.killed += 1
        self.runs += 1
        self.check()

    def finish(self) -> None:
        """Let a run go to its end, and see that every source has its capture."""
        self._run(*self._arguments())
        self.check()
        if self.named != self.sources:
            self.problems.append(f"{self.sources} sources, but {self.named} captures in the record")
            with Archive.open(self.folder / "archive") as archive:
                self.problems += [f"failed: {tried.address}: {tried.message}" for tried in archive.attempts()]

    def check(self) -> None:
        """Every capture that the record names is in the archive, whole, and the archive verifies."""
        named = self._named_hashes()
        if len(named) < self.named:
            self.problems.append(f"run {self.runs}: the record lost captures")
        self.named = len(named)
        before = self.held
        with Archive.open(self.folder / "archive", write=True) as archive:
            self.problems += [f"run {self.runs}: {problem}" for problem in archive.verify()]
            for sha256 in named:
                found = archive.with_sha256(sha256)
                if not found or hashlib.sha256(archive.body(found[0])).hexdigest() != sha256:
                    self.problems.append(f"run {self.runs}: the record names {sha256}, which is not here")
            self.held = len(archive)
        if self.held < before:
            self.problems.append(f"run {self.runs}: the archive lost captures")

    def _counted(self, number: int) -> Answer:
        def answer(talk: Talk) -> None:
            self._asked.release()
            if number % 5 == 4:
                talk.send(ok(b"", f"Location: /there/{number}", status="301 Moved"))
            elif number % 5 == 3:
                head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
                talk.send(head + chunked(page(number), 100))
            else:
                talk.send(ok(page(number), "Content-Type: text/html"))

        return answer

    def _named_hashes(self) -> list[str]:
        with sqlite3.connect(self.folder / "record.sqlite3") as database:
            rows = database.execute("SELECT text FROM entry WHERE kind = 'capture'").fetchall()
        database.close()
        return [json.loads(text)["body"]["sha256"] for (text,) in rows]

    def _arguments(self) -> list[str]:
        return ["capture", "--pending", "--pace", "0", "--archive", str(self.folder / "archive")]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "MERCWATCH_DB": str(self.folder / "record.sqlite3"),
            "MERCWATCH_CAPTURE_LOOPBACK": "yes",
            "MERCWATCH_CONTACT": "test@example.org",
        }

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            [MERCWATCH, *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            self.problems.append(f"{arguments[0]}: exit code {done.returncode}: {done.stderr[-300:]}")


def _source(origin: str, number: int) -> dict[str, object]:
    return {
        "kind": "source",
        "id": f"src-{number}",
        "publisher": "Official gazette",
        "title": f"Law {number}",
        "address": f"{origin}/{number}",
        "language": "en",
        "nature": "primary",
        "read": "not-read",
        "published": "2024-01-02",
    }


def children_of(folder: Path) -> list[str]:
    """Processes that still work on a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def wait_for_none(folder: Path, seconds: float = 10.0) -> list[str]:
    """Processes that still work on a folder when they have had time to end."""
    until = time.monotonic() + seconds
    stop = threading.Event()
    while (found := children_of(folder)) and time.monotonic() < until:
        stop.wait(0.05)
    return found
