"""How pixels become a network's input: one table of named normalisations.

A normalisation is data, chosen by the `preprocess` column of the zoo; no machine has code of its own for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.types import Pixels


@dataclass(frozen=True)
class Normalisation:
    """`(pixels - mean) / scale`, in units of 0..255 and in the network's channel order."""

    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    bgr: bool = False
    """Whether the network wants blue-green-red; `mean` and `scale` are then in that order."""

    def __call__(self, rgb: Pixels) -> NDArray[np.float32]:
        """(H, W, 3) uint8 RGB -> (H, W, 3) float32 in the network's channel order and range."""
        # Plane by plane: arithmetic along an innermost axis of three is several times slower.
        planes = np.empty((3, *rgb.shape[:2]), np.float32)
        channels = (2, 1, 0) if self.bgr else (0, 1, 2)
        for plane, channel, mean, scale in zip(planes, channels, self.mean, self.scale, strict=True):
            # Division before subtraction, as in the networks' own recipes: some quantised inputs have their
            # steps half-way between pixel values, and the last bit of the float decides how each one rounds.
            np.divide(rgb[..., channel], np.float32(scale), out=plane)
            plane -= np.float32(mean / scale)
        return planes.transpose(1, 2, 0)


_UNIT = (255.0, 255.0, 255.0)

NORMALISATIONS: dict[str, Normalisation] = {
    "raw": Normalisation(),
    "01": Normalisation(scale=_UNIT),
    "pm1": Normalisation(mean=(127.5, 127.5, 127.5), scale=(127.5, 127.5, 127.5)),
    # ImageNet statistics of torchvision, 0.485 0.456 0.406 and 0.229 0.224 0.225, times 255.
    "imnet": Normalisation(mean=(123.675, 116.28, 103.53), scale=(58.395, 57.12, 57.375)),
    "bgr_raw": Normalisation(bgr=True),
    "bgr_01": Normalisation(scale=_UNIT, bgr=True),
    # NanoDet's and PicoDet's published statistics: one scale differs from torchvision's in channel order.
    "bgr_norm": Normalisation(mean=(103.53, 116.28, 123.675), scale=(57.375, 57.12, 58.395), bgr=True),
    "caffe_bgr": Normalisation(mean=(104.0, 117.0, 123.0), bgr=True),
}
"""Name in zoo.csv -> normalisation."""
