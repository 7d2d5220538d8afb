"""Fits of psychometric constants to studies of people: pure functions on arrays.

A fit is the median and spread with the least mean squared error of SUR. Where a study gives SUR for each
picture that was scored, the error is each picture's; where its pictures cannot be had, the curve's mean over
other pictures is held against the study's pooled SUR.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """A kind of curve, before its constants are known."""

    kind: str
    top: float = 0.0


SHAPES = {
    "cvvdp": Shape("lognormal", 10.0),
    "ssimulacra2": Shape("normal"),
    "vmaf": Shape("lognormal", 97.43),
    "vmaf_neg": Shape("lognormal", 97.43),
    "ms_ssim": Shape("lognormal", 1.0),
    "fsim": Shape("lognormal", 1.0),
    "gmsd": Shape("lognormal-falling", 0.0),
}
"""Teacher -> the shape that is fitted unless a study is better served by another."""


@dataclass(frozen=True)
class Fit:
    """A shape with its constants."""

    shape: Shape
    median: float
    spread: float

    def sur(self, scores: Array) -> Array:
        """SUR of scores of any shape, as `PsychometricCurve.sur` has it for one."""
        from scipy.special import ndtr

        falling = -1.0 if self.shape.kind.endswith("-falling") else 1.0
        if self.shape.kind.startswith("normal"):
            deviates = falling * (scores - self.median) / self.spread
        else:
            distance = np.maximum(falling * (self.shape.top - scores), 1e-12)
            deviates = np.log(self.median / distance) / self.spread
        found: Array = ndtr(deviates)
        return found


def fit(shape: Shape, scores: Array, sur: Array, *, median: float | None = None) -> Fit:
    """The constants that bring `scores` closest to `sur`.

    `scores` is (n,) with `sur` (n,), or (pictures, levels) with the pooled `sur` (levels,): then the mean
    over pictures is compared. A given `median` is kept, and only the spread is fitted.
    """
    from scipy.optimize import minimize

    lognormal = shape.kind.startswith("lognormal")
    middle = float(np.median(np.abs(shape.top - scores))) if lognormal else float(np.median(scores))
    scale = max(float(np.std(scores)), 1e-9)

    def made(parameters: Array) -> Fit:
        free = float(parameters[0])
        at = median if median is not None else middle * np.exp(free) if lognormal else middle + scale * free
        return Fit(shape, float(at), float(np.exp(parameters[1]) * (1.0 if lognormal else scale)))

    def loss(parameters: Array) -> float:
        predicted = made(parameters).sur(scores)
        if predicted.ndim == 2:
            predicted = predicted.mean(0)
        return float(np.mean((predicted - sur) ** 2))

    starts = [np.array([0.0, start]) for start in (-1.0, 0.0)]
    options = {"maxiter": 4000, "xatol": 1e-6, "fatol": 1e-12}
    best = min((minimize(loss, start, method="Nelder-Mead", options=options) for start in starts), key=_loss)
    return made(best.x)


def _loss(found: object) -> float:
    return float(found.fun)  # type: ignore[attr-defined]


def left_out(shape: Shape, scores: Array, sur: Array, groups: NDArray[np.str_]) -> Array:
    """SUR of each score from a fit on the other groups alone, in the order of `scores`."""
    predicted = np.empty_like(sur)
    for group in np.unique(groups):
        mine = groups == group
        predicted[mine] = fit(shape, scores[~mine], sur[~mine]).sur(scores[mine])
    return predicted


def left_out_constant(sur: Array, groups: NDArray[np.str_]) -> Array:
    """What a constant says of each group: the mean SUR of the others."""
    return np.array([sur[groups != group].mean() for group in groups])
