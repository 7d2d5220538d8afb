"""Pictures in containers that Pillow reads: what is fed to their encoders, and how they are decoded."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from PIL import AvifImagePlugin, Image, JpegImagePlugin, WebPImagePlugin

from sursmr_codec.errors import DecodeError, ImageError
from sursmr_codec.images.alpha import as_seen
from sursmr_codec.images.decoded import strip_rows
from sursmr_codec.images.profiles import to_srgb
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
        straight = to_srgb(straight, source.icc_profile, strip_rows(source.width))
    return np.dstack([straight, source.alpha])


def seen(stored: Pixels, profile: bytes | None) -> Pixels:
    """(H, W, 3) sRGB that a viewer sees of stored (H, W, 3) or (H, W, 4) pixels and their profile."""
    colours = np.ascontiguousarray(stored[:, :, :3])
    if profile:
        colours = to_srgb(colours, profile, strip_rows(colours.shape[1]))
    return as_seen(colours, stored[:, :, 3] if stored.shape[2] == 4 else None)


def decode_still(kind: Kind, data: bytes, width: int, height: int) -> Pixels:
    """Decode a file to sRGB through its profile, transparency laid on white.

    Raises DecodeError for anything but one picture of that container, of exactly width x height.
    """
    try:
        # Pillow's own copy of the pixels goes when this returns.
        stored, profile = _stored(kind, data, width, height)
        return seen(stored, profile)
    except DecodeError:
        raise
    except ImageError as trouble:
        raise DecodeError(f"not a usable {kind}: {trouble}") from trouble
    # Pillow's header parsers raise whatever broken bytes lead to, SyntaxError and struct.error among it.
    except Exception as trouble:
        raise DecodeError(f"not a {kind} that can be decoded: {trouble}") from trouble


def _stored(kind: Kind, data: bytes, width: int, height: int) -> tuple[Pixels, bytes | None]:
    """(H, W, 3) or (H, W, 4) as the file has them, and its profile."""
    with _OPENERS[kind](io.BytesIO(data)) as image:
        if image.size != (width, height):
            raise DecodeError(f"a {kind} of {image.width}x{image.height}, not of {width}x{height}")
        if getattr(image, "n_frames", 1) != 1:
            raise DecodeError(f"a {kind} of several pictures")
        if image.mode not in (*_OPAQUE, *_TRANSPARENT):
            raise DecodeError(f"a {kind} of {image.mode} pixels, not of RGB or grey ones")
        return _pixels(image), image.info.get("icc_profile")


def _pixels(image: Image.Image) -> Pixels:
    """(H, W, 3) or, with transparency, (H, W, 4); by rows, as Pillow copies all that it hands over."""
    mode = "RGBA" if image.mode in _TRANSPARENT else "RGB"
    image.load()
    pixels: Pixels = np.empty((image.height, image.width, len(mode)), dtype=np.uint8)
    n_rows = strip_rows(image.width)
    for top in range(0, image.height, n_rows):
        bottom = min(top + n_rows, image.height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)).convert(mode))
    return pixels
