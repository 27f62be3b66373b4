"""The world map's data: small, well-formed, plausible, and made by script/make-map."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from mercwatch.publishing import worldmap

ROOT = Path(__file__).parents[2]
DATA = ROOT / "src/mercwatch/publishing/map/world.json"
PATH = re.compile(r"(M-?[\d.]+[ -][\d.]+l[^Mlz]+z)+")
NUMBER = re.compile(r"-?(?:\d+(?:\.\d)?|\.\d)(?![\d.])")


def rings(path: str) -> list[list[tuple[float, float]]]:
    """A path's rings in absolute coordinates."""
    found = []
    for piece in path.split("z")[:-1]:
        numbers = [float(number) for number in NUMBER.findall(piece)]
        assert len(numbers) % 2 == 0
        x = y = 0.0
        ring = []
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = round(x + dx, 1), round(y + dy, 1)
            ring.append((x, y))
        found.append(ring)
    return found


def area(ring: list[tuple[float, float]]) -> float:
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise([*ring, ring[0]]))) / 2


def shape_area(key: str) -> float:
    path = next(shape.path for shape in worldmap.shapes() if shape.id == key)
    return sum(map(area, rings(path)))


def test_the_file_and_the_drawing_are_small() -> None:
    assert DATA.stat().st_size < 110_000
    bare = sum(len(f'<path id="{shape.id}" d="{shape.path}"/>') for shape in worldmap.shapes())
    assert bare < 100_000  # leaves room in the page's 130 kB for classes, links and titles


def test_every_key_is_a_code_or_marked_as_unattributed() -> None:
    ids = [shape.id for shape in worldmap.shapes()]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"[A-Z]{2}|_[A-Z]{2}|_\d", key) for key in ids)
    assert {"_1", "_2", "_5", "_TW", "_EH", "_FK", "_GL"} <= set(ids)
    assert {"FR", "XK", "PS", "SG", "MT"} <= set(ids)
    assert not {"TW", "EH", "FK", "AQ", "_AQ", "_XK"} & set(ids)
    assert len([key for key in ids if not key.startswith("_")]) == 191


def test_paths_lie_inside_the_view_box_and_no_ring_is_degenerate() -> None:
    left, top, width, height = map(float, worldmap.view_box().split())
    assert (left, top, width) == (0, 0, 1000)
    for shape in worldmap.shapes():
        assert PATH.fullmatch(shape.path), shape.id
        for ring in rings(shape.path):
            assert len(ring) >= 3 and area(ring) > 0, shape.id
            assert all(0 <= x <= width and 0 <= y <= height for x, y in ring), shape.id
            assert all(abs(ax - bx) < 200 for (ax, _), (bx, _) in pairwise([*ring, ring[0]])), shape.id


def test_places_lie_where_they_should() -> None:
    shapes = json.loads(DATA.read_text(encoding="utf-8"))["shapes"]
    at = {key: shape["at"] for key, shape in shapes.items()}
    for west, east in [
        ("FR", "NZ"),
        ("US", "FR"),
        ("PT", "ES"),
        ("IE", "GB"),
        ("CN", "JP"),
        ("AU", "NZ"),
        ("IL", "JO"),
    ]:
        assert at[west][0] < at[east][0], (west, east)
    for north, south in [
        ("FR", "NZ"),
        ("CA", "US"),
        ("NO", "IT"),
        ("AR", "GB")[::-1],
        ("DE", "CH"),
        ("RU", "MN"),
    ]:
        assert at[north][1] < at[south][1], (north, south)


def test_the_projection_keeps_areas() -> None:
    # Areas in thousands of square kilometres, so that a wrong formula or a lost piece shows.
    france = 549 + 84  # with French Guiana
    for key, known in {"AU": 7690, "BR": 8510, "RU": 17070, "DZ": 2380, "_GL": 2170}.items():
        assert shape_area(key) / shape_area("FR") == pytest.approx(known / france, rel=0.07), key


def test_western_sahara_is_whole_and_crimea_is_unattributed() -> None:
    assert shape_area("_EH") / shape_area("MA") == pytest.approx(266 / 413, rel=0.1)
    assert shape_area("_5") / shape_area("UA") == pytest.approx(27 / 577, rel=0.2)


def test_the_script_makes_the_same_bytes(tmp_path: Path) -> None:
    package = os.environ.get("MERCWATCH_WORLD_ATLAS")
    if not package:
        pytest.skip(
            "MAP NOT REMADE: set MERCWATCH_WORLD_ATLAS to world-atlas-2.0.2.tgz (see script/make-map)"
        )
    if importlib.util.find_spec("pycountry") is None:
        pytest.skip("MAP NOT REMADE: put pycountry on PYTHONPATH (see script/make-map)")
    out = tmp_path / "world.json"
    subprocess.run([sys.executable, ROOT / "script/make-map", package, "--out", out], check=True)
    assert json.loads(out.read_bytes())["viewBox"] == [0, 0, 1000, 456]
    assert out.read_bytes() == DATA.read_bytes()
