"""YuNet faces: anchor-free, at strides 8, 16 and 32; landmarks are not read.

Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023.
https://doi.org/10.1007/s11633-023-1423-y, https://github.com/ShiqiYu/libfacedetection.train
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
    """Per stride (1, h * w, 1) class, (1, h * w, 1) objectness, (1, h * w, 4) box; all classes come first.

    A box holds the offset from the cell and the logarithm of the size, in strides. The score is the geometric
    mean of the two probabilities.
    """
    n = len(STRIDES)
    corners, scores = [], []
    for i, stride in enumerate(STRIDES):
        face, objectness, box = (outputs[i + n * kind][0] for kind in range(3))
        centre = (grid(*size.cells(stride)) + box[:, :2]) * stride
        corners.append(corners_from_centre(centre, np.exp(box[:, 2:4]) * stride))
        scores.append(np.sqrt(face.clip(0.0, 1.0) * objectness.clip(0.0, 1.0)))
    return Candidates.best_class(np.concatenate(corners), np.concatenate(scores))


HEAD = Head(decode)
