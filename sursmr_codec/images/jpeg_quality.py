"""The quality setting that a JPEG was saved with, from its luma quantisation table.

Source: ITU-T T.81, table K.1, scaled as the Independent JPEG Group's library does (`jpeg_set_quality`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LUMA = np.array(
    [
        *(16, 11, 10, 16, 24, 40, 51, 61),
        *(12, 12, 14, 19, 26, 58, 60, 55),
        *(14, 13, 16, 24, 40, 57, 69, 56),
        *(14, 17, 22, 29, 51, 87, 80, 62),
        *(18, 22, 37, 56, 68, 109, 103, 77),
        *(24, 35, 55, 64, 81, 104, 113, 92),
        *(49, 64, 78, 87, 103, 121, 120, 101),
        *(72, 92, 95, 98, 112, 100, 103, 99),
    ],
    dtype=np.int64,
)
_QUALITIES = range(1, 101)
_TOLERANCE = 1


def luma_table(quality: int) -> NDArray[np.int64]:
    """(64,) steps in rows, 1..255, that the library uses at a quality of 1..100."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((_LUMA * percent + 50) // 100, 1, 255)


def estimate_quality(table: Sequence[int]) -> int | None:
    """IJG quality 1..100 of a luma table in rows; None for tables of another family.

    Equal tables give the exact quality. Libraries that round otherwise are one off in some entries: a table
    whose every entry is within 1 of a scaled one gives the quality with the smallest sum of differences.
    """
    if len(table) != _LUMA.size:
        return None
    found = np.asarray(table, dtype=np.int64)
    distances = {quality: np.abs(luma_table(quality) - found) for quality in _QUALITIES}
    near = [quality for quality, steps in distances.items() if steps.max() <= _TOLERANCE]
    return min(near, key=lambda quality: int(distances[quality].sum()), default=None)
