"""The watch list: official places where governments publish what we look for. Data, one file a region."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from mercwatch.framework.yaml12 import MAX_BYTES, Marks, YamlError, read_yaml
from mercwatch.framework.yaml12 import Path as Spot

FOLDER = Path(__file__).parent / "places"
SCHEMA = FOLDER / "schema.json"

Address = Annotated[str, Field(pattern=r"^https?://[^\s<>\"']+$", max_length=2_000)]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]


class PlaceKind(StrEnum):
    """What publishes at a place."""

    GAZETTE = "gazette"
    SANCTIONS_LIST = "sanctions-list"
    PARLIAMENT = "parliament"
    REGULATOR = "regulator"
    OVERSIGHT_BODY = "oversight-body"
    EXPORT_CONTROL = "export-control"
    PROCUREMENT = "procurement"
    COURT = "court"
    MINISTRY = "ministry"
    INSTRUMENT = "instrument"


class Form(StrEnum):
    """How a place tells what is new: a feed (RSS, Atom), a page, or a sitemap."""

    FEED = "feed"
    PAGE = "page"
    SITEMAP = "sitemap"


class Place(BaseModel):
    """One official place that is watched."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)+$",
        max_length=60,
        description="Begins with the government's code in lower case, or int- for international bodies.",
    )
    actor: str = Field(pattern=r"^([A-Z]{2}|INT)$", description="A government's code, EU, or INT.")
    name: str = Field(min_length=1, max_length=200)
    kind: PlaceKind
    language: str = Field(pattern=r"^[a-z]{2,3}$", description="ISO 639, of what it publishes.")
    address: Address
    form: Form
    watched_for: tuple[Annotated[str, Field(pattern=r"^R([1-9]|1[01])$")], ...] = Field(
        min_length=1, description="Recommendations that it may speak to."
    )
    why: str = Field(min_length=1, max_length=300, description="What it is watched for, in own words.")
    seen_in: Annotated[str, Field(max_length=2_000)] = Field(
        default="", description="Where we saw that this address is the official one; may be empty."
    )
    checked_on: Day | None = Field(
        default=None, description="The day somebody saw it answer; empty until then, never invented."
    )

    @model_validator(mode="after")
    def _named_for_its_actor(self) -> Place:
        if not self.id.startswith(f"{self.actor.lower()}-"):
            raise ValueError(f"the id begins with {self.actor.lower()}-, as its actor is {self.actor}")
        return self


class PlacesError(ValueError):
    """Everything that is wrong with watch lists, each as "file:line: rule"."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


_LIST: TypeAdapter[tuple[Place, ...]] = TypeAdapter(tuple[Place, ...])


def shipped() -> tuple[Place, ...]:
    """The places that ship, from all files of the watch list; raises PlacesError."""
    return load(sorted(FOLDER.glob("*.yaml")))


def load(files: Iterable[Path]) -> tuple[Place, ...]:
    """The places of these files in their order; PlacesError with all that is wrong in any of them.

    No two places share an id or an address.
    """
    found: list[Place] = []
    problems: list[str] = []
    met: dict[str, str] = {}
    for path in files:
        try:
            places, marks = _read(path)
        except PlacesError as error:
            problems += error.problems
            continue
        for number, place in enumerate(places):
            spot = f"{path.name}:{_line((number,), marks)}"
            for what in (place.id, place.address):
                if what in met:
                    problems.append(f"{spot}: {place.id}: {what} stands already at {met[what]}")
                met.setdefault(what, spot)
        found += places
    if problems:
        raise PlacesError(tuple(problems))
    return tuple(found)


def schema() -> dict[str, Any]:
    """The JSON Schema of a watch list, as the types define it; the committed copy is `places/schema.json`."""
    return {"$schema": Draft202012Validator.META_SCHEMA["$id"], **_LIST.json_schema()}


def schema_text() -> str:
    """What the committed copy of the schema must hold, byte for byte."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def write_schema() -> None:
    """Write the committed copy of the schema, after a change of the types."""
    SCHEMA.write_text(schema_text(), encoding="utf-8")


def _read(path: Path) -> tuple[tuple[Place, ...], Marks]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        data, marks = read_yaml(raw.decode("utf-8"), path.name)
    except OSError as error:
        raise PlacesError((f"{path}: cannot be read: {error.strerror}",)) from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PlacesError((f"{path.name}:{line}: not UTF-8",)) from None
    except YamlError as error:
        raise PlacesError((str(error),)) from None
    try:
        places = _LIST.validate_json(json.dumps(data))
    except ValidationError as error:
        raise _told(path, marks, data, _problems_of(error)) from None
    # The typed objects are the rule; the schema is what others check their lists with, so both must agree.
    against = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).iter_errors(data)
    if problems := [(tuple(error.absolute_path), error.message) for error in against]:
        raise _told(path, marks, data, problems)
    return places, marks


def _problems_of(error: ValidationError) -> Iterator[tuple[Spot, str]]:
    for detail in error.errors(include_url=False):
        yield detail["loc"], detail["msg"].removeprefix("Value error, ")


def _told(path: Path, marks: Marks, data: object, problems: Iterable[tuple[Spot, str]]) -> PlacesError:
    placed = sorted((_line(spot, marks), f"{_name(spot, data)}{rule}") for spot, rule in problems)
    return PlacesError(tuple(f"{path.name}:{line}: {rule}" for line, rule in placed))


def _line(spot: Spot, marks: Marks) -> int:
    """The line of a spot, or of the nearest thing around it that the file has."""
    while spot not in marks:
        spot = spot[:-1]
    return marks[spot]


def _name(spot: Spot, data: object) -> str:
    """How a person finds a spot: the place's id and the field, as `fr-jo: kind: `."""
    if not spot or not isinstance(data, list) or not isinstance(spot[0], int):
        return ""
    place = data[spot[0]]
    name = place.get("id") if isinstance(place, dict) else None
    return f"{': '.join([str(name or f'place {spot[0] + 1}'), *map(str, spot[1:])])}: "
