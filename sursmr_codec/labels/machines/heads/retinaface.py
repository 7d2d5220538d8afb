"""RetinaFace: SSD-like prior boxes, two or three square sizes a stride; landmarks are not read.

Deng et al., "RetinaFace: Single-shot Multi-level Face Localisation in the Wild", 2020.
https://arxiv.org/abs/1905.00641, https://github.com/biubug6/Pytorch_Retinaface
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sursmr_codec.labels.machines.heads.base import (
    Array,
    Candidates,
    Config,
    Floats,
    Head,
    InputSize,
    corners_from_centre,
    grid,
)

CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2


def decode(outputs: Sequence[Array], config: Config, size: InputSize) -> Candidates:
    """(1, N, 4) offsets and (1, N, 2) probabilities of background and face.

    `anc` is [strides, sizes a stride in pixels]; priors run over cells, then over the sizes of a cell.
    """
    offsets, probabilities = outputs[0][0], outputs[1][0]
    strides, sides = config["anc"]
    priors = np.concatenate(
        [_priors(size, stride, sizes) for stride, sizes in zip(strides, sides, strict=True)]
    )
    centre = priors[:, :2] + offsets[:, :2] * CENTRE_VARIANCE * priors[:, 2:]
    extent = priors[:, 2:] * np.exp(offsets[:, 2:] * SIZE_VARIANCE)
    return Candidates.best_class(corners_from_centre(centre, extent), probabilities[:, 1:])


def _priors(size: InputSize, stride: int, sides: Sequence[int]) -> Floats:
    """(cells * sides, 4) centre, width and height in input pixels."""
    centres = (grid(*size.cells(stride)) + 0.5) * stride
    extents = np.repeat(np.array(sides, np.float32)[:, None], 2, axis=1)
    return np.concatenate(
        [np.repeat(centres, len(sides), axis=0), np.tile(extents, (len(centres), 1))], axis=1
    )


HEAD = Head(decode, required=frozenset({"anc"}))
