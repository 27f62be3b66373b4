"""Verification of a dump by an outsider: no database, no network, no trust in who made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mercwatch.record.dump import RELEASES, WITHHELD, Read, files, scan
from mercwatch.record.entries import Release, Withheld
from mercwatch.record.kinds import Withholding
from mercwatch.record.ledger import Ledger, LedgerError, chain
from mercwatch.record.problems import Problem


@dataclass(frozen=True)
class Verdict:
    """What verification found. `pinned`: the head that was given is in the chain."""

    problems: tuple[Problem, ...]
    entries: int
    releases: tuple[Release, ...]
    withheld: int
    pending: int
    pinned: bool

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def meaning(self) -> str:
        """What the verdict proves, and what it does not."""
        if not self.ok:
            return "This dump is not the record that it says it is."
        if self.pinned:
            return "Consistent, and it continues the head you gave: nothing known then was altered or lost."
        return (
            "Consistent: no entry was altered, lost or slipped in after the manifests were made. "
            "Without a head from elsewhere (--head) this cannot show whether all of it was forged."
        )


def verify(path: Path, head: str | None = None, allow_pending: bool = False) -> Verdict:
    """Check a dump; `allow_pending` tolerates entries that no release holds yet, as on a branch."""
    read = scan(path)
    problems = list(read.problems)
    releases = _releases(read, problems)
    held = {name: release for release in releases for name in release.body.entries}
    problems += _uncovered(read, held, allow_pending)
    problems += _lost(read, releases)
    problems += _withheld_with_notice(read)
    if not problems:
        problems += _not_as_written(read, releases)
    heads = {release.head for release in releases}
    if head is not None and head not in heads:
        newest = releases[-1].head if releases else "none"
        problems.append(Problem(RELEASES, 1, f"head {head} is not in this chain, whose newest is {newest}"))
    return Verdict(
        tuple(sorted(set(problems))),
        len(read.entries),
        releases,
        len(read.withheld),
        sum(entry.name not in held for _, _, entry in read.entries),
        head in heads,
    )


def _releases(read: Read, problems: list[Problem]) -> tuple[Release, ...]:
    try:
        return chain({release.head: release for _, _, release in read.releases}.values())
    except LedgerError as error:
        problems.append(Problem(RELEASES, 1, str(error)))
        return ()


def _uncovered(read: Read, held: dict[str, Release], allow_pending: bool) -> Iterator[Problem]:
    seen: set[str] = set()
    for file, line, entry in read.entries:
        if entry.name in seen:
            yield Problem(file, line, f"entry {entry.name} ({entry.id}) stands twice")
        seen.add(entry.name)
        if entry.name not in held and not allow_pending:
            yield Problem(file, line, f"entry {entry.name} ({entry.id}) is in no release: it was slipped in")
    for file, line, gone in read.withheld:
        if gone.name not in held:
            yield Problem(file, line, f"withheld entry {gone.name} is in no release")


def _lost(read: Read, releases: tuple[Release, ...]) -> Iterator[Problem]:
    there = {entry.name for _, _, entry in read.entries} | {gone.name for _, _, gone in read.withheld}
    seen: dict[str, int] = {}
    for release in releases:
        number = release.body.number
        if list(release.body.entries) != sorted(set(release.body.entries)):
            yield Problem(RELEASES, number, f"release {number} does not list its entries sorted and once")
        for name in release.body.entries:
            if name not in there:
                yield Problem(RELEASES, number, f"entry {name} of release {number} is lost")
            if name in seen:
                yield Problem(RELEASES, number, f"entry {name} is in release {seen[name]} and {number}")
            seen[name] = number


def _withheld_with_notice(read: Read) -> Iterator[Problem]:
    notices = {e.body.target: e.body for _, _, e in read.entries if isinstance(e.body, Withholding)}
    for file, line, gone in read.withheld:
        notice = notices.get(gone.name)
        if notice is None or gone != Withheld(notice.target, notice.date, notice.reason):
            yield Problem(file, line, f"entry {gone.name} is withheld without a notice that says so")


def _not_as_written(read: Read, releases: tuple[Release, ...]) -> Iterator[Problem]:
    """Order and files as `dump` writes them; each line has been checked by itself before."""
    ledger = Ledger.of((e for _, _, e in read.entries), releases, (w for _, _, w in read.withheld))
    wanted = files(ledger)
    for name, lines in read.lines.items():
        expected = wanted.get(name, b"").decode().splitlines()
        for number, (is_, should) in enumerate(zip(lines, expected, strict=False), start=1):
            if is_ != should:
                yield Problem(name, number, "the lines are not in the order in which a dump is written")
                break
        else:
            if len(lines) != len(expected):
                yield Problem(name, len(expected) + 1, "the file has more or fewer lines than the record")
    if missing := sorted(set(wanted) - set(read.lines) - {WITHHELD}):
        yield Problem(missing[0], 1, "the file is missing")
