"""Trains the miner's model from the gold labels and the weak labels, and writes it with its card.

Usage: python training/train.py --books FOLDER --gold FOLDER [--out src/mercwatch/mining/model.json]

--books holds one folder for each country code (ch, lu, de …) with the law book that its labels name;
--gold holds laws-ch.jsonl and laws-lu.jsonl. What each book is and where it comes from: training/README.md.
The figures are those of ../shared/gold/score.py: the share of grade-2 provisions among the first 200 and 500
for each recommendation, and nDCG@100 over judged provisions, each the mean over R1 to R7.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from mercwatch.mining.features import names
from mercwatch.mining.lexicon import RECOMMENDATIONS
from mercwatch.mining.mine import knowledge, languages_of
from mercwatch.mining.miner import look
from mercwatch.mining.sources import opened

Floats = npt.NDArray[np.float64]
HERE = Path(__file__).parent
GAIN = {2: 1.0, 1: 1 / 3, 0: 0.0}
"""What a grade is worth: the gains of nDCG, 3 and 1, over 3."""
STRENGTH = 0.2
"""Inverse of the L2 penalty; 0.05, 0.1, 0.2 and 0.3 were tried leaving one country out."""
UNJUDGED, UNJUDGED_WEIGHT = 6_000, 0.5
"""Provisions of each book taken as probably irrelevant, and how much each counts beside a judged one."""

FLOOR = -5.5
"""Sums (log-odds) under which no provision becomes a candidate, however small the book."""

Label = Callable[[str], str]
"""How an article's number is told from its label: the gold's own way, from its score.py."""


def label_of_gold(gold: Path) -> Label:
    """The function of the gold's scoring program that compares labels of articles."""
    spec = spec_from_file_location("score", gold / "score.py")
    assert spec and spec.loader, gold
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    label: Label = module.label
    return label


@dataclass
class Book:
    """One country's provisions with their labels. grades: provisions × 7, -1 where nobody judged."""

    country: str
    seen: sparse.csr_matrix
    keys: list[tuple[str, str]]
    grades: Floats
    gold: dict[tuple[str, str], dict[str, int]]


def _name(file: str) -> str:
    """A law's file, told from all others of its book: its last two parts (German laws are folders)."""
    parts = file.split("/")
    return "/".join(parts[-2:]) if parts[-1] == "index.md" else parts[-1]


def read_labels(path: Path, label: Label) -> dict[tuple[str, str], dict[str, int]]:
    """The labels of one country by file and article number."""
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return {(_name(row["file"]), label(row["article"])): row["recommendations"] for row in rows}


def read_book(country: str, folder: Path, labels: Path, label: Label) -> Book:
    """All provisions of a law book, seen as the miner sees them, with their labels."""
    parts, keys = [], []
    with opened(str(folder)) as source:
        allowed = languages_of(source)
        for file in source.files:
            _, seen = look((folder / file).read_bytes(), file, allowed)
            if seen is not None:
                parts += [sparse.csr_matrix(chunk) for chunk in seen.view.chunks()]
                keys += [(_name(file), label(p.label)) for p in seen.law.provisions]
    gold = read_labels(labels, label)
    grades = np.full((len(keys), 7), -1.0)
    for row, key in enumerate(keys):
        if key in gold:
            grades[row] = [gold[key].get(name, 0) for name in RECOMMENDATIONS]
    told = f"{len(source.files)} laws ({', '.join(allowed)}), {len(keys)} provisions, {len(gold)} labels"
    print(f"{country}: {told}", flush=True)
    return Book(country, sparse.vstack(parts).tocsr(), keys, grades, gold)


@dataclass
class Rows:
    """What one fit learns from: features, gains (rows × 7), weights."""

    seen: sparse.csr_matrix
    gains: Floats
    weights: Floats


def rows_of(book: Book, keep: npt.NDArray[np.bool_] | None = None) -> Rows:
    """The judged provisions of a book, and a fixed random part of the others as weak negatives."""
    rng = np.random.default_rng(20261124)
    judged = np.flatnonzero(book.grades[:, 0] >= 0)
    others = np.flatnonzero(book.grades[:, 0] < 0)
    others = np.sort(rng.choice(others, min(UNJUDGED, len(others)), replace=False))
    if keep is not None:
        judged, others = judged[keep[judged]], others[keep[others]]
    chosen = np.concatenate([judged, others])
    gains = np.vectorize(GAIN.get)(np.maximum(book.grades[chosen], 0).astype(int)).astype(float)
    weights = np.concatenate([np.ones(len(judged)), np.full(len(others), UNJUDGED_WEIGHT)])
    return Rows(book.seen[chosen], gains, weights)


