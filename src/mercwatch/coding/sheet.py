"""Coding sheets: one coder's judgement of one actor, short to write, as rows for the record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from mercwatch.framework.codebook import Codebook, IndicatorId, Strict, asked_of
from mercwatch.framework.yaml12 import Marks, YamlError, read_yaml
from mercwatch.record.dates import DateText
from mercwatch.record.kinds import Actor, Coding, Id, Text
from mercwatch.record.ledger import Ledger
from mercwatch.record.lines import LineError, read_whole
from mercwatch.record.problems import Problem, Refused, from_validation
from mercwatch.record.sheets import MAX_SHEET, Row, parse_row

_CODED_AGAIN = "coded again from the record as it stands"


class Met(Strict):
    """A level's test that is met: by which things, from when, until when."""

    by: Annotated[tuple[Id, ...], Field(min_length=1)]
    since: DateText
    until: DateText | None = None


class Judged(Strict):
    """One cell: tests by level (a Met, or `no`), or a count, or an answer."""

    why: Text
    tests: dict[str, Met | Literal["no"]] = Field(default_factory=dict)
    count: int | None = None
    counted: tuple[Id, ...] = ()
    answer: Literal["zero", "unknown", "not-applicable"] | None = None
    search_log: Id | None = None
    reason: str | None = None

    @model_validator(mode="after")
    def _levels_are_numbers(self) -> Judged:
        if wrong := [level for level in self.tests if level not in ("1", "2", "3")]:
            raise ValueError(f"a test is named by its level, not by {wrong[0]!r}")
        return self


class CodingSheet(Strict):
    """What one coder judged for one actor."""

    kind: Literal["coding-sheet"]
    id: Id = Field(description="The actor's id.")
    codings: dict[IndicatorId, Judged]
    rest_unknown: Text | None = Field(
        default=None, description="If given, every other indicator asked of the actor is unknown, for this."
    )


def read_coding_sheet(path: Path, coder: str, ledger: Ledger, codebook: Codebook) -> list[Row]:
    """The sheet's codings as rows; Refused with every problem at once."""
    sheet, marks = _read(path)
    actor = next((e.body for e in ledger.live.get(sheet.id, [])), None)
    if not isinstance(actor, Actor):
        raise Refused([Problem(path.name, 1, f"there is no government or organisation {sheet.id}")])
    judged = dict(sheet.codings)
    asked = [indicator.id for indicator in asked_of(actor.type, codebook)]
    if sheet.rest_unknown:
        rest = Judged(why=sheet.rest_unknown, answer="unknown")
        judged |= {indicator: rest for indicator in asked if indicator not in judged}
    rows, problems = [], []
    for indicator, cell in judged.items():
        line = marks.get(("codings", indicator), 1)
        if indicator not in asked:
            problems.append(Problem(path.name, line, f"{indicator} is not asked of {sheet.id}"))
            continue
        data = _coding(sheet.id, indicator, codebook.by_id[indicator].meaning, coder, cell)
        because = _CODED_AGAIN if data["id"] in ledger.live else None
        try:
            rows.append(parse_row(path, line, data, because))
        except Refused as refused:
            problems += refused.problems
    if problems:
        raise Refused(problems)
    return [row for row in rows if not _same_judgement(row, ledger)]


def coding_id(actor: str, indicator: str, coder: str) -> str:
    """The id of a coder's coding of a cell."""
    return f"{actor.lower()}-{indicator.lower().replace('.', '-')}-{coder}"


def _read(path: Path) -> tuple[CodingSheet, Marks]:
    try:
        value, marks = read_yaml(read_whole(path, MAX_SHEET), path.name)
        return CodingSheet.model_validate_json(json.dumps(value)), marks
    except (LineError, YamlError) as error:
        raise Refused([Problem(path.name, error.line, error.rule)]) from error
    except ValidationError as error:
        raise Refused(from_validation(path, 1, "coding sheet", error)) from error


def _coding(actor: str, indicator: str, meaning: int, coder: str, cell: Judged) -> dict[str, object]:
    data: dict[str, object] = {
        "kind": "coding",
        "id": coding_id(actor, indicator, coder),
        "actor": actor,
        "indicator": indicator,
        "meaning": meaning,
        "coder": coder,
        "rationale": cell.why,
    }
    if cell.tests:
        data["tests"] = [_test(level, test) for level, test in sorted(cell.tests.items())]
    for name in ("count", "answer", "search_log", "reason"):
        if (value := getattr(cell, name)) is not None:
            data[name] = value
    if cell.counted:
        data["counted"] = list(cell.counted)
    return data


def _test(level: str, test: Met | Literal["no"]) -> dict[str, object]:
    if test == "no":
        return {"level": int(level), "met": False}
    said = {"level": int(level), "met": True, "by": list(test.by), "since": test.since}
    return said | ({"until": test.until} if test.until else {})


def _same_judgement(row: Row, ledger: Ledger) -> bool:
    """Whether the coder's live coding says the same and its evidence still stands, so nothing is new."""
    for entry in ledger.live.get(row.body.id, []):
        old = entry.body
        if isinstance(old, Coding) and old.model_copy(update={"pins": {}}) == row.body:
            live = {e.name for thing in old.evidence for e in ledger.live.get(thing, [])}
            return set(old.pins.values()) <= live
    return False
