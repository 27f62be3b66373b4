"""One law in, its candidates out: reads, splits, weighs. No file is opened here."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cache
from heapq import heappush, heappushpop

import numpy as np

from mercwatch.capture import law as laws
from mercwatch.capture.law import Law, LawError, Provision
from mercwatch.capture.markup import MAX_FILE, Text, text_of
from mercwatch.mining.features import Floats, View, names, numbers, title_concepts, view
from mercwatch.mining.language import detect
from mercwatch.mining.lexicon import RECOMMENDATIONS, concept_numbers, concepts
from mercwatch.mining.matching import Hit, Matchers, lowered, matchers
from mercwatch.mining.model import Model, model

READ, OTHER, WHOLE = "read", "of another subject", "no articles"
UNKNOWN, REFUSED = "unknown language", "not read"
_META = (
    "sr_number",
    "repeals",
    "status",
    "publication_date",
    "date",
    "applicability_date",
    "official_number",
)


class Best:
    """The strongest sums that a worker met for each recommendation, twice as many as are asked for.

    A weaker provision cannot come into the result, even where every second candidate is another's double.
    """

    def __init__(self, top: int) -> None:
        self.top = top
        self._heaps: list[list[float]] = [[] for _ in RECOMMENDATIONS]

    def least(self, recommendation: int) -> float:
        """The sum that a provision must pass; minus infinity until enough were met."""
        heap = self._heaps[recommendation]
        return heap[0] if len(heap) >= 2 * self.top else float("-inf")

    def met(self, recommendation: int, sums: list[float]) -> None:
        """Remember the sums of a law's candidates."""
        heap = self._heaps[recommendation]
        for total in sums:
            if len(heap) < 2 * self.top:
                heappush(heap, total)
            else:
                heappushpop(heap, total)


@dataclass(slots=True)
class Candidate:
    """A provision that may speak to a recommendation. start, end: bytes of the file."""

    article: str
    recommendation: str
    sum: float
    start: int
    end: int
    sha256: str
    fold: str
    reasons: list[str]


@dataclass(slots=True)
class Mined:
    """What came of one file. status: READ, OTHER, WHOLE, UNKNOWN or REFUSED; message: why, in words."""

    file: str
    status: str
    message: str = ""
    size: int = 0
    law: str = ""
    title: str = ""
    language: str = ""
    provisions: int = 0
    meta: dict[str, str] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Seen:
    """A law that can be weighed: its provisions, the terms in it by their start, and the model's view."""

    law: Law
    text: Text
    low: bytes
    hits: list[Hit]
    view: View


def mine_bytes(data: bytes, file: str, allowed: tuple[str, ...], best: Best) -> Mined:
    """Weigh every provision of one law; what cannot be read is said in the result, never raised.

    allowed: the languages that the book is written in; best: the strongest sums met so far, below which
    nothing can come into the result.
    """
    found, seen = look(data, file, allowed)
    if seen is not None:
        found.candidates = _candidates(seen, model(), best)
    return found


def look(data: bytes, file: str, allowed: tuple[str, ...]) -> tuple[Mined, Seen | None]:
    """What is told of one file, and its law as the model sees it; None where it cannot be weighed."""
    if len(data) > MAX_FILE:
        return Mined(file, REFUSED, f"is larger than {MAX_FILE >> 20} MiB", len(data)), None
    try:
        laws.decoded(data)
        text = text_of(data, file)
        meta, body = laws.front_matter(text.data)
    except LawError as error:
        return Mined(file, REFUSED, str(error), len(data)), None
    opening = text.data[body : body + 12_000].decode("utf-8", "ignore")
    language = detect(opening, allowed)
    if language is None:
        return Mined(file, UNKNOWN, "no lexicon knows its words", len(data)), None
    title = meta.get("title") or text.title or laws.first_heading(opening)
    identifier = meta.get("identifier") or meta.get("slug") or file.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    kept = {key: meta[key][:2_000] for key in _META if meta.get(key)}
    found = Mined(file, READ, "", len(data), identifier[:1_000], title, language, 0, kept)
    return found, _seen(found, text, body, laws.title_of(meta, text.title, opening))


