"""Making a release: a manifest of what it adds, bound to the release before it."""

from __future__ import annotations

from mercwatch.framework.codebook import Codebook
from mercwatch.record.checking import faults
from mercwatch.record.entries import Release, ReleaseBody
from mercwatch.record.ledger import Ledger, LedgerError


def next_release(
    ledger: Ledger, codebook: Codebook, digest: str, day: str, note: str | None = None
) -> Release:
    """The release that takes in all that is pending.

    LedgerError when nothing is pending, the day lies before the last release, two live entries
    contradict each other, or a live entry breaks a rule.
    """
    last = ledger.releases[-1] if ledger.releases else None
    if not ledger.pending:
        raise LedgerError("nothing is pending, so there is nothing to release")
    if last and day < last.body.date:
        raise LedgerError(f"the day {day} is before that of the last release, {last.body.date}")
    blocking = ledger.conflicts() + [m for messages in faults(ledger, codebook).values() for m in messages]
    if blocking:
        raise LedgerError("\n".join(blocking))
    body = ReleaseBody(
        number=last.body.number + 1 if last else 1,
        date=day,
        codebook=codebook.version,
        codebook_sha256=digest,
        previous=last.head if last else None,
        entries=tuple(sorted(entry.name for entry in ledger.pending)),
        note=note,
    )
    return Release.of(body)
