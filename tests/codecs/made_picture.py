"""A picture with some of everything that codecs must keep."""

from __future__ import annotations

import numpy as np

from sursmr_codec.types import Pixels


def make_picture(width: int, height: int, seed: int = 0, grey: bool = False) -> Pixels:
    """A (height, width, 3) picture with slopes, edges, a disc and fine texture, coloured unless `grey`."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    slopes = np.stack([90 + x, 60 + 1.5 * y, 150 - x / 2 + y / 3], axis=2)
    disc = (x - 0.6 * width) ** 2 + (y - 0.4 * height) ** 2 < (0.25 * min(width, height)) ** 2
    slopes[disc] = slopes[disc][:, ::-1] * 0.6 + 60
    slopes[(x // 8 + y // 8) % 5 == 0] += 25
    texture = 12 * np.sin(x * 1.3 + seed) * np.cos(y * 0.9) + rng.normal(0, 3, (height, width))
    pixels = np.clip(slopes + texture[:, :, None], 0, 255).astype(np.uint8)
    return np.repeat(pixels[:, :, 1:2], 3, axis=2) if grey else pixels
