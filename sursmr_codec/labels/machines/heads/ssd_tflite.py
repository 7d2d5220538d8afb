"""SSD whose TFLite file ends in the detection post-processing operator, suppression included.

Liu et al., "SSD: Single Shot MultiBox Detector", 2016. https://arxiv.org/abs/1512.02325
https://github.com/tensorflow/models/blob/master/research/object_detection
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sursmr_codec.labels.machines.heads.base import Array, Candidates, Config, Head, InputSize

UNUSED_COCO_IDS = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
"""COCO's paper names 91 categories by 1..91; its pictures use 80 of them (91 ends outside 1..90)."""
_COCO_INDEX = np.full(91, -1, np.int64)
_COCO_INDEX[[i for i in range(1, 91) if i not in UNUSED_COCO_IDS]] = np.arange(80)


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """(1, N, 4) top, left, bottom, right as shares, (1, N) category - 1, (1, N) scores, (1,) how many."""
    n = int(outputs[3].reshape(-1)[0])
    corners = outputs[0][0, :n][:, [1, 0, 3, 2]] * size.corners
    categories = outputs[1][0, :n].astype(np.int64) + 1
    classes = _COCO_INDEX[np.where((categories >= 0) & (categories < 91), categories, 0)]
    known = classes >= 0
    return Candidates(
        corners[known].astype(np.float32), outputs[2][0, :n][known].astype(np.float32), classes[known]
    )


HEAD = Head(decode, suppresses=True)
