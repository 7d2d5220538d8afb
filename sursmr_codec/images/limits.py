"""The largest picture that is decoded, checked before memory is spent on pixels."""

from __future__ import annotations

from sursmr_codec.errors import ImageError


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Raise ImageError where a picture of that size is not to be decoded."""
    if width < 1 or height < 1:
        raise ImageError(f"has no pixels ({width}x{height}); the file is broken")
    if width * height > max_pixels:
        raise too_many_pixels(f"{width}x{height} = {width * height:,}", max_pixels)


def too_many_pixels(found: str, max_pixels: int) -> ImageError:
    """The error for a picture of `found` pixels."""
    return ImageError(f"has {found} pixels, the limit is {max_pixels:,}; raise it with --max-pixels")
