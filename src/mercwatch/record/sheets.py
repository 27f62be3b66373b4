"""Sheets that people write (YAML, CSV, JSON lines) as rows, each with its line."""

from __future__ import annotations

import csv
import io
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mercwatch.framework.codebook import Strict
from mercwatch.framework.yaml12 import YamlError, read_yaml
from mercwatch.record.entries import Json, parse_body
from mercwatch.record.kinds import Body
from mercwatch.record.lines import LineError, read_lines, read_whole, strict_json
from mercwatch.record.problems import Problem, Refused, from_validation

MAX_SHEET = 8_000_000  # bytes, for YAML and CSV, which are read whole
BECAUSE = "because"  # the one field that is about the entry and not its body: why it supersedes

_BY_KIND: dict[str, type[Strict]] = {
    typing.get_args(model.model_fields["kind"].annotation)[0]: model
    for model in typing.get_args(typing.get_args(Body)[0])
}


@dataclass(frozen=True)
class Row:
    """One row of a sheet: its body, where it stands, and why it supersedes (None: it does not)."""

    file: str
    line: int
    body: Body
    because: str | None


@dataclass(frozen=True)
class _Raw:
    line: int
    data: Any


def read_sheet(path: Path) -> list[Row]:
    """All rows of a sheet; Refused with every problem where one breaks a rule of its kind."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise Refused([Problem(path.name, 1, f"a sheet ends in {', '.join(sorted(_READERS))}")])
    try:
        raws = reader(path)
    except LineError as error:
        raise Refused([Problem(path.name, error.line, error.rule)]) from error
    except YamlError as error:
        raise Refused([Problem(path.name, error.line, error.rule)]) from error
    rows, problems = [], []
    for raw in raws:
        try:
            rows.append(_row(path, raw))
        except Refused as refused:
            problems += refused.problems
    if problems:
        raise Refused(problems)
    return rows


def _row(path: Path, raw: _Raw) -> Row:
    if not isinstance(raw.data, dict):
        raise Refused([Problem(path.name, raw.line, "a row is a list of fields with their values")])
    data = dict(raw.data)
    because = data.pop(BECAUSE, None)
    if because is not None and not (isinstance(because, str) and 0 < len(because) <= 300):
        raise Refused([Problem(path.name, raw.line, f"{BECAUSE} is a text of at most 300 characters")])
    return parse_row(path, raw.line, data, because)


def parse_row(path: Path, line: int, data: Json, because: str | None) -> Row:
    """One row from its fields; Refused, with file and line, where it breaks a rule of its kind."""
    thing = f"{data.get('kind', 'a thing without kind')} {data.get('id', 'without id')}"
    try:
        return Row(path.name, line, parse_body(data), because)
    except ValidationError as error:
        raise Refused(from_validation(path, line, thing, error)) from error


def _yaml(path: Path) -> list[_Raw]:
    value, marks = read_yaml(read_whole(path, MAX_SHEET), path.name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise LineError(1, "a YAML sheet is one list of things")
    return [_Raw(marks.get((index,), 1), item) for index, item in enumerate(value)]


def _json_lines(path: Path) -> list[_Raw]:
    return [_Raw(n, strict_json(text, n)) for n, text in read_lines(path) if text.strip()]


def _csv(path: Path) -> list[_Raw]:
    reader = csv.DictReader(io.StringIO(read_whole(path, MAX_SHEET)), strict=True)
    raws: list[_Raw] = []
    try:
        for cells in reader:
            if None in cells or None in cells.values():
                raise LineError(reader.line_num, "the row has more or fewer cells than the header")
            raws.append(_Raw(reader.line_num, _from_cells(cells, reader.line_num)))
    except csv.Error as error:
        raise LineError(reader.line_num, f"this is not CSV: {error}") from error
    return raws


def _from_cells(cells: dict[str, str], line: int) -> Json:
    """Empty cells are left out; lists are split at semicolons, nested values written as JSON."""
    model = _BY_KIND.get(cells.get("kind", ""))
    fields = model.model_fields if model else {}
    row: Json = {}
    for key, text in cells.items():
        if text == "":
            continue
        annotation = fields[key].annotation if key in fields else str
        row[key] = _cell(text, annotation, line)
    return row


def _cell(text: str, annotation: Any, line: int) -> Any:
    if text[0] in "[{":
        return strict_json(text, line)
    if typing.get_origin(annotation) is tuple:
        return [part.strip() for part in text.split(";") if part.strip()]
    if annotation in (int, bool) or {int, bool} & set(typing.get_args(annotation)):
        return strict_json(text, line)
    return text


_READERS: dict[str, Callable[[Path], list[_Raw]]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".jsonl": _json_lines,
    ".csv": _csv,
}
