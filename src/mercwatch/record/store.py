"""The ledger in a database: append, and read back whole. One transaction for each call."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from mercwatch.record.entries import Entry, Release, Withheld
from mercwatch.record.kinds import Withholding
from mercwatch.record.ledger import Ledger
from mercwatch.record.models import EntryRow, ReleaseRow, WithheldRow

BATCH = 500


def read() -> Ledger:
    """The whole ledger."""
    with transaction.atomic():
        return Ledger.of(
            (Entry.read(text) for text in EntryRow.objects.values_list("text", flat=True).iterator()),
            (Release.read(text) for text in ReleaseRow.objects.values_list("text", flat=True)),
            (Withheld(*row) for row in WithheldRow.objects.values_list("name", "date", "reason")),
        )


def append(
    entries: Iterable[Entry], releases: Iterable[Release] = (), withheld: Iterable[Withheld] = ()
) -> int:
    """Add what is not there yet, all or nothing; how many entries were new.

    Whatever a withholding names loses its body in the same transaction, and never gets it back.
    """
    with transaction.atomic():
        given = {entry.name: entry for entry in entries}
        there = set(EntryRow.objects.values_list("name", flat=True))
        new = [entry for name, entry in given.items() if name not in there]
        _withhold(withheld, new)
        gone = set(WithheldRow.objects.values_list("name", flat=True))
        new = [entry for entry in new if entry.name not in gone]
        rows = [EntryRow(name=e.name, thing=e.id, kind=e.kind, text=e.text) for e in new]
        EntryRow.objects.bulk_create(rows, batch_size=BATCH)
        EntryRow.objects.filter(name__in=gone).delete()
        known = set(ReleaseRow.objects.values_list("head", flat=True))
        for release in releases:
            if release.head not in known:
                ReleaseRow.objects.create(head=release.head, number=release.body.number, text=release.text)
        return len(new)


def _withhold(withheld: Iterable[Withheld], new: list[Entry]) -> None:
    notices = [e.body for e in new if isinstance(e.body, Withholding)]
    wanted = [*withheld, *(Withheld(n.target, n.date, n.reason) for n in notices)]
    known = set(WithheldRow.objects.values_list("name", flat=True))
    for notice in {gone.name: gone for gone in wanted if gone.name not in known}.values():
        WithheldRow.objects.create(name=notice.name, date=notice.date, reason=notice.reason)
