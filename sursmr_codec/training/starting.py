"""Fits where a search should begin: logistic curves over the quantiser's step, linear in a source's numbers.

There are about as many numbers as pictures to tell them apart, so only their main directions of variation
are used, and all weights but the constant ones are kept small (ridge). The logistic fit takes ratios as they
are, as shares: Papke and Wooldridge, "Econometric methods for fractional response variables with an
application to 401(k) plan participation rates", Journal of Applied Econometrics 11, 1996.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.predict.start import POWERS, Axis, Start, Vector
from sursmr_codec.types import Binding

N_STEPS = 12
"""Of Newton's method."""


@dataclass(frozen=True, eq=False)
class RungRatios:
    """N rungs of one codec and what was said of them."""

    pictures: NDArray[np.int64]
    """(N,) rows of the pictures' numbers."""
    qps: NDArray[np.int64]
    """(N,)"""
    ratios: Mapping[Binding, Vector]
    """Name -> (N,) 0..1, NaN where it is not defined."""


@dataclass(frozen=True)
class Ridge:
    """How freely curves follow the numbers."""

    n_axes: int = 96
    """Directions of variation that are used."""
    penalty: float = 5.0
    """On squares of weights, in rungs."""


def fit(
    numbers: Vector, rungs: Mapping[str, RungRatios], axes: Mapping[str, Axis], ridge: Ridge | None = None
) -> Start:
    """From (P, D) numbers of training pictures, and rungs and what their curves run over by codec."""
    ridge = ridge or Ridge()
    mean, spread = numbers.mean(axis=0), numbers.std(axis=0) + 1e-6
    _, lengths, directions = np.linalg.svd((numbers - mean) / spread, full_matrices=False)
    n_axes = min(ridge.n_axes, int((lengths > 1e-6 * lengths[0]).sum()))
    scales = lengths[:n_axes] / np.sqrt(len(numbers))
    main = directions[:n_axes] / scales[:, None] / spread  # (K, D)
    seen = np.column_stack([(numbers - mean) @ main.T, np.ones(len(numbers))])  # (P, K + 1)
    curves = {}
    for codec, some in rungs.items():
        places = axes[codec].places[some.qps - axes[codec].low]
        for name, ratios in some.ratios.items():
            known = ~np.isnan(ratios)
            if known.any():
                weights = _logistic(seen[some.pictures[known]], places[known], ratios[known], ridge)
                curves[codec, name] = np.column_stack([weights[:, :-1] @ main, weights[:, -1:]])
    return Start(mean, curves, dict(axes))


def _logistic(seen: Vector, places: Vector, ratios: Vector, ridge: Ridge) -> Vector:
    """(POWERS, K) weights of N rungs' (N, K) numbers, the last of which is 1, at (N,) places of the range."""
    powers = np.vander(places, POWERS, increasing=True)
    design = (powers[:, :, None] * seen[:, None, :]).reshape(len(seen), -1)
    penalties = np.full((POWERS, seen.shape[1]), ridge.penalty)
    penalties[:, -1] = 1e-3
    weights = np.zeros(design.shape[1])
    for _ in range(N_STEPS):
        guessed = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -12.0, 12.0)))
        variances = np.maximum(guessed * (1.0 - guessed), 1e-3)
        steepness = (design * variances[:, None]).T @ design + np.diag(penalties.ravel())
        slope = design.T @ (ratios - guessed) - penalties.ravel() * weights
        weights = weights + np.linalg.solve(steepness, slope)
    return weights.reshape(POWERS, -1)
