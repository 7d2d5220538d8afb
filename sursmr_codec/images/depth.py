"""From deep samples to 8 bits, rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.types import Pixels


def to_8_bits(samples: NDArray[Any], white: int) -> NDArray[np.uint8]:
    """Scale unsigned samples of any shape so that `white` becomes 255, halves rounded up; above it is 255."""
    wide = samples.astype(np.uint32)
    np.minimum(wide, white, out=wide)
    wide *= 255
    wide += white // 2
    wide //= white
    return wide.astype(np.uint8)


def join_bytes(high: Pixels, low: Pixels) -> NDArray[np.uint8]:
    """Round 16-bit samples, given as arrays of their high and low bytes, to 8 bits.

    A sample is 257 * high + (low - high) and 8-bit steps are 257 apart, so only a difference beyond half a
    step changes the high byte.
    """
    beyond = low.astype(np.int16) - high
    rounded: NDArray[np.uint8] = high + (beyond > 128).astype(np.uint8) - (beyond < -128).astype(np.uint8)
    return rounded
