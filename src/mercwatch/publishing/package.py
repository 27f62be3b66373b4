"""The tables as a Frictionless Data Package: CSV files, their description, and a README."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from mercwatch.framework.codebook import Codebook
from mercwatch.publishing.table_shapes import Column, Table, Value
from mercwatch.record.dates import parse
from mercwatch.record.entries import Release, sha256

# A spreadsheet takes a cell that begins so for a formula, or drops what begins it.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
# The apostrophe is escaped too, so that taking one away always gives back the text.
_ESCAPED = (*_FORMULA, "'")
_LICENCE = {
    "name": "CC-BY-4.0",
    "title": "Creative Commons Attribution 4.0 International",
    "path": "https://creativecommons.org/licenses/by/4.0/legalcode",
}


def files(tables: Sequence[Table], release: Release, codebook: Codebook) -> dict[str, bytes]:
    """Every file of the data package with its bytes; the same tables and release give the same bytes."""
    found = {f"{table.name}.csv": _csv(table) for table in tables}
    described = _description(tables, release, found)
    found["datapackage.json"] = (json.dumps(described, ensure_ascii=False, indent=2) + "\n").encode()
    found["README.md"] = _readme(tables, release, codebook).encode()
    return dict(sorted(found.items()))


def _csv(table: Table) -> bytes:
    out = io.StringIO(newline="")
    # All is quoted: Python 3.11 leaves a lone carriage return bare, and readers then see two rows.
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow([column.name for column in table.columns])
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return out.getvalue().encode()


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return f"'{value}" if value.startswith(_ESCAPED) else value


def _description(tables: Sequence[Table], release: Release, found: dict[str, bytes]) -> dict[str, Any]:
    return {
        "profile": "tabular-data-package",
        "name": "mercwatch",
        "title": f"Mercwatch, release {release.body.number} of {release.body.date}",
        "description": "Which governments govern the trade in hacking for hire, with the source of every "
        "claim. Read README.md first: unknown is not zero, and drafts are marked.",
        "version": str(release.body.number),
        "created": f"{parse(release.body.date).last.isoformat()}T00:00:00Z",
        "head": release.head,
        "codebook": release.body.codebook,
        "licenses": [_LICENCE],
        "sources": [{"title": "The documents listed in sources.csv", "path": "sources.csv"}],
        "resources": [_resource(table, found[f"{table.name}.csv"]) for table in tables],
    }


def _resource(table: Table, data: bytes) -> dict[str, Any]:
    return {
        "name": table.name,
        "title": table.title,
        "path": f"{table.name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "quoteChar": '"', "doubleQuote": True, "lineTerminator": "\n"},
        "bytes": len(data),
        "hash": f"sha256:{sha256(data)}",
        "schema": _schema(table),
    }


def _schema(table: Table) -> dict[str, Any]:
    return {
        "fields": [_field(column) for column in table.columns],
        "missingValues": [""],
        "primaryKey": list(table.key),
        "foreignKeys": [
            {"fields": [f.column], "reference": {"resource": _resource_of(f.table, table), "fields": [f.key]}}
            for f in table.foreign
        ],
    }


def _resource_of(name: str, table: Table) -> str:
    """The standard writes a table's reference to itself as an empty name."""
    return "" if name == table.name else name


def _field(column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": column.type, "description": column.description}
    if column.required:
        field["constraints"] = {"required": True}
    return field


def _readme(tables: Sequence[Table], release: Release, codebook: Codebook) -> str:
    listed = "\n".join(f"| `{t.name}.csv` | {t.title} | {len(t.rows)} |" for t in tables)
    return _README.format(
        number=release.body.number,
        date=release.body.date,
        head=release.head,
        codebook=release.body.codebook,
        reading=codebook.reading,
        listed=listed,
    )


_README = """\
# Mercwatch, release {number} of {date}

Which governments govern the trade in hacking for hire, with the source of every claim. Head `{head}`,
codebook {codebook}. Every column is described in `datapackage.json` (Frictionless Data Package); check
the files against it with `frictionless validate datapackage.json`.

## What each file is

| file | what | rows |
| --- | --- | --- |
{listed}

Each row of a thing names its `entry`, the SHA-256 of its canonical JSON, and the release that added it.
The whole record, with all earlier versions, is the dump, which `mercwatch verify` checks; these tables
are a view of it.

## What a level says, and what it does not

- Unknown is not zero. An empty `level` is no 0: nobody has looked, or what was found carries no level, or
  the question does not apply; `state` and `reason` say which. Level 0 needs a logged search. Filling
  empty levels with 0 makes the data false.
- A row of `levels.csv` with `draft` true has been reviewed by no person. Say "draft" wherever you show
  it.
- A contested level is a range from `level` to `high`; it belongs into no sum.
- Findings stand beside levels and are never netted into them. A finding without `series` is context.
- `inherited_level` is the EU's; it stands beside a member's own level and is not added to it.
- Levels rate policy adopted and applied, not how people fare, and are not a ranking.
- They follow our working reading of the recommendations. {reading}

## How the files are written

- UTF-8, comma, every cell in double quotes, lines end with a line feed. An empty cell is a missing
  value.
- A text that begins with `=`, `+`, `-`, `@` (also in full width), a tab, a line break or an apostrophe
  has one apostrophe put before it, in the CSV files only, so that no spreadsheet runs it as a formula.
  To have the text as recorded, take one leading apostrophe away wherever there is one. The SQLite file
  needs no such care.
- Lists of ids are joined by a space, lists of texts by "; ".
- A date is as exact as its source: `2024`, `2024-03`, `2024-03-05`, or an interval `A/B`.
- Withheld entries are in `withheld.csv` by name, day and reason. A reference to one is left empty; a
  row that cannot stand without it is left out.
- Personal names are not in these files, nor are the captures themselves: they are kept privately, and
  `captures.csv` has their hashes. Of what we cite of them, and of what the miner proposed and a coder
  accepted, `passages.csv` says the place; a row of `verdicts.csv` with `draft` true is a machine's
  judgement.

## How to cite

> Mercwatch, data package, release {number} of {date}, head `{head}`, CC BY 4.0

A release never changes. What is corrected later is in a later release and in `corrections.csv`.

## Licence

CC BY 4.0, third parties' text excepted: short quotations, the titles of documents, and whatever lies
behind an address that a source names stay under their authors' terms.
"""
