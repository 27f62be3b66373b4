"""The tables as one SQLite file, the same bytes for the same tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

from mercwatch.publishing.table_shapes import Column, Table

_TYPES = {"string": "TEXT", "integer": "INTEGER", "boolean": "INTEGER", "date": "TEXT"}

_GOVERNMENTS = """\
CREATE VIEW "levels_of_governments" AS
SELECT l."actor", a."name" AS "government", a."region",
       i."recommendation", r."title" AS "recommendation_title",
       l."indicator", i."title" AS "indicator_title",
       l."as_of", l."state", l."level", l."high", l."stage", l."count", l."since", l."until",
       l."draft", l."confidence", l."inherited_level", l."reason", l."page"
FROM "levels" AS l
JOIN "actors" AS a ON a."id" = l."actor"
JOIN "indicators" AS i ON i."id" = l."indicator"
JOIN "recommendations" AS r ON r."id" = i."recommendation"
WHERE a."type" = 'government'
ORDER BY l."rowid"
"""


def sqlite_bytes(tables: Sequence[Table]) -> bytes:
    """A SQLite database with these tables and the view `levels_of_governments`."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.execute("PRAGMA page_size = 4096")
        database.execute("PRAGMA encoding = 'UTF-8'")
        database.execute("BEGIN")
        for table in tables:
            database.execute(_create(table))
            _fill(database, table)
        if any(table.name == "levels" for table in tables):
            database.execute(_GOVERNMENTS)
        database.execute("COMMIT")
        # Written anew, page by page, the file holds nothing but its tables.
        database.execute("VACUUM")
        return database.serialize()


def _create(table: Table) -> str:
    lines = [_declared(column) for column in table.columns]
    lines.append(f"PRIMARY KEY ({', '.join(map(_quoted, table.key))})")
    lines += [
        f"FOREIGN KEY ({_quoted(f.column)}) REFERENCES {_quoted(f.table)} ({_quoted(f.key)})"
        for f in table.foreign
    ]
    body = ",\n  ".join(lines)
    return f"CREATE TABLE {_quoted(table.name)} (\n  {body}\n)"


def _declared(column: Column) -> str:
    name = _quoted(column.name)
    needed = " NOT NULL" if column.required else ""
    flag = f" CHECK ({name} IN (0, 1))" if column.type == "boolean" else ""
    return f"{name} {_TYPES[column.type]}{needed}{flag}"


def _fill(database: sqlite3.Connection, table: Table) -> None:
    marks = ", ".join("?" for _ in table.columns)
    # Names come from our own code and are quoted; what the record says is bound, never spliced.
    database.executemany(f"INSERT INTO {_quoted(table.name)} VALUES ({marks})", table.rows)  # noqa: S608


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))
