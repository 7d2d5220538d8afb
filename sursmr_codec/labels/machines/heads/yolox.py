"""YOLOX: anchor-free, decoupled head, at strides 8, 16 and 32.

Ge et al., "YOLOX: Exceeding YOLO Series in 2021", 2021. https://arxiv.org/abs/2107.08430
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
)

STRIDES = (8, 16, 32)


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """(1, N, 85): offset from the cell, logarithm of the size in strides, objectness, class probabilities."""
    values = outputs[0][0]
    grids = [grid(*size.cells(stride)) for stride in STRIDES]
    cells = np.concatenate(grids)
    strides = np.concatenate(
        [np.full((len(g), 1), stride, np.float32) for g, stride in zip(grids, STRIDES, strict=True)]
    )
    corners = corners_from_centre((values[:, :2] + cells) * strides, np.exp(values[:, 2:4]) * strides)
    return Candidates.best_class(corners, values[:, 4:5] * values[:, 5:])


HEAD = Head(decode)
