"""The one way between RGB and YCbCr planes, and from a file's own colour space to sRGB.

YCbCr is BT.601 full range (ITU-T T.871, section 7; ITU-R BT.601-7), chroma of 4:2:0 pictures sits in the
centre of each 2x2 block. Codecs that are fed planes use nothing else, because resampling of chroma moves
quality more than the choice of encoder does.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from sursmr_codec.errors import ImageError, UsageError
from sursmr_codec.types import Pixels

Chroma = Literal["420", "444"]
Plane = NDArray[np.uint8] | NDArray[np.uint16]
"""(H, W), uint8 at 8 bit, uint16 above."""

_KR, _KG, _KB = 0.299, 0.587, 0.114
_MOST_BITS = 12
_ICC_HEADER_BYTES = 128
_STRIP_PIXELS = 1 << 16
"""Worked on at once, so that wide integers take little memory and stay in the caches."""


@dataclass(frozen=True, eq=False)
class Planes:
    """A picture in BT.601 full-range YCbCr."""

    y: Plane
    """(H, W) luma, 0 .. 2^bit_depth - 1."""
    cb: Plane
    """(H, W), or (H / 2, W / 2) in 4:2:0, with zero at 2^(bit_depth - 1)."""
    cr: Plane
    """As `cb`."""
    bit_depth: int = 8
    """Bits a sample, 8..12."""

    @property
    def chroma(self) -> Chroma:
        """Chroma format, by the planes' shapes."""
        return "444" if self.cb.shape == self.y.shape else "420"


