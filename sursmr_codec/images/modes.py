"""Every pixel layout of Pillow, turned into strips of 8-bit RGB and alpha."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile

from sursmr_codec.errors import ImageError
from sursmr_codec.images.colour import icc_colour_space
from sursmr_codec.images.decoded import Strip
from sursmr_codec.images.deep import CUT, ROUNDED, load_deep
from sursmr_codec.images.depth import to_8_bits
from sursmr_codec.images.profiles import grey_table, lab_transform, srgb_transform
from sursmr_codec.types import Alpha, Pixels

_WHITE_IS_ZERO = 0
_PHOTOMETRIC = 262
_BITS_PER_SAMPLE = 258
_GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "F")
_DEEP_GREY_MODES = ("I", "I;16", "I;16L", "I;16B")


@dataclass(frozen=True, eq=False)
class Unpacked:
    """A loaded picture whose rows can be asked for in 8-bit RGB."""

    strip: Callable[[int, int], Strip]
    has_alpha: bool = False
    icc_profile: bytes | None = None
    """Profile of the strips' RGB values; None for sRGB."""
    warnings: tuple[str, ...] = ()


def unpack(picture: Image.Image, bits: int, reopen: Callable[[], Image.Image]) -> Unpacked:
    """Load an opened picture and choose how its rows become RGB.

    `bits` is the depth that the container's header tells; `reopen` opens the same file once more. Raises
    ImageError for layouts without an agreed meaning, and whatever Pillow raises for broken files.
    """
    # Loading takes some of the tags away, and the tiles with them.
    tags = getattr(picture, "tag_v2", {})
    white_is_zero = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    bits = _bits(tags.get(_BITS_PER_SAMPLE, bits))
    deep_map = _is_deep_map(picture)
    deep = load_deep(picture, reopen) if bits > 8 and picture.mode in ("RGB", "RGBA") else None
    picture.load()
    mode, profile = picture.mode, picture.info.get("icc_profile") or None
    if mode in ("CMYK", "LAB"):
        unpacked, profile = _through_transform(picture, profile), None
    elif deep is not None:
        unpacked = Unpacked(deep.strip, deep.has_alpha, warnings=(deep.warning,))
    elif mode in _DEEP_GREY_MODES:
        unpacked = _deep_grey(picture, bits, white_is_zero)
    elif mode == "F":
        unpacked = _floats(picture)
    elif isinstance(picture.info.get("transparency"), (int, tuple)) and mode in ("1", "L", "RGB"):
        unpacked = _colour_key(picture, bits)
    else:
        unpacked = Unpacked(lambda top, bottom: _plain(picture, top, bottom), picture.has_transparency_data)
    if bits > 8 and not unpacked.warnings:
        unpacked = replace(unpacked, warnings=(CUT,))
    if deep_map:
        unpacked = replace(unpacked, warnings=(ROUNDED,))
    unpacked = replace(unpacked, icc_profile=profile)
    return _through_grey_profile(unpacked) if mode in _GREY_MODES else unpacked


def _bits(stated: Any) -> int:
    """Most bits of any channel."""
    return max(stated) if isinstance(stated, tuple) else int(stated)


def _is_deep_map(picture: Image.Image) -> bool:
    """Whether an opened portable pixel map has colour samples above 255, which Pillow itself rounds."""
    if picture.format != "PPM" or picture.mode != "RGB" or not isinstance(picture, ImageFile.ImageFile):
        return False
    args = picture.tile[0].args
    return isinstance(args, tuple) and isinstance(args[-1], int) and args[-1] > 255


def _rows(picture: Image.Image, top: int, bottom: int) -> Image.Image:
    return picture.crop((0, top, picture.width, bottom))


def _plain(picture: Image.Image, top: int, bottom: int) -> Strip:
    rows = _rows(picture, top, bottom)
    if not picture.has_transparency_data:
        return np.asarray(rows.convert("RGB")), None
    if rows.mode in ("La", "PA"):
        rows = rows.convert("LA" if rows.mode == "La" else "RGBA")
    samples = np.asarray(rows.convert("RGBA"))
    return samples[:, :, :3], samples[:, :, 3]


