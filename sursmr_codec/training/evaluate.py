"""How good a model is on rungs that it never learned from, beside a predictor that knows QP alone.

The record (`metrics.json`): for each split and predictor, `mae`, `srocc` and `plcc` of every ratio, `mae` by
codec, and of SUR the error of the QP at which it falls through 0.5 and 0.75, and the Bhattacharyya distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.training import measures
from sursmr_codec.training.data import LabelledRungs

LEVELS = (0.5, 0.75)
"""SUR whose QP is compared."""
MIN_RUNGS = 4
"""Fewest rungs of a ladder that say where SUR falls through a level."""


@dataclass(frozen=True)
class RatioFit:
    """How well one ratio is predicted; None where nothing can be said."""

    n_rungs: int
    """Rungs with a label."""
    mae: float | None
    srocc: float | None
    plcc: float | None
    mae_by_codec: dict[str, float | None]


@dataclass(frozen=True)
class QpFit:
    """How far the QP at which SUR falls through a level is off, over ladders on which it does so."""

    level: float
    n_ladders: int
    mean_qp_error: float | None
    """Mean absolute error in QP; None without such a ladder."""
    mean_qp_error_by_codec: dict[str, float]


@dataclass(frozen=True)
class Fit:
    """How well a predictor does on a split."""

    ratios: dict[str, RatioFit]
    sur_qp: tuple[QpFit, ...]
    """Empty where SUR is not predicted."""
    bhattacharyya: float | None
    """Mean over ladders; None where SUR is not predicted or no ladder has enough rungs."""

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def evaluate(
    rungs: LabelledRungs,
    ratios: Sequence[str],
    predicted: NDArray[np.float32],
    labels: NDArray[np.float32],
) -> Fit:
    """Compare (N, R) predicted ratios with (N, R) labels, NaN where not defined, of N rungs."""
    codecs = np.array(rungs.codecs, dtype=object)
    names = sorted(set(rungs.codecs))
    fits = {}
    for i, ratio in enumerate(ratios):
        x, y = predicted[:, i], labels[:, i]
        by_codec = {
            codec: measures.mean_absolute_error(x[codecs == codec], y[codecs == codec]) for codec in names
        }
        fits[ratio] = RatioFit(
            int((~np.isnan(y)).sum()),
            measures.mean_absolute_error(x, y),
            measures.srocc(x, y),
            measures.plcc(x, y),
            by_codec,
        )
    if "sur" not in ratios:
        return Fit(fits, (), None)
    sur = list(ratios).index("sur")
    ladders = _sur_ladders(rungs, predicted[:, sur], labels[:, sur])
    distances = [measures.bhattacharyya(x, y) for _, _, x, y in ladders]
    return Fit(
        fits, tuple(_qp_fit(ladders, level) for level in LEVELS), fmean(distances) if distances else None
    )


Ladders = list[tuple[str, list[int], list[float], list[float]]]
"""Codec, QPs, predicted and labelled SUR of each ladder that has enough rungs."""


def _sur_ladders(
    rungs: LabelledRungs, predicted: NDArray[np.float32], labels: NDArray[np.float32]
) -> Ladders:
    found: Ladders = []
    for (_, codec), rows in rungs.ladders().items():
        rows = rows[~np.isnan(labels[rows])]
        if len(rows) >= MIN_RUNGS:
            found.append((codec, rungs.qps[rows].tolist(), predicted[rows].tolist(), labels[rows].tolist()))
    return found


def _qp_fit(ladders: Ladders, level: float) -> QpFit:
    errors: dict[str, list[float]] = {}
    for codec, qps, predicted, labels in ladders:
        truth = measures.crossing(qps, labels, level)
        if truth is not None:
            error = abs(measures.clipped_crossing(qps, predicted, level) - truth)
            errors.setdefault(codec, []).append(error)
    everything = [error for one in errors.values() for error in one]
    return QpFit(
        level,
        len(everything),
        fmean(everything) if everything else None,
        {codec: fmean(one) for codec, one in sorted(errors.items())},
    )
