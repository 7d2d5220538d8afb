"""A picture as a decoder hands it over, and its way from there to upright opaque RGB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sursmr_codec.errors import ImageError
from sursmr_codec.images.alpha import AlphaPolicy, flatten
from sursmr_codec.images.exif import SIDEWAYS, as_stored, upright_size
from sursmr_codec.types import Alpha, Pixels

Strip = tuple[Pixels, Alpha | None]
"""Pixels (h, W, 3) and straight alpha (h, W) of some rows, None where the picture has no alpha."""

_STRIP_PIXELS = 1 << 16
"""So few that their arrays stay in the caches, and that no fresh memory is asked of the system for each."""


@dataclass(frozen=True)
class Metadata:
    """What a file says beside its pixels and their colours, fit for upright pixels."""

    exif: bytes | None = None
    xmp: bytes | None = None
    density: tuple[float, float] | None = None
    """Dots an inch, across and down."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """A decoded picture; rows are turned into 8-bit RGB only as they are asked for."""

    width: int
    """Columns as stored, before orientation."""
    height: int
    """Rows as stored, before orientation."""
    strip: Callable[[int, int], Strip]
    """Rows from the first number up to the second, as stored."""
    has_alpha: bool = False
    orientation: int = 1
    """EXIF orientation 1..8 that is still to be applied."""
    icc_profile: bytes | None = None
    """Profile that the strips' RGB values refer to; None for sRGB."""
    exif: bytes | None = None
    """EXIF block without orientation."""
    xmp: bytes | None = None
    """XMP packet whose orientation, if any, says upright."""
    density: tuple[float, float] | None = None
    """Dots an inch, across and down as stored."""
    jpeg_quality: int | None = None
    warnings: tuple[str, ...] = ()

    def metadata(self, *, with_xmp: bool) -> Metadata:
        """What there is to keep once the pixels are upright; the XMP of a gain map would promise one."""
        density = self.density
        if density is not None and self.orientation in SIDEWAYS:
            density = density[::-1]
        return Metadata(self.exif, self.xmp if with_xmp else None, density)


def strip_rows(width: int) -> int:
    """How many rows to work on at once, so that temporary arrays stay small beside the picture."""
    return max(1, _STRIP_PIXELS // width)


@dataclass(frozen=True, eq=False)
class Assembled:
    """Upright pixels in the decoded picture's colour space."""

    pixels: Pixels
    alpha: Alpha | None = None
    """Transparency that the policy keeps; None for opaque pictures."""
    warnings: tuple[str, ...] = ()


def assemble(decoded: Decoded, policy: AlphaPolicy) -> Assembled:
    """Turn the picture upright and apply the policy to its transparency.

    Raises ImageError where the picture has transparent pixels and the policy refuses them.
    """
    warnings: tuple[str, ...] = ()
    matte, cover = None, None
    width, height = upright_size(decoded.width, decoded.height, decoded.orientation)
    if decoded.has_alpha:
        if _is_opaque(decoded):
            warnings = ("dropped an alpha channel that is opaque everywhere",)
        elif policy.keep:
            cover = np.empty((height, width), dtype=np.uint8)
        elif policy.matte is None:
            raise ImageError(
                "has transparent pixels; lay it on a colour with --alpha flatten=#ffffff, or keep them with "
                "--alpha keep and a codec that can"
            )
        else:
            matte = policy.matte
            warnings = ("transparent pixels were laid on #{:02x}{:02x}{:02x}".format(*matte),)
    upright: Pixels = np.empty((height, width, 3), dtype=np.uint8)
    stored = as_stored(upright, decoded.orientation)
    stored_cover = None if cover is None else as_stored(cover, decoded.orientation)
    for top, bottom in _strips(decoded):
        pixels, alpha = decoded.strip(top, bottom)
        if matte is not None and alpha is not None:
            pixels = flatten(pixels, alpha, matte)
        if stored_cover is not None and alpha is not None:
            stored_cover[top:bottom] = alpha
        stored[top:bottom] = pixels
    return Assembled(upright, cover, warnings)


def _is_opaque(decoded: Decoded) -> bool:
    for top, bottom in _strips(decoded):
        alpha = decoded.strip(top, bottom)[1]
        if alpha is not None and alpha.min() < 255:
            return False
    return True


def _strips(decoded: Decoded) -> list[tuple[int, int]]:
    n_rows = strip_rows(decoded.width)
    return [(top, min(top + n_rows, decoded.height)) for top in range(0, decoded.height, n_rows)]
