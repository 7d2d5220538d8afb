"""What becomes of transparency: scores and most codecs know opaque pictures only."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from sursmr_codec.errors import UsageError
from sursmr_codec.types import Alpha, Pixels

SEEN_ON = (255, 255, 255)
"""sRGB colour on which pictures are scored whose transparency is kept: the page of most documents."""


@dataclass(frozen=True)
class AlphaPolicy:
    """What to do with a picture that has transparent pixels; opaque alpha is always dropped."""

    matte: tuple[int, int, int] | None = None
    """Colour to lay the picture on, 0..255 each in its own colour space; None: such pictures are refused."""
    keep: bool = False
    """Keep the transparency, for codecs that can; scores then refer to the picture on `SEEN_ON`."""


REFUSE = AlphaPolicy()
"""Refuse pictures with transparent pixels."""
KEEP = AlphaPolicy(keep=True)
"""Keep transparent pixels as they are."""


def parse_alpha(text: str) -> AlphaPolicy:
    """Turn `refuse`, `keep` or `flatten=#rrggbb` into a policy; raises UsageError for anything else."""
    named = {"refuse": REFUSE, "keep": KEEP}
    if text in named:
        return named[text]
    match = re.fullmatch(r"flatten=#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", text)
    if match is None:
        raise UsageError(
            f"alpha must be refuse, keep or flatten=#rrggbb (such as flatten=#ffffff), not {text!r}"
        )
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


def as_seen(rgb: Pixels, alpha: Alpha | None) -> Pixels:
    """(H, W, 3) sRGB with straight (H, W) alpha as a viewer sees it: on `SEEN_ON`, where not opaque."""
    return rgb if alpha is None else flatten(rgb, alpha, SEEN_ON)
