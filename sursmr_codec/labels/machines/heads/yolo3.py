"""YOLOv3 grids with anchors in pixels, as Darknet writes them; used by Yolo-Fastest 1.x.

Redmon, Farhadi, "YOLOv3: An Incremental Improvement", 2018. https://arxiv.org/abs/1804.02767
Yolo-Fastest, 2020. https://github.com/dog-qiuqiu/Yolo-Fastest
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
    """One (1, A * 85, h, w) map a scale; `anchors` gives each scale's A widths and heights in pixels."""
    corners, scores = [], []
    for output, anchors in zip(outputs, config["anchors"], strict=True):
        rows, columns = output.shape[2:]
        stride = size.height / rows
        cells = grid(rows, columns)
        # (A, 85, h * w) -> (A, h * w, 85)
        maps = output[0].reshape(len(anchors), -1, rows * columns).transpose(0, 2, 1)
        for cell_values, anchor in zip(maps, anchors, strict=True):
            centre = (sigmoid(cell_values[:, :2]) + cells) * stride
            extent = np.exp(np.clip(cell_values[:, 2:4], -20, 10)) * np.array(anchor, np.float32)
            corners.append(corners_from_centre(centre, extent))
            scores.append(sigmoid(cell_values[:, 4:5]) * sigmoid(cell_values[:, 5:]))
    return Candidates.best_class(np.concatenate(corners), np.concatenate(scores))


HEAD = Head(decode, required=frozenset({"anchors"}))
