"""The record as plain files, one JSON lines file a kind: written sorted, read as a set.

A line is the canonical JSON of {"entry", "name"}; of {"name", "withheld"} where the body is
withheld; of {"head", "release"} for a release.
"""

from __future__ import annotations

import typing
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from mercwatch.record.entries import Entry, Json, Release, Withheld, canonical
from mercwatch.record.kinds import Body
from mercwatch.record.ledger import Ledger, LedgerError
from mercwatch.record.lines import MAX_LINE, MAX_MANIFEST_LINE, LineError, read_lines, strict_json
from mercwatch.record.problems import Problem, Refused, from_validation
from mercwatch.record.writing import write_whole

RELEASES = "releases.jsonl"
WITHHELD = "withheld.jsonl"
NOTES = {"README.md"}  # a dump may carry an explanation beside its files


def _plural(kind: str) -> str:
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s" if not kind.endswith("s") else kind


KINDS: tuple[str, ...] = tuple(
    typing.get_args(model.model_fields["kind"].annotation)[0]
    for model in typing.get_args(typing.get_args(Body)[0])
)
FILES: dict[str, str] = {
    kind: f"{'contexts' if kind == 'context' else _plural(kind)}.jsonl" for kind in KINDS
}


@dataclass
class Read:
    """What stands in a dump, line by line, before it is believed."""

    entries: list[tuple[str, int, Entry]] = field(default_factory=list)
    releases: list[tuple[str, int, Release]] = field(default_factory=list)
    withheld: list[tuple[str, int, Withheld]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lines: dict[str, list[str]] = field(default_factory=dict)


def files(ledger: Ledger) -> dict[str, bytes]:
    """Every file of a dump with its bytes; the same ledger gives the same bytes."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for entry in sorted(ledger.entries.values(), key=lambda e: (e.id, e.name)):
        found[FILES[entry.kind]].append(
            b'{"entry":%s,"name":"%s"}' % (entry.text.encode(), entry.name.encode())
        )
    for gone in sorted(ledger.withheld.values(), key=lambda w: w.name):
        notice = {"name": gone.name, "withheld": {"date": gone.date, "reason": gone.reason}}
        found[WITHHELD].append(canonical(notice))
    for release in ledger.releases:
        found[RELEASES].append(b'{"head":"%s","release":%s}' % (release.head.encode(), release.text.encode()))
    return {name: b"".join(line + b"\n" for line in lines) for name, lines in sorted(found.items())}


def write(ledger: Ledger, path: Path) -> None:
    """Write a dump: each file aside, then renamed; the releases last, so no release lacks its entries."""
    path.mkdir(parents=True, exist_ok=True)
    wanted = files(ledger)
    for name in sorted(wanted, key=lambda n: (n == RELEASES, n)):
        write_whole(path / name, wanted[name])
    for name in {*FILES.values(), WITHHELD, RELEASES} - set(wanted):
        (path / name).unlink(missing_ok=True)


def scan(path: Path) -> Read:
    """Read every line of a dump and check it by itself: bytes, JSON, canonical form, name, fields."""
    read = Read()
    if not path.is_dir():
        read.problems.append(Problem(path.name, 1, "there is no such folder"))
        return read
    expected = {*FILES.values(), WITHHELD, RELEASES}
    for file in sorted(path.iterdir()):
        if file.name in expected:
            _scan_file(file, read)
        elif file.name not in NOTES:
            read.problems.append(Problem(file.name, 1, "this file is no part of a dump"))
    return read


def _scan_file(file: Path, read: Read) -> None:
    limit = MAX_MANIFEST_LINE if file.name == RELEASES else MAX_LINE
    lines = read.lines.setdefault(file.name, [])
    try:
        for number, text in read_lines(file, limit):
            lines.append(text)
            read.problems += _scan_line(file, number, text, read)
    except LineError as error:
        read.problems.append(Problem(file.name, error.line, error.rule))


def _scan_line(file: Path, number: int, text: str, read: Read) -> list[Problem]:
    try:
        row = strict_json(text, number)
        return [Problem(file.name, number, rule) for rule in _take(file, number, text, row, read)]
    except LineError as error:
        return [Problem(file.name, error.line, error.rule)]
    except ValidationError as error:
        return from_validation(file, number, _label(row), error)


def _take(file: Path, number: int, text: str, row: Json, read: Read) -> Iterator[str]:
    shape = set(row) if isinstance(row, dict) else set()
    if shape and canonical(row).decode() != text:
        yield f"{_label(row)}: the line is not in canonical form (RFC 8785)"
    if shape == {"entry", "name"} and file.name != RELEASES:
        entry = Entry.read(canonical(row["entry"]).decode())
        read.entries.append((file.name, number, entry))
        yield from _named("entry", row["name"], entry.name)
        if FILES[entry.kind] != file.name:
            yield f"{_label(row)}: a {entry.kind} belongs into {FILES[entry.kind]}"
    elif shape == {"head", "release"} and file.name == RELEASES:
        release = Release.read(canonical(row["release"]).decode())
        read.releases.append((file.name, number, release))
        yield from _named("release", row["head"], release.head)
    elif shape == {"name", "withheld"} and file.name == WITHHELD:
        gone = row["withheld"]
        if not isinstance(gone, dict) or set(gone) != {"date", "reason"}:
            yield f"{_label(row)}: a withheld entry says its date and reason, nothing else"
        else:
            read.withheld.append((file.name, number, Withheld(str(row["name"]), **gone)))
    else:
        yield "the line is neither an entry, nor a withheld one, nor a release"


def _named(what: str, said: object, is_: str) -> Iterator[str]:
    if said != is_:
        yield f"{what} {said}: its content hashes to {is_}, so it was altered"


def _label(row: object) -> str:
    if isinstance(row, dict):
        name = row.get("name") or row.get("head")
        if name:
            return f"entry {name}" if "name" in row else f"release {name}"
    return "line"


def ledger_of(read: Read) -> Ledger:
    """A scanned dump as a ledger; Refused where a line is not what it says it is.

    Order and repetition do not matter, so what two branches added reads the same after a merge.
    """
    if read.problems:
        raise Refused(read.problems)
    try:
        return Ledger.of(
            (entry for _, _, entry in read.entries),
            {release.head: release for _, _, release in read.releases}.values(),
            (gone for _, _, gone in read.withheld),
        )
    except LedgerError as error:
        raise Refused([Problem(RELEASES, 1, str(error))]) from error
