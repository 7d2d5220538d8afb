"""YOLOv6-Lite: anchor-free, distances to the four edges in strides.

Li et al., "YOLOv6: A Single-Stage Object Detection Framework", 2022. https://arxiv.org/abs/2209.02976
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
    corners_from_distances,
    grid,
)


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """One (1, 80 + 4, h, w) map a scale, in any order: probabilities, then distances."""
    corners, scores = [], []
    # Finest scale first, so that boxes of equal score keep one order whichever way a file lists its maps.
    for output in sorted(outputs, key=lambda output: -output.shape[2]):
        channels, rows, columns = output.shape[1:]
        stride = size.height / rows
        values = output[0].reshape(channels, -1).T
        points = (grid(rows, columns) + 0.5) * stride
        corners.append(corners_from_distances(points, values[:, -4:] * stride))
        scores.append(values[:, :-4])
    return Candidates.best_class(np.concatenate(corners), np.concatenate(scores))


HEAD = Head(decode)
