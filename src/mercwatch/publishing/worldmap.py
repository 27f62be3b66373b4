"""The world map's shapes, as script/make-map drew them (see map/README.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Shape:
    """Land on the map. Its id is a government's alpha-2 code, or begins with "_" if it is no government's."""

    id: str
    path: str


@cache
def _world() -> dict[str, Any]:
    file = resources.files("mercwatch.publishing") / "map" / "world.json"
    world: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return world


def view_box() -> str:
    """The value of the svg element's viewBox attribute."""
    return " ".join(str(number) for number in _world()["viewBox"])


@cache
def shapes() -> tuple[Shape, ...]:
    """All land, by id."""
    return tuple(Shape(key, shape["d"]) for key, shape in sorted(_world()["shapes"].items()))
