"""Runs the sentences that each lexicon carries: what its terms must find, and must not."""

from __future__ import annotations

from mercwatch.mining.lexicon import Lexicon, Sentence, concepts
from mercwatch.mining.matching import Matcher, lowered


def _found(sentence: Sentence, matcher: Matcher) -> dict[str, str]:
    data = (sentence.says or sentence.title).encode()
    names = list(concepts())
    _, hits = matcher.scan(lowered(data))
    return {names[concept]: data[start:end].decode() for concept, start, end in hits}


def broken(lexicon: Lexicon) -> list[str]:
    """Each sentence of a lexicon that does not hold, in words; empty where all do."""
    running = Matcher(lexicon, ("text", "heading", "unrelated"))
    titles = Matcher(lexicon, ("title", "unrelated"))
    told: list[str] = []
    for number, sentence in enumerate(lexicon.tests, 1):
        found = _found(sentence, titles if sentence.title else running)
        about = f"lexicons/{lexicon.language}.yaml: test {number}"
        told += [f"{about}: {name} is not found" for name in sentence.finds if name not in found]
        told += [f"{about}: {name} is found in {found[name]!r}" for name in sentence.not_ if name in found]
    return told
