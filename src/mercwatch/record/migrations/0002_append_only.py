"""Entries and releases can be added, never changed or deleted, in SQLite and in PostgreSQL."""

from typing import Any

from django.db import migrations

GUARDED = {
    "entry": "EXISTS (SELECT 1 FROM withheld WHERE withheld.name = OLD.name)",
    "release": "FALSE",
    "withheld": "FALSE",
}


def _sqlite(table: str, allowed: str) -> list[str]:
    refuse = f"SELECT RAISE(ABORT, '{table} rows are never changed or deleted');"
    return [
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN {refuse} END",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT ({allowed}) BEGIN {refuse} END",
    ]


def _postgresql(table: str, allowed: str) -> list[str]:
    # A row-level WHEN cannot hold a subquery in PostgreSQL, so the function decides.
    return [
        f"""CREATE FUNCTION {table}_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND ({allowed}) THEN RETURN OLD; END IF;
            RAISE EXCEPTION '{table} rows are never changed or deleted';
        END $$""",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_guard()",
    ]


def forwards(apps: Any, editor: Any) -> None:
    """Create the triggers for the database at hand."""
    make = {"sqlite": _sqlite, "postgresql": _postgresql}[editor.connection.vendor]
    for table, allowed in GUARDED.items():
        for statement in make(table, allowed):
            editor.execute(statement)


class Migration(migrations.Migration):
    """Not reversible on purpose: a ledger that can be rewritten is none."""

    dependencies = [("record", "0001_initial")]
    operations = [migrations.RunPython(forwards)]
