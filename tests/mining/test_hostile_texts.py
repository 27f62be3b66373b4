"""No text, however made, holds the miner up: all that reads it takes time linear in its length."""

from __future__ import annotations

import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercwatch.capture.law import LawError, clean, law_of, title_of
from mercwatch.capture.markup import text_of
from mercwatch.mining.language import detect
from mercwatch.mining.matching import Matchers, lowered, matchers
from mercwatch.mining.miner import Best, mine_bytes

SECONDS = 5.0
"""Each text here is read in a fraction of it; one that makes the miner hang is not."""
LENGTH = 200_000
PIECES = {
    "spaces": " ",
    "lines": "\n",
    "angles": "<",
    "angles and letters": "<a",
    "open comments": "<!--",
    "open scripts": "<script>",
    "signs of paragraphs": "§",
    "lines of paragraphs": "§ 1\n",
    "lines of articles": "Art. 1\n",
    "headings": "#",
    "lines of headings": "##### \n",
    "numbers": "1 ",
    "dots": "1.",
    "brackets": "(",
    "square brackets": "[^",
    "stars": "*_",
    "letters": "a ",
    "one word": "a",
    "ampersands": "&",
    "entities": "&amp",
    "raised": "<sup>1",
    "carets": "^1",
    "the beginning of a phrase": "überwachung des ",
    "a term without its end": "eindringen in ein ",
    "capitals": "Ü",
    "combining signs": "e\u0301",
    "Han numbers": "第一",
    "quotes": "«",
    "rules": "---\n",
    "keys": "a: b\n",
}


@cache
def german() -> Matchers:
    """The German matchers, made before the clock runs."""
    return matchers("de")


def read_in_all_ways(data: bytes) -> None:
    """Take a text through everything that reads it."""
    for file in ("law.md", "law.html"):
        text = text_of(data, file)
        assert not data or text.origin(len(text.data)) <= len(data)
        try:
            law_of(text.data, file)
        except LawError:
            continue
        german().text.scan(lowered(text.data))
        opening = text.data[:12_000].decode("utf-8", "ignore")
        detect(opening)
        title_of({}, "", opening)
        clean(opening)


def timed(data: bytes) -> float:
    """Seconds to read a text in all ways."""
    german()
    began = time.perf_counter()
    read_in_all_ways(data)
    return time.perf_counter() - began


@pytest.mark.parametrize("piece", PIECES)
def test_a_repeated_piece_holds_nothing_up(piece: str) -> None:
    body = (PIECES[piece] * LENGTH)[:LENGTH].encode()
    assert timed(body) < SECONDS


@pytest.mark.parametrize("piece", ["spaces", "keys", "rules", "brackets", "quotes", "ampersands"])
def test_a_long_front_holds_nothing_up(piece: str) -> None:
    front = b"---\n" + (PIECES[piece] * LENGTH)[:LENGTH].encode() + b"\n---\n# Gesetz\n"
    assert timed(front) < SECONDS
    assert timed(b'---\ntitle: "' + front) < SECONDS


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(st.sampled_from(sorted(PIECES.values())), st.text(max_size=12)), min_size=1, max_size=6
    ),
    st.integers(1, 20_000),
)
def test_any_mixture_is_read_in_time(pieces: list[str], times: int) -> None:
    data = ("".join(pieces) * times)[:200_000].encode("utf-8", "ignore")
    assert timed(data) < SECONDS


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["a.md", "a.html", "a.txt"]))
def test_any_bytes_are_mined_or_refused_with_a_reason(data: bytes, file: str) -> None:
    law = "# Gesetz über die Überwachung\n\nDer Richter ordnet die Überwachung der Telefone an.\n\n".encode()
    for whole in (data, law + data, data + law):
        found = mine_bytes(whole, file, ("de",), Best(10))
        assert found.status == "read" or found.status == "of another subject" or found.message
        for candidate in found.candidates:
            assert 0 <= candidate.start < candidate.end <= len(whole)
