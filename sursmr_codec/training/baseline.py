"""The opponent of every model: a predictor that knows the codec and the QP, and not the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.training.data import LabelledRungs

BANDWIDTH = 0.03
"""Standard deviation of the kernel, in QP ranges of the codec's labelled rungs."""


class QpBaseline:
    """Per codec and ratio, the median of the labels around a QP: no constant has a smaller absolute error.

    Labels are weighted by a Gaussian of their distance in QP. A codec that was not trained on gets the
    median over all rungs.
    """

    def __init__(self, rungs: LabelledRungs, labels: NDArray[np.float32]) -> None:
        """Fit to N rungs and their (N, R) labels."""
        codecs = np.array(rungs.codecs, dtype=object)
        self._n_ratios = labels.shape[1]
        self._points: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float32]]] = {
            codec: (rungs.qps[codecs == codec], labels[codecs == codec])
            for codec in sorted(set(rungs.codecs))
        }
        self._anything = [_median(labels[:, i], np.ones(len(labels))) for i in range(self._n_ratios)]

    def predict(self, rungs: LabelledRungs) -> NDArray[np.float32]:
        """(N, R) ratios; NaN where nothing is known of a ratio."""
        known: dict[tuple[str, int], Sequence[float]] = {}
        for codec, qp in zip(rungs.codecs, rungs.qps.tolist(), strict=True):
            if (codec, qp) not in known:
                known[codec, qp] = self._at(codec, qp)
        rows = [known[key] for key in zip(rungs.codecs, rungs.qps.tolist(), strict=True)]
        return np.array(rows, dtype=np.float32).reshape(len(rungs), self._n_ratios)

    def _at(self, codec: str, qp: int) -> Sequence[float]:
        if codec not in self._points:
            return self._anything
        qps, labels = self._points[codec]
        width = max(BANDWIDTH * float(np.ptp(qps)), 0.5)
        weights = np.exp(-0.5 * ((qps - qp) / width) ** 2) + 1e-12
        return [_median(labels[:, i], weights) for i in range(self._n_ratios)]


def _median(values: NDArray[np.float32], weights: NDArray[np.float64]) -> float:
    known = ~np.isnan(values)
    if not known.any():
        return float("nan")
    order = np.argsort(values[known], kind="stable")
    shares = np.cumsum(weights[known][order])
    middle = int(np.searchsorted(shares, 0.5 * shares[-1]))
    return float(values[known][order][middle])
