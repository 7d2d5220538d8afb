"""Yolo-FastestV2: two scales of three anchors that share one set of class probabilities a cell.

Yolo-FastestV2, 2021. https://github.com/dog-qiuqiu/Yolo-FastestV2
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

COCO_ANCHORS = (
    ((12.64, 19.39), (37.88, 51.48), (55.71, 138.31)),
    ((126.91, 78.23), (131.57, 214.55), (279.92, 258.87)),
)
"""Width and height in pixels of the three anchors a scale, from the authors' COCO configuration."""
N_ANCHORS = 3


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """One (1, h, w, 3 * 4 + 3 + 80) map a scale: boxes, objectness, class probabilities; all 0..1."""
    corners, scores = [], []
    for output, anchors in zip(outputs, config.get("anchors", COCO_ANCHORS), strict=True):
        rows, columns, channels = output.shape[1:]
        values = output[0].reshape(-1, channels)
        stride = size.height / rows
        cells = grid(rows, columns)
        classes = values[:, 5 * N_ANCHORS :]
        for i, anchor in enumerate(anchors):
            box = values[:, 4 * i : 4 * i + 4]
            objectness = values[:, 4 * N_ANCHORS + i, None]
            centre = (box[:, :2] * 2 - 0.5 + cells) * stride
            extent = (box[:, 2:] * 2) ** 2 * np.array(anchor, np.float32)
            corners.append(corners_from_centre(centre, extent))
            scores.append(objectness * classes)
    return Candidates.best_class(np.concatenate(corners), np.concatenate(scores))


HEAD = Head(decode, optional=frozenset({"anchors"}))
