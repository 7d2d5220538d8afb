"""Small pictures with values that survive their container, and their expected pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def patches(height: int = 48, width: int = 64) -> Pixels:
    """Four colours in quarters of different sizes: no two orientations look the same, also in JPEG."""
    picture = np.empty((height, width, 3), dtype=np.uint8)
    top, left = height // 3, width // 4
    picture[:top, :left] = (200, 40, 40)
    picture[:top, left:] = (40, 180, 60)
    picture[top:, :left] = (50, 60, 190)
    picture[top:, left:] = (210, 200, 90)
    return picture


def noise(
    height: int = 24, width: int = 40, channels: int = 3, seed: int = 0, levels: int = 256
) -> NDArray[np.int64]:
    """Every level with the same chance."""
    return np.random.default_rng(seed).integers(0, levels, (height, width, channels))


def turned(stored: Pixels, orientation: int) -> Pixels:
    """How a viewer has to show stored pixels, by the words of Exif 3.0: where row 0 and column 0 lie."""
    return {
        1: stored,  # row 0 top, column 0 left
        2: np.fliplr(stored),  # top, right
        3: np.rot90(stored, 2),  # bottom, right
        4: np.flipud(stored),  # bottom, left
        5: np.swapaxes(stored, 0, 1),  # left, top
        6: np.rot90(stored, -1),  # right, top
        7: np.swapaxes(np.rot90(stored, 2), 0, 1),  # right, bottom
        8: np.rot90(stored, 1),  # left, bottom
    }[orientation]
