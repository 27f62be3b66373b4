"""Tells the language of a law by its little words, which every lexicon lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

from mercwatch.mining.lexicon import UNSPACED, function_words, languages

SAMPLE = 2_000
"""Characters of a law that are looked at."""
SHORT = 600
"""… where the book's one language is known and only to be met again."""
_ENOUGH = 0.05
_RARE = 0.08
_CLEAR = 1.5
_TOKEN = re.compile(r"[^\W\d_]+")
_KANA = re.compile("[\u3040-\u30ff]")


@cache
def _by_word(allowed: tuple[str, ...]) -> dict[str, tuple[tuple[str, float], ...]]:
    owners: dict[str, list[str]] = {}
    for language in allowed:
        if language not in UNSPACED:
            for word in set(function_words(language)):
                owners.setdefault(word, []).append(language)
    return {word: tuple((name, 1 / len(names)) for name in names) for word, names in owners.items()}


def _weigh(text: str, allowed: tuple[str, ...]) -> tuple[list[tuple[float, str]], float]:
    """Languages by the weight of their words, heaviest first; the share of words that the first one met."""
    tokens = _TOKEN.findall(text[:SAMPLE].lower())
    owners = _by_word(allowed or languages())
    weights: dict[str, float] = {}
    met: Counter[str] = Counter()
    for token in tokens:
        for language, weight in owners.get(token, ()):
            weights[language] = weights.get(language, 0) + weight
            met[language] += 1
    order = sorted(((weight, name) for name, weight in weights.items()), key=lambda pair: (-pair[0], pair[1]))
    return order, (met[order[0][1]] / len(tokens) if order else 0)


def _japanese(text: str) -> bool:
    sample = text[:SAMPLE]
    return len(_KANA.findall(sample)) * 20 > len(sample) > 0


def detect(text: str, allowed: tuple[str, ...] = ()) -> str | None:
    """The language (ISO 639-1) of a text by its first 2,000 characters, among `allowed` or all.

    None where too few words of any lexicon are met: too few is one in twenty, or none at all once the
    languages of the book are known.
    """
    if _japanese(text):
        return "ja" if "ja" in (allowed or languages()) else None
    if len(allowed) == 1:
        owners = _by_word(allowed)
        met = any(token in owners for token in _TOKEN.findall(text[:SHORT].lower()))
        return allowed[0] if met else None
    order, share = _weigh(text, allowed)
    return order[0][1] if order and share > (0 if allowed else _ENOUGH) else None


def of_book(texts: Iterable[str]) -> tuple[str, ...]:
    """The languages that a law book is written in, by a sample of its laws: those of 8 % or more of them.

    Only laws whose language stands out from its neighbours are asked.
    """
    found: Counter[str] = Counter()
    for text in texts:
        if _japanese(text):
            found["ja"] += 1
            continue
        order, share = _weigh(text, ())
        if order and share > _ENOUGH and (len(order) == 1 or order[0][0] > _CLEAR * order[1][0]):
            found[order[0][1]] += 1
    total = sum(found.values())
    return tuple(sorted(name for name, count in found.items() if count >= max(1, _RARE * total)))
