"""YOLOv5 maps before decoding, at strides 8, 16 and 32; used by YOLOv5-Lite.

Jocher et al., YOLOv5, 2020. https://github.com/ultralytics/yolov5
YOLOv5-Lite, 2021. https://github.com/ppogg/YOLOv5-Lite
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

STRIDES = (8, 16, 32)
COCO_ANCHORS = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)
"""Width and height in pixels of the three anchors a stride, YOLOv5's defaults for COCO."""


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """One (1, 3, h * w, 85) map of logits a stride."""
    corners, scores = [], []
    all_anchors = config.get("anchors", COCO_ANCHORS)
    for output, anchors, stride in zip(outputs, all_anchors, STRIDES, strict=True):
        cells = grid(*size.cells(stride))
        for values, anchor in zip(sigmoid(output[0]), anchors, strict=True):
            centre = (values[:, :2] * 2 - 0.5 + cells) * stride
            extent = (values[:, 2:4] * 2) ** 2 * np.array(anchor, np.float32)
            corners.append(corners_from_centre(centre, extent))
            scores.append(values[:, 4:5] * values[:, 5:])
    return Candidates.best_class(np.concatenate(corners), np.concatenate(scores))


HEAD = Head(decode, optional=frozenset({"anchors"}))
