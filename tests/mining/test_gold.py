"""How much of what people would cite the miner ranks high, on judged Swiss laws."""

from __future__ import annotations

import importlib.util
import tarfile
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest

from mining.law_books import mined, rows_of

SHARED = Path(__file__).parents[3] / "shared"
GOLD, SCORE = SHARED / "gold" / "laws-ch.jsonl", SHARED / "gold" / "score.py"
BOOK = SHARED / "corpora" / "laws-ch.tar.xz"
OTHERS = 1_500
DEPTH = 200
LEAST = 0.75

pytestmark = pytest.mark.skipif(
    not (GOLD.is_file() and SCORE.is_file() and BOOK.is_file()),
    reason=f"the judged laws are not there: {GOLD}, {SCORE}, {BOOK}",
)


def scoring() -> ModuleType:
    """The gold set's own script."""
    spec = importlib.util.spec_from_file_location("gold_score", SCORE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def slice_of_the_book(folder: Path, judged: set[str]) -> Path:
    """The judged laws among others taken evenly from the same book."""
    with tarfile.open(BOOK) as tar:
        laws = [m for m in tar if m.isreg() and m.name.endswith(".md")]
        chosen = {m.name for m in laws[:: max(1, len(laws) // OTHERS)]}
        for one in laws:
            if one.name in chosen or one.name in judged:
                tar.extract(one, folder, filter="data")
    return folder


def test_three_quarters_of_what_is_directly_on_point_are_among_the_first_200(tmp_path: Path) -> None:
    score = scoring()
    gold = score.read(GOLD)
    book = slice_of_the_book(tmp_path / "book", {row["file"] for row in gold})
    mined(book, tmp_path / "found.jsonl")
    first: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
    for row in rows_of(tmp_path / "found.jsonl"):
        for place in row["places"]:
            first[row["recommendation"]].setdefault(
                (score.name(place["file"]), score.label(place["article"]))
            )
    recalls = {}
    for recommendation in (f"R{n}" for n in range(1, 8)):
        wanted = {
            (score.name(row["file"]), score.label(row["article"]))
            for row in gold
            if row["recommendations"].get(recommendation) == 2
        }
        recalls[recommendation] = len(wanted & set(list(first[recommendation])[:DEPTH])) / len(wanted)
    assert sum(recalls.values()) / len(recalls) >= LEAST, recalls
