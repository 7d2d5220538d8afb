"""NanoDet, NanoDet-Plus and PP-PicoDet: class probabilities and box edges as discrete distributions.

Li et al., "Generalized Focal Loss", 2020. https://arxiv.org/abs/2006.04388
NanoDet, 2020. https://github.com/RangiLyu/nanodet
Yu et al., "PP-PicoDet", 2021. https://arxiv.org/abs/2111.00902
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sursmr_codec.labels.machines.heads.base import (
    Array,
    Candidates,
    Config,
    Head,
    InputSize,
    corners_from_distances,
    grid,
    softmax,
)

N_CLASSES = 80
N_BINS = 8
"""Values that an edge's distance from the cell may take, 0..7 strides; the expectation is the distance."""


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """Per stride of `strides`, (h * w, 80) probabilities and (h * w, 4 * 8) edge logits.

    With `ci` and `di` these are separate outputs at those positions; without, one (1, N, 112) output holds
    them side by side, stride after stride. `off` is the anchor point within a cell, 0.5 where not given.
    """
    strides = config["strides"]
    offset = np.float32(config.get("off", 0.5))
    corners, scores = [], []
    for stride, (classes, edges) in zip(strides, _split(outputs, config, size), strict=True):
        points = (grid(*size.cells(stride)) + offset) * stride
        bins = softmax(edges.reshape(-1, 4, N_BINS))
        distances = bins @ np.arange(N_BINS, dtype=np.float32) * stride
        corners.append(corners_from_distances(points, distances))
        scores.append(classes)
    return Candidates.best_class(np.concatenate(corners), np.concatenate(scores))


def _split(outputs: Sequence[Array], config: Config, size: InputSize) -> Iterator[tuple[Array, Array]]:
    if "ci" in config:
        for i_classes, i_edges in zip(config["ci"], config["di"], strict=True):
            yield outputs[i_classes][0], outputs[i_edges][0]
        return
    start = 0
    for stride in config["strides"]:
        rows, columns = size.cells(stride)
        part = outputs[0][0, start : start + rows * columns]
        start += rows * columns
        yield part[:, :N_CLASSES], part[:, N_CLASSES:]


HEAD = Head(decode, required=frozenset({"strides"}), optional=frozenset({"ci", "di", "off"}))
