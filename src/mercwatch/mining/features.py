"""What the model sees of a provision: which concepts stand in it, around it and in its law.

Nothing here names a country, a language or a law, so that a model learnt on some books reads others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from mercwatch.capture.law import Law
from mercwatch.mining.lexicon import concept_numbers, concepts, domains
from mercwatch.mining.matching import Hit, Matcher, lowered

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@cache
def numbers(place: str) -> Ints:
    """Numbers of the concepts that are looked for in one place."""
    return np.array([n for n, c in enumerate(concepts().values()) if c.place == place], dtype=np.int64)


@cache
def names() -> tuple[str, ...]:
    """What each feature is, in the order of the columns."""
    every = list(concepts())
    text = [every[n] for n in numbers("text")]
    found = [f"in:{c}" for c in text]
    found += [f"heading:{c}" for c in text]
    found += [f"near:{c}" for c in text]
    found += [f"chapter:{c}" for c in text]
    found += [f"around:{c}" for c in text]
    found += [f"law:{c}" for c in text]
    found += [f"title:{every[n]}" for n in numbers("title")]
    found += [f"other title:{every[n]}" for n in numbers("unrelated")]
    found += [f"kind:{every[n]}" for n in numbers("heading")]
    found += [f"part:{every[n]}" for n in numbers("title")]
    found += [f"domain:{d}" for d in domains()]
    found += [f"{d}×{c}" for d in domains() for c in text]
    found += ["length", "articles", "place", "kinds"]
    return tuple(found)


def title_concepts(matcher: Matcher, title: str) -> Floats:
    """Which concepts a law's title names: one number for each concept, 0 or 1."""
    found = np.zeros(len(concepts()), dtype=np.float32)
    _, hits = matcher.scan(lowered(title.encode()))
    for concept, _, _ in hits:
        found[concept] = 1
    return found


def counts(law: Law, hits: list[Hit]) -> tuple[Floats, Floats, Floats]:
    """How often each concept stands in each provision, in its heading, and in its chapter's heading.

    Shapes: provisions × concepts.
    """
    shape = (len(law.provisions), len(concepts()))
    body, heading, chapter = (np.zeros(shape, dtype=np.float32) for _ in range(3))
    if not hits or not law.provisions:
        return body, heading, chapter
    found = np.array(hits, dtype=np.int64)
    found = found[np.argsort(found[:, 1], kind="stable")]
    starts = np.array([p.start for p in law.provisions], dtype=np.int64)
    ends = np.array([p.end for p in law.provisions], dtype=np.int64)
    tops = np.array([p.heading_end for p in law.provisions], dtype=np.int64)
    at = np.searchsorted(starts, found[:, 1], side="right") - 1
    inside = (at >= 0) & (found[:, 1] < ends[at])
    np.add.at(body, (at[inside], found[inside, 0]), 1)
    on_top = inside & (found[:, 1] < tops[at])
    heading[at[on_top], found[on_top, 0]] = 1
    for span, rows in under(law).items():
        low, high = np.searchsorted(found[:, 1], span)
        if high > low:
            chapter[np.ix_(np.array(rows), np.unique(found[low:high, 0]))] = 1
    return body, heading, chapter


def under(law: Law) -> dict[tuple[int, int], list[int]]:
    """For each heading of a law's parts the provisions that stand under it, by their numbers."""
    found: dict[tuple[int, int], list[int]] = {}
    for number, provision in enumerate(law.provisions):
        for span in provision.chapters:
            found.setdefault(span, []).append(number)
    return found


def parts(law: Law, low: bytes, matcher: Matcher) -> Floats:
    """Which subjects the headings above each provision name, as titles do. Shape: provisions × concepts."""
    named = np.zeros((len(law.provisions), len(concepts())), dtype=np.float32)
    headings = list(under(law).items())
    spans = [(start, min(end, start + 400)) for (start, end), _ in headings]
    for number, (concept, _, _) in matcher.within(low, spans) if spans else ():
        named[headings[number][1], concept] = 1
    return named


