"""Own words: no run of eight words from a source, outside marked quotations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mercwatch.record.kinds import Passage, Source
from mercwatch.record.lines import LineError, read_whole
from mercwatch.record.lint.stated import Collection, unquoted
from mercwatch.record.problems import Problem, Refused

RUN = 8  # words
MAX_TEXT = 50_000_000  # bytes of one source's text
_WORD = re.compile(r"[^\W_]+")


def copied(collection: Collection, texts: Path | None) -> list[Problem]:
    """Runs of eight words that the record shares with what it cites.

    Compared are the titles of the record's own sources, its recorded quotations, and, where the folder
    `texts` is given, every text file in it: private copies of sources, never shipped.
    """
    runs: dict[tuple[str, ...], str] = {}
    for _, source in collection.all(Source):
        _take(source.title, f"the title of {source.id}", runs)
    for _, passage in collection.all(Passage):
        _take(passage.quote or "", f"the quotation {passage.id}", runs)
    for file in sorted(texts.rglob("*.txt")) if texts else ():
        _take(_read(file), file.name, runs)
    return sorted(set(_hits(collection, runs)))


def _hits(collection: Collection, runs: dict[tuple[str, ...], str]) -> Iterator[Problem]:
    for stated in collection.stated:
        for field, text in stated.own_texts.items():
            for run in _runs(unquoted(text)):
                if run in runs:
                    words = f"{field}: {' '.join(run)!r} stands in {runs[run]} too"
                    yield stated.problem("own-words", words)
                    break


def _take(text: str, name: str, runs: dict[tuple[str, ...], str]) -> None:
    for run in _runs(text):
        runs.setdefault(run, name)


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    for part in text.split("¶"):
        words = _WORD.findall(part.lower())
        for start in range(len(words) - RUN + 1):
            yield tuple(words[start : start + RUN])


def _read(file: Path) -> str:
    try:
        return read_whole(file, MAX_TEXT)
    except LineError as error:
        raise Refused([Problem(file.name, error.line, error.rule)]) from error
