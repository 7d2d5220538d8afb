"""BlazeFace, front camera: 896 anchor points in two grids; key points are not read.

Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019.
https://arxiv.org/abs/1907.05047
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sursmr_codec.labels.machines.heads.base import (
    Array,
    Candidates,
    Config,
    Head,
    InputSize,
    corners_from_centre,
    grid,
    sigmoid,
)

STRIDES_AND_REPEATS = ((8, 2), (16, 6))
"""Anchor points a cell: two at stride 8; six at stride 16, where three layers share one grid."""


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """(1, 896, 16) centre from the anchor point, width and height in pixels; (1, 896, 1) logits."""
    values, logits = outputs[0][0], outputs[1][0]
    points = np.concatenate(
        [
            np.repeat((grid(*size.cells(stride)) + 0.5) * stride, repeats, axis=0)
            for stride, repeats in STRIDES_AND_REPEATS
        ]
    )
    return Candidates.best_class(corners_from_centre(points + values[:, :2], values[:, 2:4]), sigmoid(logits))


HEAD = Head(decode)