def rgb_to_planes(pixels: Pixels, chroma: Chroma = "420", bit_depth: int = 8) -> Planes:
    """Turn (H, W, 3) uint8 RGB into BT.601 full-range planes.

    4:2:0 chroma is the mean of each 2x2 block, rounded once, after the matrix. All arithmetic is in
    integers, so the planes do not depend on the machine. Raises UsageError for odd sizes in 4:2:0 and for
    bit depths outside 8..12.
    """
    _check_depth(bit_depth)
    height, width = pixels.shape[:2]
    if chroma == "420" and (height % 2 or width % 2):
        raise UsageError(f"4:2:0 planes need an even size, not {width}x{height}")
    step = 2 if chroma == "420" else 1
    sample: Any = np.uint8 if bit_depth == 8 else np.uint16
    y: Plane = np.empty((height, width), dtype=sample)
    cb: Plane = np.empty((height // step, width // step), dtype=sample)
    cr: Plane = np.empty_like(cb)
    for top, bottom in _strips(height, width):
        luma, *colours = _strip_planes(pixels[top:bottom], chroma, bit_depth)
        y[top:bottom] = luma
        cb[top // step : bottom // step], cr[top // step : bottom // step] = colours
    return Planes(y, cb, cr, bit_depth)


def _strip_planes(pixels: Pixels, chroma: Chroma, bit_depth: int) -> tuple[Plane, Plane, Plane]:
    # The largest sums stay below 2^31: sample bits + 2 bits of the 2x2 sum + fraction bits <= 30.
    fraction = 28 - bit_depth
    scale = ((1 << bit_depth) - 1) / 255.0 * (1 << fraction)
    channels = np.moveaxis(pixels, 2, 0).astype(np.int32)
    # The green factor takes the rounding of the other two: grey stays exactly grey.
    factor_r, factor_b = round(_KR * scale), round(_KB * scale)
    luma = _weigh(channels, (factor_r, round(scale) - factor_r - factor_b, factor_b))
    y = _round_off(luma, fraction, bit_depth)
    if chroma == "420":
        rows = channels[:, 0::2] + channels[:, 1::2]
        channels = rows[:, :, 0::2] + rows[:, :, 1::2]
        fraction += 2
    offset = 1 << (bit_depth - 1 + fraction)
    half = round(scale / 2)
    other_b, other_r = round(scale / 2 * _KR / (1 - _KB)), round(scale / 2 * _KB / (1 - _KR))
    cb = _weigh(channels, (-other_b, other_b - half, half)) + np.int32(offset)
    cr = _weigh(channels, (half, other_r - half, -other_r)) + np.int32(offset)
    return y, _round_off(cb, fraction, bit_depth), _round_off(cr, fraction, bit_depth)


def planes_to_rgb(planes: Planes) -> Pixels:
    """Turn BT.601 full-range planes into (H, W, 3) uint8 RGB; 4:2:0 chroma is raised bilinearly.

    Raises UsageError where the planes' shapes fit neither 4:4:4 nor 4:2:0, or for a bit depth outside 8..12.
    """
    _check_depth(planes.bit_depth)
    height, width = planes.y.shape
    halved = planes.chroma == "420"
    if halved and (planes.cb.shape != (height // 2, width // 2) or height % 2 or width % 2):
        raise UsageError(f"chroma of shape {planes.cb.shape} does not fit luma of {planes.y.shape}")
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    for top, bottom in _strips(height, width):
        zero = np.int32(1 << (planes.bit_depth - 1))
        if halved:
            cb, cr = (_doubled(plane, top // 2, bottom // 2, zero) for plane in (planes.cb, planes.cr))
        else:
            cb, cr = (plane[top:bottom].astype(np.int32) - zero for plane in (planes.cb, planes.cr))
        _fill_rgb(pixels[top:bottom], planes.y[top:bottom], cb, cr, 16 if halved else 1, planes.bit_depth)
    return pixels


def _fill_rgb(
    pixels: Pixels, y: Plane, cb: NDArray[np.int32], cr: NDArray[np.int32], weight: int, bit_depth: int
) -> None:
    """Write the pixels of luma and of zero-centred chroma that is `weight` times too large."""
    fraction = 20
    scale = 255.0 / ((1 << bit_depth) - 1) * (1 << fraction)
    luma = y.astype(np.int32) * np.int32(round(scale)) + np.int32(1 << (fraction - 1))
    share = 2.0 * scale / weight
    red = luma + cr * np.int32(round(share * (1 - _KR)))
    blue = luma + cb * np.int32(round(share * (1 - _KB)))
    green = luma - cb * np.int32(round(share * (1 - _KB) * _KB / _KG))
    green -= cr * np.int32(round(share * (1 - _KR) * _KR / _KG))
    for channel, values in enumerate((red, green, blue)):
        np.right_shift(values, fraction, out=values)
        np.clip(values, 0, 255, out=values)
        pixels[:, :, channel] = values


def _strips(height: int, width: int) -> list[tuple[int, int]]:
    """First and last row, exclusive, of strips with an even number of rows, but perhaps the last."""
    n_rows = max(2, _STRIP_PIXELS // width // 2 * 2)
    return [(top, min(top + n_rows, height)) for top in range(0, height, n_rows)]


def _check_depth(bit_depth: int) -> None:
    if not 8 <= bit_depth <= _MOST_BITS:
        raise UsageError(f"planes have 8..{_MOST_BITS} bits a sample, not {bit_depth}")


def _weigh(channels: NDArray[np.int32], factors: tuple[int, int, int]) -> NDArray[np.int32]:
    red, green, blue = channels
    total: NDArray[np.int32] = red * np.int32(factors[0])
    total += green * np.int32(factors[1])
    total += blue * np.int32(factors[2])
    return total


def _round_off(values: NDArray[np.int32], fraction: int, bit_depth: int) -> Plane:
    values += np.int32(1 << (fraction - 1))
    np.right_shift(values, fraction, out=values)
    np.clip(values, 0, (1 << bit_depth) - 1, out=values)
    return values.astype(np.uint8) if bit_depth == 8 else values.astype(np.uint16)


def _doubled(plane: Plane, first: int, stop: int, zero: np.int32) -> NDArray[np.int32]:
    """Raise rows `first` to `stop`, exclusive, of centre-sited chroma to twice the size, times 16.

    Weights 3 and 1 along each axis, around `zero`; the rows beside them have a share in the outer ones.
    """
    start = max(0, first - 1)
    around = plane[start : stop + 1].astype(np.int32) - zero
    rows = _double_rows(around)[2 * (first - start) : 2 * (stop - start)]
    return _double_rows(rows.T).T


def _double_rows(plane: NDArray[np.int32]) -> NDArray[np.int32]:
    height, width = plane.shape
    raised = np.empty((2 * height, width), dtype=np.int32)
    above = np.concatenate((plane[:1], plane[:-1]))
    below = np.concatenate((plane[1:], plane[-1:]))
    raised[0::2] = 3 * plane + above
    raised[1::2] = 3 * plane + below
    return raised


def icc_to_srgb(pixels: Pixels, profile: bytes) -> Pixels:
    """Turn (H, W, 3) uint8 pixels of an RGB profile's space into (H, W, 3) uint8 sRGB.

    Relative colorimetric with black point compensation, as browsers do. Raises ImageError where the
    profile is broken or does not describe an RGB space.
    """
    transform = _srgb_transform(profile)
    try:
        converted = transform.apply(Image.fromarray(pixels))
    except (ImageCms.PyCMSError, ValueError, OSError) as trouble:
        raise ImageError(f"cannot apply the colour profile: {trouble}") from trouble
    return np.asarray(converted, dtype=np.uint8)


def icc_colour_space(profile: bytes) -> str:
    """The four-letter colour space of an ICC header (`RGB`, `GRAY`, `CMYK`), spaces stripped.

    Raises ImageError where the profile is too short to have a header or lacks the `acsp` signature.
    Source: ICC.1:2022, section 7.2.
    """
    if len(profile) < _ICC_HEADER_BYTES or profile[36:40] != b"acsp":
        raise ImageError(f"broken colour profile: {len(profile)} bytes without an ICC header")
    return profile[16:20].decode("latin-1").strip()


@lru_cache(maxsize=16)
def _srgb_transform(profile: bytes) -> ImageCms.ImageCmsTransform:
    space = icc_colour_space(profile)
    if space != "RGB":
        raise ImageError(f"colour profile is for {space or 'no'} pixels, not for RGB")
    try:
        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            "RGB",
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError) as trouble:
        raise ImageError(f"broken colour profile: {trouble}") from trouble
