"""How long and how large a bake is, at 1 and 10 times the shipped record, against a floor.

The floor is writing the same bytes to the same number of files. Each measurement runs in a process
of its own, so that its peak memory is its own. The tenfold record is made up: the shipped governments'
deeds, findings and codings under other ids; it never leaves the temporary folder.

Run: script/bench
"""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mercwatch.framework.load import digest, load
from mercwatch.publishing.bake import bake
from mercwatch.record.dump import ledger_of, scan
from mercwatch.record.entries import Entry, Envelope, parse_body, plain
from mercwatch.record.ledger import Ledger
from mercwatch.record.releasing import next_release

ROOT = Path(__file__).parent.parent
MULTIPLIED = {"action", "finding", "coding", "context", "source", "endorsement"}


def multiplied(ledger: Ledger, times: int) -> Ledger:
    """The live record with its deeds and codings `times` over, under ids of their own."""
    live = [versions[-1] for versions in ledger.live.values()]
    moved = {entry.id for entry in live if entry.kind in MULTIPLIED}
    coders = [entry for entry in live if entry.kind == "coder"]
    entries = dict(ledger.entries)
    for copy in range(1, times):
        clones = [_clone(entry, copy, moved) for entry in live if entry.kind in MULTIPLIED]
        clones += [_clone(entry, copy, moved | {c.id for c in coders}) for entry in coders]
        entries.update({clone.name: clone for clone in _pinned(clones, live)})
    day = ledger.releases[-1].body.date
    pending = Ledger(entries)
    codebook = load()
    return Ledger(entries, (next_release(pending, codebook, digest(codebook.version), day),))


def _clone(entry: Entry, copy: int, moved: set[str]) -> Entry:
    def rename(value: object) -> object:
        if isinstance(value, dict):
            return {rename(key): rename(item) for key, item in value.items() if key != "pins"}
        if isinstance(value, list):
            return [rename(item) for item in value]
        if value in moved or (isinstance(value, str) and re.fullmatch(r"machine-\d+", value)):
            return f"{value}-x{copy}"
        return value

    body = parse_body(rename(plain(entry.envelope)["body"]))  # type: ignore[arg-type]
    said = entry.envelope
    return Entry.of(Envelope(body=body, recorded_by=said.recorded_by, recorded_on=said.recorded_on))


def _pinned(clones: list[Entry], live: list[Entry]) -> list[Entry]:
    names = {entry.id: entry.name for entry in (*live, *clones)}
    return [_with_pins(clone, names) for clone in clones]


def _with_pins(clone: Entry, names: dict[str, str]) -> Entry:
    body = clone.body
    if body.kind != "coding":
        return clone
    pinned = body.model_copy(update={"pins": {thing: names[thing] for thing in body.evidence}})
    return Entry.of(clone.envelope.model_copy(update={"body": pinned}))


def with_one_more_action(ledger: Ledger) -> Ledger:
    """The record after one new action, in a release of the same day."""
    entry = next(e for e in ledger.entries.values() if e.kind == "action")
    body = entry.body.model_copy(update={"id": f"{entry.id}-one-more", "title": "One more action"})
    mark = parse_body(
        {
            "kind": "context",
            "id": f"{body.id}-context",
            "about": body.id,
            "coder": entry.envelope.recorded_by,
            "reason": "Measured.",
        }
    )
    new = [Entry.of(entry.envelope.model_copy(update={"body": b, "supersedes": ()})) for b in (body, mark)]
    grown = Ledger({**ledger.entries, **{e.name: e for e in new}}, ledger.releases)
    codebook = load()
    made = next_release(grown, codebook, digest(codebook.version), ledger.releases[-1].body.date)
    return Ledger(grown.entries, (*ledger.releases, made))


def measure(times: int) -> dict[str, float]:
    """Bake the record `times` over, then once more after one action; seconds, bytes and files."""
    ledger = multiplied(ledger_of(scan(ROOT / "data")), times)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "site"
        began = time.perf_counter()
        report = bake(ledger, out)
        seconds = time.perf_counter() - began
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        contents = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
        floor = Path(folder) / "floor"
        floor.mkdir()
        began = time.perf_counter()
        for number, content in enumerate(contents):
            (floor / str(number)).write_bytes(content)
        floor_seconds = time.perf_counter() - began
        shutil.rmtree(floor)
        again = bake(with_one_more_action(ledger), out)
    return {
        "times": times,
        "entries": len(ledger.entries),
        "files": report.written,
        "megabytes": sum(map(len, contents)) / 1e6,
        "seconds": seconds,
        "floor_seconds": floor_seconds,
        "peak_megabytes": memory,
        "rewritten_after_one_action": again.written,
    }


def main() -> None:
    """Print both sizes and how time and memory grow."""
    if len(sys.argv) == 2:
        print(json.dumps(measure(int(sys.argv[1]))))
        return
    found = []
    for times in (1, 10):
        command = [sys.executable, __file__, str(times)]
        line = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
        found.append(json.loads(line))
    for row in found:
        ratio = row["seconds"] / row["floor_seconds"]
        print(
            f"{row['times']:>3}x  {row['entries']:>6} entries  {row['files']:>6} files  "
            f"{row['megabytes']:8.1f} MB  {row['seconds']:7.2f} s  {row['peak_megabytes']:7.0f} MB peak  "
            f"{ratio:6.1f} x the floor (writing the same bytes, {row['floor_seconds']:.2f} s)  "
            f"{row['rewritten_after_one_action']} files rewritten after one new action"
        )
    one, ten = found
    memory = ten["peak_megabytes"] / one["peak_megabytes"]
    print(
        f"growth from 1x to 10x: bytes {ten['megabytes'] / one['megabytes']:.1f}, "
        f"time {ten['seconds'] / one['seconds']:.1f}, memory {memory:.1f}"
    )


if __name__ == "__main__":
    main()
