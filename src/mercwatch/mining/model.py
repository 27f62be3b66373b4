"""The ranking model: linear weights over the features, read from data, and explained by its own sums."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from mercwatch.mining.features import Floats, names


class ModelError(Exception):
    """The stored model does not fit this program's features."""


@dataclass(frozen=True)
class Model:
    """Weights for each recommendation. weights: features × 7; sums are log-odds before calibration."""

    weights: Floats
    bias: Floats
    knots: tuple[Floats, ...]
    chances: tuple[Floats, ...]
    floor: Floats
    card: dict[str, object]

    def sums(self, features: Floats) -> Floats:
        """What speaks for each recommendation. Shapes: provisions × features in, provisions × 7 out."""
        return (features @ self.weights + self.bias).astype(np.float32)

    def score(self, recommendation: int, total: float) -> float:
        """A sum as a score of 0 to 1: the share judged relevant among provisions of such a sum.

        Where many sums share a share, the last digits keep their order.
        """
        chance = float(np.interp(total, self.knots[recommendation], self.chances[recommendation]))
        return round(min(1.0, max(0.0, chance + total * 1e-7)), 7)


def read(text: str) -> Model:
    """A model from its JSON text; raises ModelError where it was made for other features."""
    data = json.loads(text)
    if tuple(data["features"]) != names():
        raise ModelError("the model was trained on other features: run script/train-miner")

    def array(value: object) -> Floats:
        return np.array(value, dtype=np.float32)

    return Model(
        array(data["weights"]),
        array(data["bias"]),
        tuple(array(k) for k in data["knots"]),
        tuple(array(c) for c in data["chances"]),
        array(data["floor"]),
        data["card"],
    )


@cache
def model() -> Model:
    """The model that the program ships."""
    return read((resources.files("mercwatch.mining") / "model.json").read_text(encoding="utf-8"))
