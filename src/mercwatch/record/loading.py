"""From a dump to a ledger that may be taken in: checked whole before a byte of it is."""

from __future__ import annotations

from pathlib import Path

from mercwatch.framework.codebook import Codebook
from mercwatch.record.checking import faults
from mercwatch.record.dump import ledger_of, scan
from mercwatch.record.ledger import Ledger, LedgerError
from mercwatch.record.problems import Problem, Refused


def merged(path: Path, ledger: Ledger, codebook: Codebook) -> Ledger:
    """The union of a dump with a ledger; Refused with every problem, by file and line.

    Two live versions of one thing are taken in: they block a release, not a merge.
    """
    read = scan(path)
    union = _union(ledger, ledger_of(read))
    found = faults(union, codebook)
    problems = [
        Problem(file, line, message)
        for file, line, entry in read.entries
        for message in found.get(entry.name, ())
    ]
    if problems:
        raise Refused(problems)
    return union


def _union(ours: Ledger, theirs: Ledger) -> Ledger:
    releases = {release.head: release for release in (*ours.releases, *theirs.releases)}
    withheld = {**ours.withheld, **theirs.withheld}
    entries = {**ours.entries, **theirs.entries}
    try:
        return Ledger.of(
            (entry for name, entry in entries.items() if name not in withheld),
            releases.values(),
            withheld.values(),
        )
    except LedgerError as error:
        raise Refused([Problem("releases.jsonl", 1, str(error))]) from error
