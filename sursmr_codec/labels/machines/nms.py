"""Greedy suppression of overlapping boxes, and the overlap itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_CANDIDATES = 300
"""Only this many of the best candidates are looked at."""


def iou_matrix(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, 4) and (M, 4) corners -> (N, M) intersection over union, 0..1; 0 for boxes without area."""
    first, second = a.astype(np.float64), b.astype(np.float64)
    shared = _shared(first, second, axis=0) * _shared(first, second, axis=1)
    union = _area(first)[:, None] + _area(second)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0.0)


def suppress(
    xyxy: NDArray[np.floating],
    scores: NDArray[np.floating],
    classes: NDArray[np.integer],
    iou: float = 0.45,
    max_candidates: int = MAX_CANDIDATES,
) -> NDArray[np.intp]:
    """Indices of the boxes that survive, best first; equal scores in order of index.

    A box falls when a better surviving box of its class overlaps it by more than `iou`. A box can only be
    felled by a better one, so dropping the candidates below any score changes nothing above it.
    """
    order = np.argsort(-scores, kind="stable")[:max_candidates]
    ranked_boxes, ranked_classes = xyxy[order], classes[order]
    overlap = iou_matrix(ranked_boxes, ranked_boxes) > iou
    overlap &= ranked_classes[:, None] == ranked_classes[None, :]
    alive = np.ones(len(order), bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= ~overlap[i, i + 1 :]
    return order[alive]


def _shared(a: NDArray[np.float64], b: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """(N, M) length that every pair of boxes has in common along x (0) or y (1)."""
    start = np.maximum.outer(a[:, axis], b[:, axis])
    end = np.minimum.outer(a[:, axis + 2], b[:, axis + 2])
    shared: NDArray[np.float64] = np.maximum(end - start, 0.0)
    return shared


def _area(xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    area: NDArray[np.float64] = (xyxy[:, 2:] - xyxy[:, :2]).clip(0.0).prod(axis=1)
    return area
