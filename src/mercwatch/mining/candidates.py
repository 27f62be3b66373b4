"""Files of candidates: read back, checked row by row, and found by a short name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Sha256 = Field(pattern=r"^[0-9a-f]{64}$")


class Place(BaseModel):
    """One place where a candidate's words stand. start, end: bytes of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(min_length=1, max_length=1_000)
    law: str = Field(max_length=1_000)
    article: str = Field(max_length=200)
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    sha256: str = Sha256


class Row(BaseModel):
    """One candidate as `mercwatch mine` writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(min_length=1, max_length=1_000)
    law: str = Field(max_length=1_000)
    title: str
    article: str = Field(max_length=200)
    recommendation: Literal["R1", "R2", "R3", "R4", "R5", "R6", "R7"]
    score: float = Field(ge=0, le=1)
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    sha256: str = Sha256
    language: str
    in_force: bool | None
    in_force_reason: str
    reasons: tuple[str, ...]
    places: tuple[Place, ...] = Field(min_length=1)

    @property
    def name(self) -> str:
        """The candidate's short name: its recommendation and the beginning of its hash, `r1-0a1b2c3d4e5f`."""
        return f"{self.recommendation.lower()}-{self.sha256[:12]}"


class CandidatesError(Exception):
    """A file of candidates that cannot be used; names the file, the line and the rule."""


def _raw(path: Path) -> Iterator[tuple[int, Any]]:
    if path.suffix == ".parquet":
        try:
            table = pa.parquet.read_table(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise CandidatesError(f"{path}: is no Parquet table: {str(error)[:120]}") from None
        yield from enumerate(table.to_pylist(), 1)
        return
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise CandidatesError(f"{path}:{number}: is no JSON: {error}") from None


def read(path: Path) -> list[Row]:
    """All candidates of a file in its order; raises CandidatesError."""
    rows = []
    try:
        for number, data in _raw(path):
            try:
                rows.append(Row.model_validate(data))
            except ValidationError as error:
                first = error.errors()[0]
                field = ".".join(map(str, first["loc"]))
                raise CandidatesError(f"{path}:{number}: {field}: {first['msg']}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise CandidatesError(f"{path}: cannot be read: {error}") from None
    return rows
