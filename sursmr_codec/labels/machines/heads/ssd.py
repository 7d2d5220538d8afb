"""SSD with its anchors in the network's outputs, as ST exports MobileNetV2 FPN-lite.

Liu et al., "SSD: Single Shot MultiBox Detector", 2016. https://arxiv.org/abs/1512.02325
https://github.com/STMicroelectronics/stm32ai-modelzoo
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
)

VARIANCES = (0.1, 0.1, 0.2, 0.2)
"""What SSD's training divides box offsets by, unless `var` says otherwise."""


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """(1, N, 1 + classes) probabilities with background first, (1, N, 4) offsets, (1, N, 4) anchor corners.

    `mode` `corner`: offsets move the anchor's corners, in units of its size; otherwise they move the centre
    and scale the size exponentially. Anchors are shares of the input.
    """
    classes, offsets, anchors = (output[0] for output in outputs)
    variances = np.array(config.get("var", VARIANCES), np.float32)
    extent = anchors[:, 2:] - anchors[:, :2]
    moves = offsets * variances
    if config.get("mode") == "corner":
        corners = anchors + moves * np.tile(extent, 2)
    else:
        centre = (anchors[:, :2] + anchors[:, 2:]) / 2 + moves[:, :2] * extent
        corners = corners_from_centre(centre, extent * np.exp(np.clip(moves[:, 2:], -10, 10)))
    return Candidates.best_class(corners * size.corners, classes[:, 1:])


HEAD = Head(decode, optional=frozenset({"mode", "var"}))
