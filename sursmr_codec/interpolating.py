"""Where between probed rungs a ratio falls to its target: monotone interpolation of its log-odds over QP.

Along a ladder, log-odds of a ratio are nearly a straight line near its target. Beyond all that was probed the
line goes on with the slope between the two nearest probes, kept near that of a typical picture. Where a
predictor expects other curves of the source, it is by how much they are off that is interpolated; beyond all
that was probed it stays what it was at the nearest probe.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sursmr_codec.types import Binding, Targets

FALL = 12.0
"""Log-odds by which a ratio falls over the whole range of a codec, where it is steepest; typical."""
STRANGE = 3.0
"""By what factor a slope may differ from the typical one and still be believed."""
SMALLEST = 1e-3
"""Ratios this near to 0 and 1 are told apart no further."""

Ratios = Mapping[Binding, float]
"""Name -> ratio, or target, 0..1."""
Expected = Mapping[Binding, Sequence[float]]
"""Ratio -> its log-odds at every QP of a codec, as expected from the source alone."""
_Points = Sequence[tuple[int, float]]
"""QP, rising, and log-odds."""


def wanted(targets: Targets) -> dict[Binding, float]:
    """The switched-on targets."""
    asked: dict[Binding, float] = {"sur": targets.sur, "smr": targets.smr}
    return {name: target for name, target in asked.items() if target > 0}


def crossing(
    probed: Mapping[int, Ratios],
    targets: Ratios,
    rungs: range,
    above: float = 0.0,
    expected: Expected | None = None,
) -> float:
    """The QP, between rungs, at which the first ratio falls to its target plus `above`.

    `probed` are the ratios of rungs by QP, of at least one where not every target is `expected`. `rungs` are
    all of the codec's; the answer lies at most one QP outside, without targets above them.
    """
    found = [float(rungs[-1] + 1)]
    for name, target in targets.items():
        level = log_odds(target + above)
        points = [(qp, log_odds(probed[qp][name])) for qp in sorted(probed)]
        curve = (expected or {}).get(name)
        n_met = next((i for i, (_, odds) in enumerate(points) if odds < level), len(points))
        # Between the highest point from which all below are at the level, and the next.
        first = points[n_met - 1][0] if n_met else rungs[0] - 1
        last = points[n_met][0] if n_met < len(points) else rungs[-1] + 1
        found.append(_falls_to(level, _followed(points, rungs, curve), range(first, last + 1), rungs))
    return min(found)


def _falls_to(level: float, odds: Sequence[float], bracket: range, rungs: range) -> float:
    """The QP within `bracket`, whose ends may stand outside the rungs, at which log-odds fall to `level`.

    `odds` are those of every rung. They count as met at the lower end of the bracket, and not at its upper.
    """
    fails = next((qp for qp in bracket[1:-1] if odds[qp - rungs[0]] < level), bracket[-1])
    if fails not in rungs:
        return float(fails)
    if fails == rungs[0]:
        return float(fails - 1)
    before, after = odds[fails - 1 - rungs[0]], odds[fails - rungs[0]]
    return fails - 1 + (min(max((before - level) / (before - after), 0.0), 1.0) if before > after else 0.0)


def _followed(points: _Points, rungs: range, curve: Sequence[float] | None) -> list[float]:
    """Log-odds at every rung that go through `points`, like `curve` where there is one."""
    if curve is None:
        return [_along(points, qp, FALL / len(rungs)) for qp in rungs]
    off = [(qp, odds - curve[qp - rungs[0]]) for qp, odds in points] or [(rungs[0], 0.0)]
    return [level + _along(off, qp, 0.0) for qp, level in zip(rungs, curve, strict=True)]


def _along(points: _Points, qp: int, typical: float) -> float:
    """At `qp`, the lines through `points`; beyond these, one that falls by about `typical` a QP."""
    above = next((i for i, (at, _) in enumerate(points) if at >= qp), len(points))
    if 0 < above < len(points):
        (low, start), (high, end) = points[above - 1 : above + 1]
        return start + (end - start) * (qp - low) / (high - low)
    nearest, other = (points[0], points[1:2]) if above == 0 else (points[-1], points[-2:-1])
    slope = typical
    if other:
        found = (nearest[1] - other[0][1]) / (other[0][0] - nearest[0])
        slope = min(max(found, typical / STRANGE), typical * STRANGE)
    return nearest[1] - slope * (qp - nearest[0])


def log_odds(ratio: float) -> float:
    """Logarithm of ratio : (1 - ratio), of ratios not too near to 0 and 1."""
    kept = min(max(ratio, SMALLEST), 1.0 - SMALLEST)
    return math.log(kept / (1.0 - kept))
