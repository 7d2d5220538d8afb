"""Pictures in containers that Pillow reads: what is fed to their encoders, and how they are decoded."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from PIL import AvifImagePlugin, Image, JpegImagePlugin, WebPImagePlugin

from sursmr_codec.errors import DecodeError, ImageError
from sursmr_codec.images.alpha import as_seen
from sursmr_codec.images.colour import icc_to_srgb
from sursmr_codec.types import Pixels, Source

Kind = Literal["JPEG", "WebP", "AVIF"]

# Image.open would also try other formats, and warn of sizes that are checked here anyway.
_OPENERS: dict[Kind, Callable[[io.BytesIO], Any]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}
_OPAQUE, _TRANSPARENT = ("RGB", "L"), ("RGBA", "LA")


def layers(source: Source, *, keeps_icc: bool) -> Pixels:
    """(H, W, 3) or, with transparency, (H, W, 4): the source's own colours, or sRGB without `keeps_icc`."""
    if source.alpha is None:
        return source.native if keeps_icc else source.rgb
    straight = source.native
    if source.icc_profile is not None and not keeps_icc:
        straight = icc_to_srgb(straight, source.icc_profile)
    return np.dstack([straight, source.alpha])


def seen(stored: Pixels, profile: bytes | None) -> Pixels:
    """(H, W, 3) sRGB that a viewer sees of stored (H, W, 3) or (H, W, 4) pixels and their profile."""
    colours = np.ascontiguousarray(stored[:, :, :3])
    if profile:
        colours = icc_to_srgb(colours, profile)
    return as_seen(colours, stored[:, :, 3] if stored.shape[2] == 4 else None)


def decode_still(kind: Kind, data: bytes, width: int, height: int) -> Pixels:
    """Decode a file to sRGB through its profile, transparency laid on white.

    Raises DecodeError for anything but one picture of that container, of exactly width x height.
    """
    try:
        with _OPENERS[kind](io.BytesIO(data)) as image:
            if image.size != (width, height):
                raise DecodeError(f"a {kind} of {image.width}x{image.height}, not of {width}x{height}")
            if getattr(image, "n_frames", 1) != 1:
                raise DecodeError(f"a {kind} of several pictures")
            if image.mode not in (*_OPAQUE, *_TRANSPARENT):
                raise DecodeError(f"a {kind} of {image.mode} pixels, not of RGB or grey ones")
            profile = image.info.get("icc_profile")
            stored = np.asarray(_converted(image), dtype=np.uint8)
        return seen(stored, profile)
    except DecodeError:
        raise
    except ImageError as trouble:
        raise DecodeError(f"not a usable {kind}: {trouble}") from trouble
    # Pillow's header parsers raise whatever broken bytes lead to, SyntaxError and struct.error among it.
    except Exception as trouble:
        raise DecodeError(f"not a {kind} that can be decoded: {trouble}") from trouble


def _converted(image: Image.Image) -> Image.Image:
    return image.convert("RGBA" if image.mode in _TRANSPARENT else "RGB")
