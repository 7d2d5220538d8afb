"""FastestDet: one anchor-free map at stride 16.

FastestDet, 2022. https://github.com/dog-qiuqiu/FastestDet
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


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """(1, 85, h, w): objectness, offset of the centre, width and height, class probabilities.

    A score is objectness ** 0.6 times class probability ** 0.4, as the authors weigh them.
    """
    channels, rows, columns = outputs[0].shape[1:]
    values = outputs[0][0].reshape(channels, -1).T
    cell = np.array([size.width / columns, size.height / rows], np.float32)
    centre = (grid(rows, columns) + np.tanh(values[:, 1:3])) * cell
    extent = sigmoid(values[:, 3:5]) * np.array([size.width, size.height], np.float32)
    scores = values[:, :1].clip(0.0) ** 0.6 * values[:, 5:].clip(0.0) ** 0.4
    return Candidates.best_class(corners_from_centre(centre, extent), scores)


HEAD = Head(decode)