def fit(parts: Iterable[Rows]) -> tuple[Floats, Floats]:
    """Weights (features × 7) and biases of one logistic regression for each recommendation.

    A gain between 0 and 1 counts as that share of a relevant row and the rest of an irrelevant one.
    """
    every = list(parts)
    seen = sparse.vstack([p.seen for p in every]).tocsr()
    gains, weights = np.vstack([p.gains for p in every]), np.concatenate([p.weights for p in every])
    twice = sparse.vstack([seen, seen]).tocsr()
    answers = np.concatenate([np.ones(seen.shape[0]), np.zeros(seen.shape[0])])
    columns, biases = [], []
    for number in range(7):
        shares = np.concatenate([weights * gains[:, number], weights * (1 - gains[:, number])])
        used = shares > 0
        model = LogisticRegression(C=STRENGTH, max_iter=500)
        model.fit(twice[used], answers[used], sample_weight=shares[used])
        columns.append(model.coef_[0])
        biases.append(float(model.intercept_[0]))
    return np.array(columns).T, np.array(biases)


def sums_of(book: Book, fitted: tuple[Floats, Floats]) -> Floats:
    """The sums of every provision of a book. Shape: provisions × 7."""
    return np.asarray(book.seen @ fitted[0]) + fitted[1]


def figures(book: Book, sums: Floats) -> dict[str, list[float]]:
    """For each recommendation: grade-2 recall at 200 and 500, nDCG@100 over judged; as score.py has them."""
    told: dict[str, list[float]] = {}
    for number, name in enumerate(RECOMMENDATIONS):
        two = {key for key, grades in book.gold.items() if grades.get(name) == 2}
        one = {key for key, grades in book.gold.items() if grades.get(name) == 1}
        if not two:
            continue
        order = list(dict.fromkeys(book.keys[row] for row in np.argsort(-sums[:, number], kind="stable")))
        judged = [key for key in order if key in book.gold][:100]
        gained = sum(
            (2 ** book.gold[key].get(name, 0) - 1) / math.log2(n + 2) for n, key in enumerate(judged)
        )
        best = sum(
            (2**g - 1) / math.log2(n + 2) for n, g in enumerate(([2] * len(two) + [1] * len(one))[:100])
        )
        told[name] = [
            len(two & set(order[:200])) / len(two),
            len(two & set(order[:500])) / len(two),
            gained / best,
        ]
    told["mean"] = [float(np.mean([told[name][n] for name in told])) for n in range(3)]
    return {name: [round(v, 3) for v in values] for name, values in told.items()}


def leaving_laws_out(books: list[Book], folds: int = 5) -> list[Floats]:
    """Sums of every provision by a model that never saw its law (nor any law of its fifth of the laws)."""
    out = [np.zeros((len(book.keys), 7)) for book in books]
    parts = [np.array([hash_of(key[0]) % folds for key in book.keys]) for book in books]
    for fold in range(folds):
        fitted = fit(rows_of(book, part != fold) for book, part in zip(books, parts, strict=True))
        for book, part, sums in zip(books, parts, out, strict=True):
            sums[part == fold] = sums_of(book, fitted)[part == fold]
    return out


def hash_of(name: str) -> int:
    """A number that is the same on every machine."""
    return sum((n + 1) * ord(letter) for n, letter in enumerate(name))


def calibrate(books: list[Book], sums: list[Floats]) -> tuple[list[list[float]], list[list[float]]]:
    """For each recommendation: sums and the share of judged provisions there with grade 1 or 2 (isotonic)."""
    knots, chances = [], []
    for number in range(7):
        x = np.concatenate([s[b.grades[:, 0] >= 0, number] for b, s in zip(books, sums, strict=True)])
        y = np.concatenate([b.grades[b.grades[:, 0] >= 0, number] > 0 for b in books])
        fitted = IsotonicRegression(y_min=0.001, y_max=0.999, out_of_bounds="clip").fit(x, y)
        edges = np.unique(np.quantile(x, np.linspace(0, 1, 41)))
        knots.append([round(float(v), 4) for v in edges])
        chances.append([round(float(v), 4) for v in fitted.predict(edges)])
    return knots, chances


