"""The ledger's tables. Triggers refuse to change or delete an entry or a release (see migrations)."""

from __future__ import annotations

from django.db import models


class EntryRow(models.Model):
    """One entry, exactly as named: `text` is the canonical JSON that its name is the hash of."""

    name = models.CharField(primary_key=True, max_length=64)
    thing = models.CharField(max_length=90, db_index=True)
    kind = models.CharField(max_length=20, db_index=True)
    text = models.TextField()

    class Meta:
        db_table = "entry"


class ReleaseRow(models.Model):
    """One release. Its number is unique, so two with one predecessor cannot both be kept."""

    head = models.CharField(primary_key=True, max_length=64)
    number = models.IntegerField(unique=True)
    text = models.TextField()

    class Meta:
        db_table = "release"


class WithheldRow(models.Model):
    """An entry whose body has been taken out; only then may its row be deleted."""

    name = models.CharField(primary_key=True, max_length=64)
    date = models.CharField(max_length=10)
    reason = models.TextField()

    class Meta:
        db_table = "withheld"
