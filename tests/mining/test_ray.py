"""A Ray cluster gives what one machine gives. Starting one takes long: run with `-m ray`."""

from __future__ import annotations

from pathlib import Path

import pytest

from mining.law_books import BOOK, mined, written


@pytest.mark.ray
def test_ray_gives_the_same_bytes_as_one_machine(tmp_path: Path) -> None:
    book = written(tmp_path / "book", BOOK)
    mined(book, tmp_path / "local.jsonl")
    mined(book, tmp_path / "ray.jsonl", "--engine", "ray")
    assert (tmp_path / "local.jsonl").read_bytes() == (tmp_path / "ray.jsonl").read_bytes()
    told = [(tmp_path / f"{name}.summary.json").read_text() for name in ("local", "ray")]
    assert told[0] == told[1]
