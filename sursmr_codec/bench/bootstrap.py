"""Confidence intervals by drawing the images anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sursmr_codec.bench.shares import Counts

REPEATS = 1000
LEVEL = 0.95
SEED = 0
_LEAST_DEFINED = 0.9


def interval(
    statistic: Callable[[Counts], float],
    n_images: int,
    *,
    repeats: int = REPEATS,
    level: float = LEVEL,
    seed: int = SEED,
) -> tuple[float, float] | None:
    """The percentile interval of a statistic over `repeats` folders drawn from the images with replacement.

    `statistic` takes how often each image was drawn, (N,), and may give NaN where it is not defined. None
    for fewer than two images, and where it is defined for less than 90 % of the folders. The same seed gives
    the same interval.
    """
    if n_images < 2:
        return None
    drawn = np.random.default_rng(seed).multinomial(n_images, [1 / n_images] * n_images, size=repeats)
    values = np.array([statistic(counts) for counts in drawn])
    values = values[~np.isnan(values)]
    if values.size < _LEAST_DEFINED * repeats:
        return None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
