"""Saving JPEG files through Pillow, with what they hold beside pixels: density, EXIF, XMP and profile."""

from __future__ import annotations

import io

from PIL import Image, __version__, features

from sursmr_codec.errors import EncodeError
from sursmr_codec.images.colour import Chroma
from sursmr_codec.types import Pixels, Source

MOST_SIDE = 65500
"""JPEG_MAX_DIMENSION of libjpeg, in pixels a side."""
_EXIF_HEADER = b"Exif\x00\x00"
_MOST_EXIF_BYTES = 65533
"""Payload of one APP1 segment, header included."""
_MOST_XMP_BYTES = 65504
"""The same less the 29 bytes of XMP's own header."""
_MOST_DOTS = 65535
_SUBSAMPLING: dict[Chroma, str] = {"420": "4:2:0", "444": "4:4:4"}


def save_jpeg(
    source: Source,
    pixels: Pixels,
    quality: int,
    *,
    chroma: Chroma = "420",
    progressive: bool = False,
    optimize: bool = False,
) -> bytes:
    """A JPEG file of (H, W, 3) pixels with all that `source` has beside its own; raises EncodeError."""
    density = {} if source.density is None else {"dpi": tuple(_dots(one) for one in source.density)}
    file = io.BytesIO()
    try:
        Image.fromarray(pixels).save(
            file,
            "JPEG",
            quality=quality,
            icc_profile=source.icc_profile,
            exif=_exif(source),
            xmp=_xmp(source),
            subsampling=_SUBSAMPLING[chroma],
            optimize=optimize,
            progressive=progressive,
            **density,
        )
    except (OSError, ValueError) as trouble:
        raise EncodeError(f"jpeg cannot be written: {trouble}") from trouble
    return file.getvalue()


def too_long(source: Source) -> tuple[str, ...]:
    """A line for each block of `source` that does not fit one segment, and is left out."""
    return tuple(
        f"{name} of {len(block)} bytes does not fit a JPEG file and was left out"
        for name, block, kept in (("EXIF", source.exif, _exif(source)), ("XMP", source.xmp, _xmp(source)))
        if block and not kept
    )


def versions() -> dict[str, str]:
    """Versions of Pillow and its JPEG library."""
    turbo = features.version_feature("libjpeg_turbo")
    library = {"libjpeg-turbo": turbo} if turbo else {"libjpeg": features.version_codec("jpg") or "none"}
    return {"pillow": __version__} | library


def _exif(source: Source) -> bytes:
    exif = source.exif or b""
    if exif and not exif.startswith(_EXIF_HEADER):
        exif = _EXIF_HEADER + exif
    return exif if len(exif) <= _MOST_EXIF_BYTES else b""


def _xmp(source: Source) -> bytes:
    xmp = source.xmp or b""
    return xmp if len(xmp) <= _MOST_XMP_BYTES else b""


def _dots(density: float) -> int:
    return min(max(1, round(density)), _MOST_DOTS)
