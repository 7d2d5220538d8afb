"""Measures of how well predicted ratios fit labelled ones: pure functions on arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.labels.isotonic import non_increasing

Values = NDArray[np.floating]


def mean_absolute_error(predicted: Values, labels: Values) -> float | None:
    """Over the entries with a label and a prediction (not NaN), >= 0; None where there is none."""
    known = _known(predicted, labels)
    return float(np.abs(predicted[known] - labels[known]).mean()) if known.any() else None


def plcc(predicted: Values, labels: Values) -> float | None:
    """Pearson's linear correlation over entries with both, -1..1; None where either side is constant."""
    known = _known(predicted, labels)
    x, y = predicted[known].astype(np.float64), labels[known].astype(np.float64)
    if len(x) < 2 or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def srocc(predicted: Values, labels: Values) -> float | None:
    """Spearman's rank correlation, ties sharing their mean rank, as `plcc` else."""
    known = _known(predicted, labels)
    return plcc(_ranks(predicted[known]), _ranks(labels[known]))


def _known(predicted: Values, labels: Values) -> NDArray[np.bool_]:
    """Which entries can be compared: a predictor that was taught nothing of a ratio says NaN."""
    return ~(np.isnan(predicted) | np.isnan(labels))


def _ranks(values: Values) -> NDArray[np.float64]:
    _, where, n_equal = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(n_equal)
    mean_rank: NDArray[np.float64] = (last - (n_equal - 1) / 2.0)[where.reshape(-1)]
    return mean_rank


def crossing(qps: Sequence[int], sur: Sequence[float], level: float) -> float | None:
    """The QP at which SUR along a ladder falls through `level`, interpolated between rungs.

    `sur` is made non-increasing first, as SUR is by definition. None where no rung is below the level, or
    the first already is.
    """
    falling = non_increasing(list(sur))
    for i in range(1, len(qps)):
        before, after = falling[i - 1], falling[i]
        if before >= level > after:
            return float(qps[i - 1] + (qps[i] - qps[i - 1]) * (before - level) / (before - after))
    return None


def clipped_crossing(qps: Sequence[int], sur: Sequence[float], level: float) -> float:
    """As `crossing`, but the nearest end of the ladder where the level is not crossed on it."""
    found = crossing(qps, sur, level)
    if found is not None:
        return found
    return float(qps[0] if non_increasing(list(sur))[0] < level else qps[-1])


def bhattacharyya(predicted: Sequence[float], labels: Sequence[float]) -> float:
    """Distance >= 0 between the JND distributions behind two SUR curves along one ladder.

    -ln of the sum over steps of sqrt(p q): SUR is the share of people whose JND lies further down the ladder,
    so each fall of it is the share whose JND lies in that step. Both curves are made non-increasing first.
    Used by SUR-Net and SUR-FeatNet (https://arxiv.org/abs/2001.02002) on every level of a ladder; on fewer
    rungs it is coarser and smaller.
    """
    shares = [-np.diff([1.0, *non_increasing(list(curve)), 0.0]) for curve in (predicted, labels)]
    overlap = float(np.sqrt(np.clip(shares[0], 0.0, 1.0) * np.clip(shares[1], 0.0, 1.0)).sum())
    # Two curves that share no step would be infinitely far apart.
    return float(-np.log(min(max(overlap, 1e-6), 1.0)))
