"""What becomes of transparency: scores and most codecs know opaque pictures only."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.errors import UsageError
from sursmr_codec.types import Pixels

Alpha = NDArray[np.uint8]
"""(H, W) uint8, 0 transparent .. 255 opaque."""


@dataclass(frozen=True)
class AlphaPolicy:
    """What to do with a picture that has transparent pixels; opaque alpha is always dropped."""

    matte: tuple[int, int, int] | None = None
    """Colour to lay the picture on, 0..255 each in its own colour space; None: such pictures are refused."""


REFUSE = AlphaPolicy()
"""Refuse pictures with transparent pixels."""


def parse_alpha(text: str) -> AlphaPolicy:
    """Turn `refuse` or `flatten=#rrggbb` into a policy; raises UsageError for anything else."""
    if text == "refuse":
        return REFUSE
    match = re.fullmatch(r"flatten=#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", text)
    if match is None:
        raise UsageError(f"alpha must be refuse or flatten=#rrggbb (such as flatten=#ffffff), not {text!r}")
    red, green, blue = (int(part, 16) for part in match.groups())
    return AlphaPolicy((red, green, blue))


def flatten(pixels: Pixels, alpha: Alpha, matte: tuple[int, int, int]) -> Pixels:
    """Lay (H, W, 3) pixels with straight (H, W) alpha on a colour, in the encoded values, as browsers do."""
    # 255 * 255 + 127 still fits 16 bits, so no sum here wraps.
    cover = alpha[:, :, None].astype(np.uint16)
    mixed = pixels * cover
    mixed += np.array(matte, dtype=np.uint16) * (255 - cover)
    mixed += 127
    mixed //= 255
    return mixed.astype(np.uint8)
