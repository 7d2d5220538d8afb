"""What a file's colour statements mean: profiles to keep, to apply at once, to ignore or to refuse."""

from __future__ import annotations

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from sursmr_codec.errors import ImageError
from sursmr_codec.images.colour import icc_to_srgb
from sursmr_codec.types import Pixels

HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
"""Transfer functions of ITU-T H.273 that tell high dynamic range."""
_WIDE_PRIMARIES = {9: "BT.2020", 10: "XYZ", 11: "DCI-P3", 12: "Display P3"}
_SRGB_TOLERANCE = 2
_STEPS = 17


def check_coding(primaries: int | None, transfer: int | None) -> str | None:
    """A warning for code points (ITU-T H.273) that are not honoured, None where sRGB fits.

    Raises ImageError for high dynamic range.
    """
    if transfer in HDR_TRANSFERS:
        raise ImageError(
            f"is a high dynamic range picture ({HDR_TRANSFERS[transfer]}); convert it to sRGB at 8 bits first"
        )
    if primaries in _WIDE_PRIMARIES:
        return f"colour primaries {_WIDE_PRIMARIES[primaries]} without an ICC profile were read as sRGB"
    return None


def check_profile(profile: bytes) -> None:
    """Raise ImageError where a profile's `cicp` tag tells high dynamic range (ICC.1:2022, section 9.2.17)."""
    try:
        (n_tags,) = struct.unpack_from(">I", profile, 128)
        for index in range(min(n_tags, 1000)):
            name, offset, _ = struct.unpack_from(">4sII", profile, 132 + 12 * index)
            if name == b"cicp":
                check_coding(None, struct.unpack_from("B", profile, offset + 9)[0])
    except struct.error:
        return


def is_srgb(profile: bytes) -> bool:
    """Whether an RGB profile changes no colour by more than 2 of 255 levels on its way to sRGB.

    Raises ImageError where the profile is broken or not of an RGB space.
    """
    steps = np.linspace(0, 255, _STEPS).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(_STEPS, -1, 3)
    moved = np.abs(icc_to_srgb(cube, profile).astype(np.int16) - cube)
    return int(moved.max()) <= _SRGB_TOLERANCE


def grey_table(profile: bytes) -> Pixels:
    """(256, 1, 3) uint8: the sRGB colour of every level of a grey profile; raises ImageError if broken."""
    levels = Image.fromarray(np.arange(256, dtype=np.uint8)[:, None])
    return np.array(srgb_transform(profile, "L").apply(levels))


def srgb_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    """Transform from pixels of a Pillow mode (`L`, `CMYK`) to sRGB, relative colorimetric with black point.

    Raises ImageError where the profile is broken or not of that space.
    """
    try:
        return _transform(ImageCms.ImageCmsProfile(io.BytesIO(profile)), mode)
    except (ImageCms.PyCMSError, OSError, ValueError) as trouble:
        raise ImageError(f"broken colour profile: {trouble}") from trouble


def lab_transform() -> ImageCms.ImageCmsTransform:
    """Transform from CIE L*a*b* (D50) pixels of Pillow's mode `LAB` to sRGB."""
    return _transform(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB")


def _transform(profile: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def to_srgb(pixels: Pixels, profile: bytes, n_rows: int) -> Pixels:
    """(H, W, 3) uint8 of an RGB profile to sRGB, `n_rows` at a time to spare memory; as `icc_to_srgb`."""
    converted: NDArray[np.uint8] = np.empty_like(pixels)
    for top in range(0, len(pixels), n_rows):
        converted[top : top + n_rows] = icc_to_srgb(pixels[top : top + n_rows], profile)
    return converted