def _seen(found: Mined, text: Text, body: int, title: str) -> Seen | None:
    with_, low = matchers(found.language), lowered(text.data)
    marks, hits = with_.text.scan(low)
    titles = title_concepts(with_.title, title)
    if not _speaks_of_it(hits, titles):
        found.status = OTHER
        return None
    provisions = laws.split(text.data, low, body, marks)
    if not provisions:
        found.status, found.message = WHOLE, "has no articles: taken as one"
        end = min(len(text.data), body + laws.MAX_PROVISION)
        provisions = [Provision("", body, body, end)]
    found.provisions = len(provisions)
    law = Law(found.law, found.title, found.meta, body, provisions)
    every = sorted(hits + _headings_of(law, low, with_), key=_start)
    return Seen(law, text, low, every, view(law, low, every, titles, with_.title))


@cache
def _telling() -> frozenset[int]:
    return frozenset(n for n, c in enumerate(concepts().values()) if c.telling)


def _speaks_of_it(hits: list[Hit], titles: Floats) -> bool:
    """Does a law use a telling term, or have a title of the field? Others are not weighed further."""
    return any(concept in _telling() for concept, _, _ in hits) or bool(titles[numbers("title")].any())


def _headings_of(law: Law, low: bytes, with_: Matchers) -> list[Hit]:
    """The terms that tell the kind of a provision, in the headings of a law's provisions."""
    spans = [(p.start, p.heading_end) for p in law.provisions]
    return [hit for _, hit in with_.heading.within(low, spans)]


def _candidates(seen: Seen, weighed: Model, best: Best) -> list[Candidate]:
    chosen: list[Candidate] = []
    digests: dict[int, tuple[str, str]] = {}
    views: dict[int, Floats] = {}
    every = np.vstack([weighed.sums(rows) for rows in seen.view.chunks()])
    for number, recommendation in enumerate(RECOMMENDATIONS):
        sums = np.round(every[:, number].astype(float), 4)
        above = np.flatnonzero(sums >= max(float(weighed.floor[number]), best.least(number)))
        chosen_rows = above[np.argsort(-sums[above], kind="stable")][: best.top].tolist()
        best.met(number, sums[chosen_rows].tolist())
        for row in chosen_rows:
            provision = seen.law.provisions[row]
            start, end = seen.text.origin(provision.start), seen.text.origin(provision.end)
            if row not in digests:
                passage = seen.text.data[provision.start : provision.end]
                digests[row] = (hashlib.sha256(seen.text.source[start:end]).hexdigest(), fold_key(passage))
                views[row] = seen.view.rows(row, row + 1)[0]
            reasons = _reasons(seen, row, views[row] * weighed.weights[:, number])
            total = float(sums[row])
            chosen.append(
                Candidate(provision.label, recommendation, total, start, end, *digests[row], reasons)
            )
    return chosen


_TAGS = re.compile(rb"<[^<>]{0,40}>|\[\^[^\]]{1,12}\]")
_SIGNS = bytes(n for n in range(128) if not chr(n).isalnum())


def fold_key(passage: bytes) -> str:
    """Equal for passages whose words are equal, whatever their markup, spaces and (ASCII) capitals."""
    kept = _TAGS.sub(b"", passage).lower().translate(None, _SIGNS)
    return hashlib.sha256(kept).hexdigest()[:32]


def _reasons(seen: Seen, row: int, shares: Floats) -> list[str]:
    """The six features that spoke most for a candidate, with the words met. shares: what each added."""
    provision, hits, low = seen.law.provisions[row], seen.hits, seen.low
    inside = hits[
        bisect_left(hits, provision.start, key=_start) : bisect_left(hits, provision.end, key=_start)
    ]
    told: list[str] = []
    for column in np.argsort(-shares, kind="stable")[:6]:
        if shares[column] <= 0.05:
            break
        where, _, concept = names()[column].partition(":")
        if where in ("in", "heading", "kind"):
            until = provision.end if where == "in" else provision.heading_end
            number = concept_numbers()[concept]
            words = {low[s:e] for c, s, e in inside if c == number and s < until}
            said = sorted({" ".join(w.decode("utf-8", "ignore").lower().split())[:60] for w in words})[:3]
            told.append(f"{where} {concept}: {', '.join(said)}")
        elif concept:
            told.append(f"{where} {concept}")
    return told


def _start(hit: Hit) -> int:
    return hit[1]
