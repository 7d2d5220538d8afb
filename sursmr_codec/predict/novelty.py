"""How unlike the pictures that a model was trained on a source is: `novelty.json` beside the model's graph.

Mahalanobis' distance ("On the generalised distance in statistics", 1936) of simple statistics of the pixels,
over the distance that one validation picture in fifty exceeds. `benchmarks/novelty.py` makes the file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.errors import UsageError
from sursmr_codec.types import Pixels

SCHEMA = "sursmr-qp/novelty/1"
N_STATISTICS = 11
"""Numbers a view."""
N_VIEWS = 2
"""Views that are looked at: the whole picture, and the square in its middle."""
SHRINKAGE = 0.05
"""Added to each variance along an axis, of statistics whose own are 1: small ones are known badly."""

_BLACK, _WHITE = 8, 757
"""Sums of red, green and blue, of 765, below and above which a pixel counts as clipped."""
_SMALL = 0.1
"""Below what a mean difference is told apart from none."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Novelty:
    """What training pictures are like, as far as D statistics tell."""

    mean: Vector
    """(D,)"""
    axes: Vector
    """(K, D): turns a difference from the mean into K numbers, whose squares add up to the distance's."""

    def distance(self, statistics: Vector) -> float:
        """Of (D,) `statistics`, >= 0; beyond 1 a picture is unlike those of training."""
        return float(np.linalg.norm(self.axes @ (statistics - self.mean)))


def fit(training: Vector, validation: Vector, quantile: float) -> Novelty:
    """From (N, D) statistics of training pictures; (M, D) others say how far is far: their `quantile`."""
    mean, spread = training.mean(axis=0), training.std(axis=0) + 1e-6
    _, lengths, directions = np.linalg.svd((training - mean) / spread, full_matrices=False)
    variances = lengths**2 / len(training)
    axes = directions / np.sqrt(variances + SHRINKAGE)[:, None] / spread
    far = np.quantile(np.linalg.norm((validation - mean) @ axes.T, axis=1), quantile)
    return Novelty(mean, axes / far)


def statistics(views: Pixels) -> Vector:
    """(D,) numbers of a source from its (V, 3, S, S) views, in the order of `network.views`."""
    return np.concatenate([_of_view(view) for view in views[:N_VIEWS]])


def _of_view(view: Pixels) -> Vector:
    """Brightness, colour, steps between neighbours, their shape, and how many are none, of (3, S, S)."""
    values = view.astype(np.int16)
    light = values.sum(axis=0, dtype=np.int16)  # (S, S) 0..765
    colour = values.max(axis=0) - values.min(axis=0)
    across = light[:, 1:] - light[:, :-1]
    steps = np.abs(across)
    bends = np.abs(across[:, 1:] - across[:, :-1])
    step, step_down, bend = steps.mean(), np.abs(light[1:] - light[:-1]).mean(), bends.mean()
    square = np.square(steps, dtype=np.float32).mean()
    return np.array(
        [
            light.mean() / 765.0,
            light.std() / 765.0,
            np.mean((light < _BLACK) | (light > _WHITE)),
            colour.mean() / 255.0,
            colour.std() / 255.0,
            np.log(step + _SMALL),
            np.log(step_down + _SMALL),
            np.log(square + _SMALL) - 2.0 * np.log(step + _SMALL),
            np.mean(steps == 0),
            np.mean(bends == 0),
            np.log((bend + _SMALL) / (step + _SMALL)),
        ]
    )


def read(path: Path, sha256: str) -> Novelty | None:
    """Of the model with that digest; None where the file is absent or another model's.

    Raises UsageError for a file that is none.
    """
    try:
        said: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if said["model"]["sha256"] != sha256:
            return None
        mean, axes = np.array(said["mean"], np.float64), np.array(said["axes"], np.float64)
        if axes.shape[1:] != mean.shape:
            raise ValueError(f"axes of {axes.shape} do not fit {mean.shape} means")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} says nothing of a model's training pictures: {error!r}") from error
    return Novelty(mean, axes)
