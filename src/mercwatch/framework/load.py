"""Codebooks from their files: the versions that ship, their guides, and what is wrong in a draft."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import ValidationError

from mercwatch.framework.codebook import Codebook, Indicator, Kind, Stage
from mercwatch.framework.yaml12 import MAX_BYTES, Marks, YamlError, read_yaml
from mercwatch.framework.yaml12 import Path as Place

FOLDER = Path(str(files("mercwatch.framework"))) / "codebooks"
SCHEMA = FOLDER / "schema.json"
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_STAGES = list(Stage)


class CodebookError(ValueError):
    """Everything that is wrong with a codebook file, each as "file:line: rule"."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def versions() -> list[str]:
    """The versions that ship, oldest first."""
    found = [path.stem for path in FOLDER.glob("*.yaml") if _VERSION.fullmatch(path.stem)]
    return sorted(found, key=lambda version: [int(part) for part in version.split(".")])


@cache
def load(version: str | None = None) -> Codebook:
    """A codebook that ships: the newest, or that version. CodebookError where there is none such."""
    return load_file(_file(version or versions()[-1]))


def guide(version: str) -> str:
    """The interpretation guide of that version, in Markdown."""
    return (_file(version).parent / f"guide-{version}.md").read_text(encoding="utf-8")


def digest(version: str) -> str:
    """SHA-256 of the codebook file's bytes, in hex: what a release names."""
    return hashlib.sha256(_file(version).read_bytes()).hexdigest()


def load_file(path: Path) -> Codebook:
    """The codebook in that file; CodebookError with all that is wrong with it.

    A file named as a version must say that version.
    """
    data, marks = _read(path)

    def report(found: list[tuple[Place, str]]) -> CodebookError:
        placed = sorted((_line(place, marks), _words(place, rule, data)) for place, rule in found)
        return CodebookError(tuple(f"{path.name}:{line}: {rule}" for line, rule in placed))

    try:
        codebook = Codebook.model_validate_json(json.dumps(data))
    except ValidationError as error:
        raise report(list(_problems_of(error))) from None
    if problems := [*_against_schema(data), *_misnamed(codebook, path), *_inconsistent(codebook)]:
        raise report(problems)
    return codebook


def schema() -> dict[str, Any]:
    """The JSON Schema of a codebook file, as the typed objects define it.

    The committed copy is `codebooks/schema.json`; after a change of the objects, write it anew:
    `python -c "from mercwatch.framework.load import write_schema; write_schema()"`.
    """
    generated = Codebook.model_json_schema()
    return {"$schema": Draft202012Validator.META_SCHEMA["$id"], **generated}


def schema_text() -> str:
    """What the committed copy of the schema must hold, byte for byte."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def write_schema() -> None:
    """Write the committed copy of the schema."""
    SCHEMA.write_text(schema_text(), encoding="utf-8")


def _file(version: str) -> Path:
    if version not in versions():
        raise CodebookError((f"there is no codebook {version}; there are {', '.join(versions())}",))
    return FOLDER / f"{version}.yaml"


def _read(path: Path) -> tuple[object, Marks]:
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    try:
        return read_yaml(raw.decode("utf-8"), path.name)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CodebookError((f"{path.name}:{line}: not UTF-8",)) from None
    except YamlError as error:
        raise CodebookError((str(error),)) from None


def _problems_of(error: ValidationError) -> Iterator[tuple[Place, str]]:
    details = error.errors(include_url=False)
    for detail in details:
        if detail["type"] == "codebook":
            yield from detail["ctx"]["problems"]
        elif not _follows(detail["loc"], detail["type"], [other["loc"] for other in details]):
            yield detail["loc"], detail["msg"].removeprefix("Value error, ")


def _follows(place: Place, rule: str, places: list[Place]) -> bool:
    """Whether a list is called too short only because what it holds is wrong."""
    return rule == "too_short" and any(len(p) > len(place) and p[: len(place)] == place for p in places)


def _against_schema(data: object) -> Iterator[tuple[Place, str]]:
    for error in Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).iter_errors(data):
        yield tuple(error.absolute_path), error.message


def _misnamed(codebook: Codebook, path: Path) -> Iterator[tuple[Place, str]]:
    if _VERSION.fullmatch(path.stem) and path.stem != codebook.version:
        yield ("version",), f"the file is named {path.stem}, so the version must be {path.stem}"


def _inconsistent(codebook: Codebook) -> Iterator[tuple[Place, str]]:
    for number, indicator in enumerate(codebook.indicators):
        for field, rule in _rules_broken(indicator):
            yield ("indicators", number, field), rule


def _rules_broken(indicator: Indicator) -> Iterator[tuple[str, str]]:
    stages = [_STAGES.index(level.stage) for level in indicator.levels]
    if any(later < earlier for earlier, later in pairwise(stages)):
        yield "levels", "a level cannot show an earlier stage than the level below it"
    ages = indicator.kind is Kind.COUNT or any(level.windowed for level in indicator.levels)
    if indicator.window_months is not None and not ages:
        yield "window_months", "a window needs a windowed level"
    applied = bool(indicator.levels) and indicator.levels[-1].stage is Stage.APPLIED
    if applied and not indicator.top_needs_application:
        yield "top_needs_application", "a top that shows the stage applied needs an application"


def _line(place: Place, marks: Marks) -> int:
    """The line of the place, or of the nearest thing around it that the file has."""
    while place not in marks:
        place = place[:-1]
    return marks[place]


def _words(place: Place, rule: str, data: object) -> str:
    """The rule after the place's name, in which things with an id are called by it."""
    names: list[str] = []
    for step in place:
        data = _inside(data, step)
        names.append(str(data["id"]) if isinstance(data, dict) and "id" in data else str(step))
    return f"{'.'.join(names)}: {rule}" if names else rule


def _inside(data: object, step: str | int) -> object:
    if isinstance(data, dict):
        return data.get(step)
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return data[step]
    return None
