"""From a picture of any size to the pictures of one size that a network sees; the same for training and use.

Viewers look at an image pixel by pixel, machines at all of it scaled down: the first view is the whole
picture, squashed to a square, the others are squares of it at native resolution.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from sursmr_codec.types import Pixels

VERSION = 2
"""Rises whenever the same picture gives other views, so that no cache outlives a change."""

REDUCING_GAP = 3.0
"""A picture more than twice as large as this many views is first averaged over whole pixels, for speed."""

_STRIP_PIXELS = 1 << 19
"""Of a large picture that are averaged at a time: Pillow copies them, which is quick within a cache."""

# The plastic number, whose powers spread points evenly over a square for any number of points: M. Roberts,
# "The unreasonable effectiveness of quasirandom sequences", 2018,
# https://extremelearning.com.au/unreasonable-effectiveness-of-quasirandom-sequences/
_PLASTIC = 1.32471795724474602596


def views(rgb: Pixels, size: int, n_crops: int) -> Pixels:
    """(1 + n_crops, 3, size, size) uint8 views of an (H, W, 3) uint8 picture.

    Crops lie at fixed places relative to the picture, the first in its middle, so those of a source and of
    its rungs show the same part. A picture that is smaller than a crop is continued by its mirror image.
    """
    seen = np.stack([_whole(rgb, size), *_crops(rgb, size, n_crops)])  # (V, S, S, 3)
    return np.ascontiguousarray(seen.transpose(0, 3, 1, 2))


def _whole(rgb: Pixels, size: int) -> Pixels:
    """(size, size, 3): what Pillow's `resize` makes with a `reducing_gap`, without a copy of the picture."""
    height, width = rgb.shape[:2]
    across, down = (int(length / size / REDUCING_GAP) or 1 for length in (width, height))
    if across > 1 or down > 1:
        n_rows = max(1, _STRIP_PIXELS // width // down) * down
        strips = (Image.fromarray(rgb[top : top + n_rows]) for top in range(0, height, n_rows))
        rgb = np.concatenate([np.asarray(strip.reduce((across, down))) for strip in strips])
    box = (0.0, 0.0, width / across, height / down)
    return np.asarray(Image.fromarray(rgb).resize((size, size), Image.Resampling.BICUBIC, box))


def squares(height: int, width: int, side: int, n: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of `n` squares of a picture, the first in its middle; cut off where it is smaller."""
    rows, columns = max(0, height - side), max(0, width - side)
    for i in range(n):
        top = round((0.5 + i / _PLASTIC) % 1.0 * rows)
        left = round((0.5 + i / _PLASTIC**2) % 1.0 * columns)
        yield slice(top, min(top + side, height)), slice(left, min(left + side, width))


def _crops(rgb: Pixels, size: int, n_crops: int) -> Iterator[Pixels]:
    if not n_crops:
        return
    height, width = rgb.shape[:2]
    missing = [(0, max(0, size - height)), (0, max(0, size - width)), (0, 0)]
    padded = np.pad(rgb, missing, mode="symmetric") if min(height, width) < size else rgb
    for place in squares(padded.shape[0], padded.shape[1], size, n_crops):
        yield padded[place]
