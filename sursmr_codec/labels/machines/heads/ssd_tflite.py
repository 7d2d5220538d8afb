"""SSD whose TFLite file ends in the detection post-processing operator, suppression included.

Liu et al., "SSD: Single Shot MultiBox Detector", 2016. https://arxiv.org/abs/1512.02325
https://github.com/tensorflow/models/blob/master/research/object_detection
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sursmr_codec.labels.machines.coco import class_of_id
from sursmr_codec.labels.machines.heads.base import Array, Candidates, Config, Head, InputSize


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """(1, N, 4) top, left, bottom, right as shares, (1, N) category - 1, (1, N) scores, (1,) how many."""
    n = int(outputs[3].reshape(-1)[0])
    corners = outputs[0][0, :n][:, [1, 0, 3, 2]] * size.corners
    classes = class_of_id(outputs[1][0, :n].astype(np.int64) + 1)
    known = classes >= 0
    return Candidates(
        corners[known].astype(np.float32), outputs[2][0, :n][known].astype(np.float32), classes[known]
    )


HEAD = Head(decode, suppresses=True)