def _colour_key(picture: Image.Image, bits: int) -> Unpacked:
    """A PNG of at most 8 bits that names one colour, in the file's own depth, as transparent."""
    named = np.array(picture.info["transparency"], dtype=np.int64)
    key = named * 255 // ((1 << bits) - 1) if picture.mode == "L" else named

    def strip(top: int, bottom: int) -> Strip:
        pixels = np.asarray(_rows(picture, top, bottom).convert("RGB"))
        return pixels, _opaque_unless((pixels == key).all(axis=2))

    return Unpacked(strip, has_alpha=True)


def _deep_grey(picture: Image.Image, bits: int, white_is_zero: bool) -> Unpacked:
    if picture.format == "TIFF" and picture.mode == "I":
        raise ImageError("has signed or 32-bit samples without a defined white; convert it to 8 or 16 bits")
    # Pillow raises deep portable maps to 16 bits, but leaves 12-bit TIFF samples as they are.
    white = 4095 if bits == 12 else 65535
    key = picture.info.get("transparency")

    def strip(top: int, bottom: int) -> Strip:
        samples = np.asarray(_rows(picture, top, bottom))
        levels = to_8_bits(samples, white)
        alpha = _opaque_unless(samples == key) if isinstance(key, int) else None
        return _grey(255 - levels if white_is_zero else levels), alpha

    note = f"{bits if bits > 8 else 16}-bit samples were rounded to 8 bits"
    return Unpacked(strip, has_alpha=isinstance(key, int), warnings=(note,))


def _floats(picture: Image.Image) -> Unpacked:
    def strip(top: int, bottom: int) -> Strip:
        samples = np.asarray(_rows(picture, top, bottom))
        # Put this way round, what is not a number is outside too.
        if not ((samples >= 0.0) & (samples <= 1.0)).all():
            raise ImageError("has floating-point samples outside 0..1; convert it to 8 or 16 bits first")
        return _grey((samples * 255.0 + 0.5).astype(np.uint8)), None

    return Unpacked(strip, warnings=("floating-point samples 0..1 were read as sRGB values",))


def _through_transform(picture: Image.Image, profile: bytes | None) -> Unpacked:
    """CMYK and L*a*b* pictures, which no codec here keeps: to sRGB at once."""
    transform: ImageCms.ImageCmsTransform | None = None
    warnings: tuple[str, ...] = ()
    if picture.mode == "LAB":
        transform = lab_transform()
    elif profile is None:
        warnings = ("CMYK without a colour profile was converted by the plain formula",)
    else:
        try:
            transform = srgb_transform(profile, "CMYK")
        except ImageError as trouble:
            warnings = (f"{trouble}; CMYK was converted by the plain formula",)

    def strip(top: int, bottom: int) -> Strip:
        rows = _rows(picture, top, bottom)
        return np.asarray(rows.convert("RGB") if transform is None else transform.apply(rows)), None

    return Unpacked(strip, warnings=warnings)


def _through_grey_profile(unpacked: Unpacked) -> Unpacked:
    """Apply a profile of a grey space at once: RGB pixels of any codec could not carry it."""
    profile = unpacked.icc_profile
    try:
        if profile is None or icc_colour_space(profile) != "GRAY":
            return unpacked
        table = grey_table(profile)[:, 0]
    except ImageError as trouble:
        return replace(unpacked, icc_profile=None, warnings=(*unpacked.warnings, f"{trouble}; read as sRGB"))

    def strip(top: int, bottom: int) -> Strip:
        pixels, alpha = unpacked.strip(top, bottom)
        return table[pixels[:, :, 0]], alpha

    return replace(unpacked, strip=strip, icc_profile=None)


def _grey(levels: NDArray[np.uint8]) -> Pixels:
    return np.broadcast_to(levels[:, :, None], (*levels.shape, 3))


def _opaque_unless(transparent: NDArray[np.bool_]) -> Alpha:
    return np.where(transparent, np.uint8(0), np.uint8(255))
