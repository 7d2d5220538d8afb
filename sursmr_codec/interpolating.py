"""Where between probed rungs a ratio falls to its target: monotone interpolation of its log-odds over QP.

Along a ladder, log-odds of a ratio are nearly a straight line near its target. Beyond all that was probed the
line goes on with the slope between the two nearest probes, kept near that of a typical picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sursmr_codec.types import Binding

FALL = 12.0
"""Log-odds by which a ratio falls over the whole range of a codec, where it is steepest; typical."""
STRANGE = 3.0
"""By what factor a slope may differ from the typical one and still be believed."""
SMALLEST = 1e-3
"""Ratios this near to 0 and 1 are told apart no further."""

Ratios = Mapping[Binding, float]
"""Name -> ratio, or target, 0..1."""


def crossing(probed: Mapping[int, Ratios], targets: Ratios, n_rungs: int, above: float = 0.0) -> float:
    """The QP, between rungs, at which the first ratio falls to its target plus `above`.

    `probed` are the ratios of at least one rung by QP, `n_rungs` is the length of the codec's range. Without
    targets that is far beyond the range.
    """
    typical = FALL / n_rungs
    found = [max(probed) + float(n_rungs)]
    for name, target in targets.items():
        points = [(qp, _log_odds(probed[qp][name])) for qp in sorted(probed)]
        found.append(_falls_to(_log_odds(target + above), points, typical))
    return min(found)


def _falls_to(level: float, points: Sequence[tuple[int, float]], typical: float) -> float:
    """The QP at which a line through `points`, QP rising, falls to `level`.

    That is between the highest point from which all below are at the level, and the next.
    """
    n_met = next((i for i, (_, odds) in enumerate(points) if odds < level), len(points))
    if 0 < n_met < len(points):
        (qp, odds), (next_qp, next_odds) = points[n_met - 1 : n_met + 1]
        return qp + (next_qp - qp) * (odds - level) / (odds - next_odds)
    nearest, other = (points[0], points[1:2]) if n_met == 0 else (points[-1], points[-2:-1])
    slope = typical
    if other:
        found = (nearest[1] - other[0][1]) / (other[0][0] - nearest[0])
        slope = min(max(found, typical / STRANGE), typical * STRANGE)
    return nearest[0] + (nearest[1] - level) / slope


def _log_odds(ratio: float) -> float:
    kept = min(max(ratio, SMALLEST), 1.0 - SMALLEST)
    return math.log(kept / (1.0 - kept))
