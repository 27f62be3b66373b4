"""How far blind coders agree: percentage, Krippendorff's alpha, Gwet's AC2, for each indicator's wording.

Two levels differ as ranks do; a level against unknown or not applicable, and these two against each other,
differ wholly. Where nothing varies, alpha and its interval are undefined, and said to be.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any

import krippendorff
import numpy as np
from numpy.typing import NDArray

from mercwatch.assessment.cells import Holds
from mercwatch.assessment.holding import holds
from mercwatch.framework.codebook import Codebook, Indicator, Kind
from mercwatch.record.kinds import Coder, Coding
from mercwatch.record.ledger import Snapshot

Floats = NDArray[np.float64]
UNKNOWN, NOT_APPLICABLE = -1, -2  # judgements that are no level
RESAMPLES = 1000
SEED = 20231110  # the day of the Blueprint; any fixed number gives the same bytes at each bake
ENOUGH = 20  # cells from which on an indicator enters the mean over indicators
PAIRINGS = {
    frozenset({"machine"}): "machine with machine",
    frozenset({"machine", "person"}): "machine with person",
    frozenset({"person"}): "person with person",
}


@dataclass(frozen=True)
class Agreement:
    """Agreement on one wording of one indicator, between one pairing of coders.

    `alpha`, `interval` (95 %, percentile bootstrap over cells) and `ac2` are None where undefined.
    """

    indicator: str
    meaning: int
    current: bool
    pairing: str
    n: int
    left_out: int  # cells of actors whose disagreements shaped this wording
    percent: float
    alpha: float | None
    interval: tuple[float, float] | None
    ac2: float | None


def agreements(
    snapshot: Snapshot, codebooks: Mapping[tuple[str, int], Indicator], day: date
) -> list[Agreement]:
    """Agreement for each wording that was coded twice, blind, as the codings judge that day.

    `codebooks` gives the indicator of each id and meaning-version, the newest version of its words last.
    Cells of actors that a revision learned from are left out of the new wording's figures.
    """
    newest = dict(sorted(codebooks))
    found = []
    for (indicator, meaning), cells in sorted(_blind(snapshot).items(), key=lambda item: _order(item[0])):
        terms = codebooks.get((indicator, meaning))
        if terms is None:
            continue
        for kinds, pairing in PAIRINGS.items():
            judged = {actor: _judgements(cell, kinds, terms, snapshot, day) for actor, cell in cells.items()}
            twice = {actor: values for actor, values in judged.items() if len(values) > 1}
            units = [values for actor, values in twice.items() if actor not in terms.learned_from]
            if units:
                out = len(twice) - len(units)
                found.append(_measured(terms, meaning == newest[indicator], pairing, units, out))
    return found


def wordings(codebooks: Iterable[Codebook]) -> dict[tuple[str, int], Indicator]:
    """Each indicator at each meaning-version, from codebooks given oldest first."""
    return {(i.id, i.meaning): i for codebook in codebooks for i in codebook.indicators}


def mean_alpha(found: Sequence[Agreement]) -> float | None:
    """The mean alpha over indicators with at least 20 cells and a defined alpha; None where there is none."""
    alphas = [a.alpha for a in found if a.n >= ENOUGH and a.alpha is not None]
    return sum(alphas) / len(alphas) if alphas else None


def judged(coding: Coding, indicator: Indicator, snapshot: Snapshot, day: date) -> int:
    """What a coding says on a day before any cap by sources: a level, a count, or why there is none.

    A level whose day is not known counts as met, since the coders judged it so.
    """
    if coding.answer is not None:
        return {"zero": 0, "unknown": UNKNOWN, "not-applicable": NOT_APPLICABLE}[coding.answer]
    if coding.count is not None:
        return coding.count
    met = [test.level for test in coding.tests if test.met and _holds(coding, test, indicator, snapshot, day)]
    return max(met, default=UNKNOWN)


def _holds(coding: Coding, test: Any, indicator: Indicator, snapshot: Snapshot, day: date) -> bool:
    window = indicator.window_months if indicator.level(test.level).windowed else None
    cited = [
        snapshot.entries[coding.pins[thing]].body
        for thing in test.by
        if coding.pins[thing] in snapshot.entries
    ]
    return holds(test, cited, day, window) is not Holds.NO


def _blind(snapshot: Snapshot) -> dict[tuple[str, int], dict[str, list[Coding]]]:
    """By wording and actor: the codings of the last release in which two or more blind coders coded the cell.

    Codings of one release rest on the same evidence; one made later, alone, on more evidence is not compared.
    """
    blind = {coder.id for coder in snapshot.all(Coder) if coder.blind}
    rounds: dict[tuple[str, int], dict[str, dict[int, list[Coding]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for name, entry in sorted(snapshot.entries.items()):
        body = entry.body
        if isinstance(body, Coding) and body.coder in blind:
            release = snapshot.released_in[name].body.number
            rounds[body.indicator, body.meaning][body.actor][release].append(body)
    cells: dict[tuple[str, int], dict[str, list[Coding]]] = defaultdict(dict)
    for wording, actors in rounds.items():
        for actor, releases in actors.items():
            twice = [number for number, codings in releases.items() if len(codings) > 1]
            if twice:
                cells[wording][actor] = releases[max(twice)]
    return cells


def _judgements(
    cell: Sequence[Coding], kinds: frozenset[str], terms: Indicator, snapshot: Snapshot, day: date
) -> list[int]:
    by_kind: dict[str, list[Coding]] = defaultdict(list)
    for coding in sorted(cell, key=lambda coding: coding.coder):
        by_kind[snapshot.get(Coder, coding.coder).type].append(coding)
    chosen = by_kind[next(iter(kinds))] if len(kinds) == 1 else [by_kind[k][0] for k in kinds if by_kind[k]]
    return [judged(coding, terms, snapshot, day) for coding in chosen]


def _order(wording: tuple[str, int]) -> tuple[list[int], int]:
    return [int(part) for part in wording[0][1:].split(".")], -wording[1]


def _measured(
    terms: Indicator, current: bool, pairing: str, units: Sequence[Sequence[int]], left_out: int
) -> Agreement:
    table = Table.of(units, counting=terms.kind is Kind.COUNT)
    return Agreement(
        terms.id,
        terms.meaning,
        current,
        pairing,
        len(units),
        left_out,
        table.percent,
        table.alpha,
        table.interval(RESAMPLES, SEED),
        table.ac2,
    )


@dataclass(frozen=True)
class Table:
    """Units by categories: how many coders put each unit (cell) into each category."""

    counts: Floats  # units × categories
    values: tuple[int, ...]  # the category's judgement; below 0 it is no level

    @classmethod
    def of(cls, units: Sequence[Sequence[int]], counting: bool = False) -> Table:
        """From each unit's judgements. Levels 0 to 3 are all categories, used or not; counts only as used."""
        used = {value for unit in units for value in unit}
        values = tuple(
            sorted(used if counting else used | ({0, 1, 2, 3} if any(v >= 0 for v in used) else set()))
        )
        counts = np.array([[float(list(unit).count(value)) for value in values] for unit in units])
        return cls(counts, values)

    @property
    def percent(self) -> float:
        """Share of pairs of coders, over all units, that judged the same; 0 to 1."""
        pairs = (self.counts * (self.counts - 1)).sum(axis=1)
        each = self.counts.sum(axis=1)
        return float((pairs / (each * (each - 1))).mean())

    @property
    def alpha(self) -> float | None:
        """Krippendorff's alpha, by the krippendorff package; None where the coders used one category only."""
        if not self._varies:
            return None
        found = krippendorff.alpha(
            value_counts=self.counts.astype(int),
            value_domain=list(range(len(self.values))),
            level_of_measurement=self._distance,  # type: ignore[arg-type]
        )
        return float(found)

    @property
    def ac2(self) -> float | None:
        """Gwet's AC2 with ordinal weights between levels and none across (Gwet 2014, chapters 2 and 3)."""
        if len(self.values) < 2:
            return None
        weights = self._weights
        each = self.counts.sum(axis=1)
        near = self.counts @ weights
        agreed = float(((self.counts * (near - 1)).sum(axis=1) / (each * (each - 1))).mean())
        shares = (self.counts / each[:, None]).mean(axis=0)
        size = len(self.values)
        chance = float(weights.sum() / (size * (size - 1)) * (shares * (1 - shares)).sum())
        return None if math.isclose(chance, 1) else (agreed - chance) / (1 - chance)

    def interval(self, resamples: int, seed: int) -> tuple[float, float] | None:
        """The middle 95 % of alpha over resampled units; None where alpha is undefined.

        Resamples in which nothing varies have no alpha and are left out.
        """
        if not self._varies or len(self.counts) < 3:
            return None
        size = len(self.counts)
        drawn = np.random.default_rng(seed).multinomial(size, [1 / size] * size, resamples)
        alphas = self._alphas(drawn.astype(np.float64))
        alphas = alphas[~np.isnan(alphas)]
        low, high = np.percentile(alphas, [2.5, 97.5])
        return float(low), float(high)

    @property
    def _varies(self) -> bool:
        return int((self.counts.sum(axis=0) > 0).sum()) > 1

    @property
    def _coincidences(self) -> Floats:
        """Each unit's pairs of judgements, weighted by the coders it had: units × categories × categories."""
        pairs = np.einsum("ui,uj->uij", self.counts, self.counts)
        places = np.arange(len(self.values))
        pairs[:, places, places] -= self.counts
        return pairs / (self.counts.sum(axis=1) - 1)[:, None, None]  # type: ignore[no-any-return]

    def _alphas(self, weights: Floats) -> Floats:
        """Alpha for each row of weights on units, without a loop."""
        observed = np.einsum("bu,uij->bij", weights, self._coincidences)
        totals = observed.sum(axis=2)
        n = totals.sum(axis=1)
        distances = self._distances(totals)
        disagreed = (observed * distances).sum(axis=(1, 2))
        expected = (np.einsum("bi,bj->bij", totals, totals) * distances).sum(axis=(1, 2))
        with np.errstate(invalid="ignore", divide="ignore"):
            return 1 - (n - 1) * disagreed / expected  # type: ignore[no-any-return]

    def _distances(self, totals: Floats) -> Floats:
        """Squared distances between categories, for each row of totals: rows × categories × categories.

        Between levels they are Krippendorff's ordinal ones, divided by that from the lowest to the
        highest level used, so that they run from 0 to 1; all others are 1.
        """
        levels = np.array([value >= 0 for value in self.values])
        ranked = np.where(levels, totals, 0.0)
        middle = np.cumsum(ranked, axis=1) - ranked / 2
        between = (middle[:, :, None] - middle[:, None, :]) ** 2
        used = ranked > 0
        high = np.where(used, middle, -np.inf).max(axis=1)
        low = np.where(used, middle, np.inf).min(axis=1)
        span = np.where(used.any(axis=1), high - low, 0.0) ** 2
        scaled = np.divide(
            between, span[:, None, None], out=np.zeros_like(between), where=span[:, None, None] > 0
        )
        both = levels[:, None] & levels[None, :]
        apart = 1.0 - np.eye(len(self.values))
        return np.where(both[None], scaled, apart[None])

    def _distance(  # noqa: PLR0917 - the package fixes the form
        self, first: Any, second: Any, i1: Any, i2: Any, n_v: Any, dtype: Any = np.float64
    ) -> Any:
        """The same distances, in the form that the krippendorff package asks of a metric."""
        return self._distances(np.asarray(n_v, dtype=np.float64)[None])[0][i1, i2].astype(dtype)

    @property
    def _weights(self) -> Floats:
        """AC2's weights: between levels 1 minus the share of rank pairs between them, else identity."""
        levels = [place for place, value in enumerate(self.values) if value >= 0]
        most = math.comb(len(levels), 2)
        weights = np.eye(len(self.values))
        for a, b in combinations(range(len(levels)), 2):
            near = 1 - math.comb(b - a + 1, 2) / most
            weights[levels[a], levels[b]] = weights[levels[b], levels[a]] = near
        return weights


def by_indicator(found: Iterable[Agreement]) -> Iterator[tuple[str, list[Agreement]]]:
    """Agreements of each indicator together, the current wording first."""
    groups: dict[str, list[Agreement]] = defaultdict(list)
    for one in found:
        groups[one.indicator].append(one)
    yield from groups.items()
