"""Monotone curves along a ladder: pure functions."""

from __future__ import annotations

from collections.abc import Sequence


def non_increasing(values: Sequence[float]) -> list[float]:
    """The non-increasing sequence nearest to `values` in squares, by pool-adjacent-violators.

    Ayer et al., "An empirical distribution function for sampling with incomplete information", Ann. Math.
    Statist. 26(4), 1955. Keeps the length, the mean, and every value of a sequence that never rises.
    """
    pools: list[tuple[float, int]] = []
    for value in values:
        total, n = float(value), 1
        while pools and pools[-1][0] / pools[-1][1] < total / n:
            earlier, n_earlier = pools.pop()
            total, n = total + earlier, n + n_earlier
        pools.append((total, n))
    return [mean for total, n in pools for mean in [total / n] * n]


def interpolate(qps: Sequence[int], known: Sequence[tuple[int, float]]) -> list[float | None]:
    """Values at `qps` between the `known` (qp, value) pairs, monotone wherever these are.

    PCHIP (Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5(2), 1984) on the QP axis; known points keep
    their values exactly. None outside the known points, and everywhere else with fewer than two.
    """
    exact = dict(known)
    if len(exact) < 2:
        return [exact.get(qp) for qp in qps]
    import numpy as np
    from scipy.interpolate import PchipInterpolator

    x = sorted(exact)
    # A slope near the smallest float has an infinite reciprocal in the harmonic mean, which is right there.
    with np.errstate(over="ignore"):
        curve = PchipInterpolator(x, [exact[qp] for qp in x])
    return [exact[qp] if qp in exact else float(curve(qp)) if x[0] <= qp <= x[-1] else None for qp in qps]