def _around(present: Floats, reach: int = 12) -> Floats:
    """The share of the provisions in a window around each that hold a concept."""
    total = len(present)
    sums = np.vstack([np.zeros((1, present.shape[1]), dtype=np.float32), np.cumsum(present, axis=0)])
    at = np.arange(total)
    low, high = np.maximum(0, at - reach), np.minimum(total, at + reach + 1)
    return np.asarray((sums[high] - sums[low]) / (high - low)[:, None], dtype=np.float32)


def _domains(titles: Floats, present: Floats) -> Floats:
    """How much each provision's surroundings belong to each domain: 1 by title, else by what stands around.

    Shape: provisions × domains.
    """
    numbers_of = concept_numbers()
    filled, titled = [], []
    for domain in domains().values():
        filled.append(present[:, [numbers_of[c] for c in domain.concepts]].max(axis=1))
        titled.append(titles[:, [numbers_of[c] for c in domain.titles]].max(axis=1))
    told: Floats = np.maximum(np.column_stack(titled), _around(np.column_stack(filled))).astype(np.float32)
    return told


def _near(present: Floats, reach: int = 2) -> Floats:
    """For each provision the concepts of the `reach` provisions before and after it; nearer counts more."""
    near = np.zeros_like(present)
    for step in range(1, reach + 1):
        weight = np.float32(1 / step)
        near[step:] = np.maximum(near[step:], present[:-step] * weight)
        near[:-step] = np.maximum(near[:-step], present[step:] * weight)
    return near


@dataclass(frozen=True, slots=True)
class View:
    """The model's view of a law's provisions, made a few rows at a time: a row has some 1,000 columns."""

    blocks: tuple[Floats, ...]
    often: Floats
    domains: Floats
    tail: Floats
    law: Floats
    at_law: int

    def __len__(self) -> int:
        return len(self.often)

    def rows(self, first: int, last: int) -> Floats:
        """The features of some provisions. Shape: (last - first) × len(names())."""
        chosen = slice(first, min(last, len(self)))
        often, about = self.often[chosen], self.domains[chosen]
        total = len(often)
        same = np.broadcast_to(self.law, (total, len(self.law)))
        crossed = (about[:, :, None] * often[:, None, :]).reshape(total, -1)
        blocks = [block[chosen] for block in self.blocks]
        before, after = blocks[: self.at_law], blocks[self.at_law :]
        return np.hstack([*before, same, *after, about, crossed, self.tail[chosen]]).astype(np.float32)

    def chunks(self, size: int = 2_048) -> Iterator[Floats]:
        """All rows in their order, so many at a time."""
        for first in range(0, len(self), size):
            yield self.rows(first, first + size)


def view(law: Law, low: bytes, hits: list[Hit], title: Floats, matcher: Matcher) -> View:
    """What the model sees of a law.

    low: the law's lowered bytes; hits: the terms in them; title: what its title names; matcher: for titles.
    """
    body, heading, chapter = counts(law, hits)
    named = parts(law, low, matcher)
    present = (body > 0).astype(np.float32)
    text, kinds = numbers("text"), numbers("heading")
    unrelated, titles = numbers("unrelated"), numbers("title")
    total = len(law.provisions)
    often: Floats = (np.minimum(np.log2(1 + body[:, text]), 2) / 2).astype(np.float32)
    sizes = np.array([p.end - p.start for p in law.provisions], dtype=np.float32)
    tail = np.column_stack(
        [
            np.log10(1 + sizes) / 4,
            np.full(total, np.log10(1 + total) / 3, dtype=np.float32),
            np.arange(total, dtype=np.float32) / max(1, total),
            np.minimum(present[:, text].sum(axis=1), 15) / 15,
        ]
    )
    return View(
        blocks=(
            often,
            heading[:, text],
            _near(present[:, text]),
            chapter[:, text],
            np.sqrt(_around(present[:, text])),
            heading[:, kinds],
            named[:, titles],
        ),
        often=often,
        domains=_domains(np.maximum(named, title), present),
        tail=tail,
        law=np.concatenate([np.sqrt(present[:, text].mean(axis=0)), title[titles], title[unrelated]]),
        at_law=5,
    )