def reliability(
    books: list[Book], sums: list[Floats], knots: list[list[float]], chances: list[list[float]]
) -> dict[str, list[float]]:
    """For tenths of the score: how many judged provisions, their mean score, the share that is relevant."""
    score = np.concatenate(
        [
            np.interp(s[b.grades[:, 0] >= 0, n], knots[n], chances[n])
            for n in range(7)
            for b, s in zip(books, sums, strict=True)
        ]
    )
    truth = np.concatenate([b.grades[b.grades[:, 0] >= 0, n] > 0 for n in range(7) for b in books])
    told = {}
    for tenth in range(10):
        inside = (score >= tenth / 10) & (score < (tenth + 1) / 10)
        if inside.any():
            told[f"{tenth / 10:.1f}"] = [
                int(inside.sum()),
                round(float(score[inside].mean()), 3),
                round(float(truth[inside].mean()), 3),
            ]
    return told


def train(books: list[Book]) -> dict[str, Any]:
    """The model and its card, ready to be written."""
    rows = {book.country: rows_of(book) for book in books}
    abroad = {}
    for book in books:
        fitted = fit(part for country, part in rows.items() if country != book.country)
        abroad[book.country] = figures(book, sums_of(book, fitted))
        print("country left out:", book.country, abroad[book.country], flush=True)
    out = leaving_laws_out(books)
    unseen = {book.country: figures(book, sums) for book, sums in zip(books, out, strict=True)}
    fitted = fit(rows.values())
    final = [sums_of(book, fitted) for book in books]
    knots, chances = calibrate(books, out)
    floor = [FLOOR] * 7
    card = {
        "version": datetime.now(UTC).date().isoformat(),
        "kind": "one L2-regularised logistic regression for each recommendation over language-free features",
        "trained_on": {b.country: {"labels": len(b.gold), "provisions": len(b.keys)} for b in books},
        "gold": ["ch", "lu"],
        "weak_labels": [b.country for b in books if b.country not in ("ch", "lu")],
        "figures": "recall of grade 2 at 200, at 500, nDCG@100 over judged",
        "leave_one_country_out": abroad,
        "leave_laws_out": unseen,
        "on_what_it_was_trained_on": {b.country: figures(b, s) for b, s in zip(books, final, strict=True)},
        "reliability": reliability(books, out, knots, chances),
        "lexicons_and_model_then": knowledge(),
        "limits": [
            "All labels were made by a machine, the gold too; unjudged provisions may be relevant.",
            "The weak labels favour whole core laws; a book without them is read worse than the figures say.",
            "Lexicons of languages without a law book here were never tried on law.",
            "A score is the share of relevant ones among judged provisions, in pools rich in relevant ones.",
        ],
    }
    return {
        "card": card,
        "features": list(names()),
        "weights": np.round(fitted[0], 4).tolist(),
        "bias": np.round(fitted[1], 4).tolist(),
        "knots": knots,
        "chances": chances,
        "floor": [round(v, 3) for v in floor],
    }


def main() -> None:
    """Read the books, train, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--books", type=Path, required=True)
    parser.add_argument("--gold", type=Path, required=True)
    parser.add_argument("--countries", default="", help="codes with commas; all with labels if empty")
    parser.add_argument("--out", type=Path, default=Path("src/mercwatch/mining/model.json"))
    asked = parser.parse_args()
    label = label_of_gold(asked.gold)
    labels = {p.stem: p for p in sorted((HERE / "labels").glob("*.jsonl"))}
    labels |= {c: asked.gold / f"laws-{c}.jsonl" for c in ("ch", "lu")}
    chosen = asked.countries.split(",") if asked.countries else sorted(labels)
    books = [read_book(c, asked.books / c, labels[c], label) for c in chosen]
    made = json.dumps(train(books), ensure_ascii=False, indent=0)
    aside = asked.out.with_suffix(".new")
    aside.write_text(re.sub(r"\n(?=-?\d)", "", made) + "\n", encoding="utf-8")
    aside.replace(asked.out)
    print(f"wrote {asked.out}")


if __name__ == "__main__":
    main()
