"""The one way between RGB and YCbCr planes, and from a file's own colour space to sRGB.

YCbCr is BT.601 full range (ITU-T T.871, section 7; ITU-R BT.601-7), chroma of 4:2:0 pictures sits in the
centre of each 2x2 block. Codecs that are fed planes use nothing else, because resampling of chroma moves
quality more than the choice of encoder does.
"""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from sursmr_codec.errors import ImageError
from sursmr_codec.types import Pixels

_ICC_HEADER_BYTES = 128


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
