"""Reading an image file into a source: upright, opaque, 8 bits, in sRGB and in its own colours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from sursmr_codec.errors import ImageError, SursmrError, UsageError
from sursmr_codec.images.alpha import REFUSE, AlphaPolicy
from sursmr_codec.images.decoded import Decoded, assemble, strip_rows
from sursmr_codec.images.files import one_line, read_bytes, shown
from sursmr_codec.images.formats import container
from sursmr_codec.images.profiles import check_profile, is_srgb, to_srgb
from sursmr_codec.images.raster import decode_raster, pillow_limits
from sursmr_codec.types import Pixels, Source

MAX_PIXELS = 200_000_000


@dataclass(frozen=True)
class Reading:
    """How pictures are read."""

    alpha: AlphaPolicy = REFUSE
    max_pixels: int = MAX_PIXELS
    """Pictures with more pixels than this are refused before they are decoded."""

    def __post_init__(self) -> None:
        if self.max_pixels < 1:
            raise UsageError(f"max pixels must be at least 1, not {self.max_pixels}")


def read(
    path: str | Path,
    reading: Reading | None = None,
    *,
    alpha: AlphaPolicy | None = None,
    max_pixels: int | None = None,
) -> Source:
    """Read an image file of any kind that `formats.READABLE` names.

    `native` and `icc_profile` are the file's own colours where an RGB profile other than sRGB is embedded;
    in every other case (sRGB, no profile, a broken one, grey, CMYK, L*a*b*) `native` is `rgb` and
    `icc_profile` is None. A JPEG with further pictures behind the first (MPO) has the format `jpeg`.

    `alpha` and `max_pixels` stand in for those fields of `reading`. Raises ImageError, in one line that says
    what is wrong, with which file, and what to do.
    """
    chosen = reading or Reading()
    chosen = replace(
        chosen,
        alpha=chosen.alpha if alpha is None else alpha,
        max_pixels=chosen.max_pixels if max_pixels is None else max_pixels,
    )
    encoded = read_bytes(path, container)
    try:
        return _source(str(path), encoded, chosen)
    except ImageError as trouble:
        raise ImageError(f"{shown(path)}: {trouble}") from trouble
    except SursmrError:
        raise
    except MemoryError as trouble:
        raise ImageError(f"{shown(path)}: does not fit in memory; give a smaller picture") from trouble
    except Exception as trouble:
        # Decoders meet broken files with errors of every kind, assertions and overflows among them.
        raise ImageError(
            f"{shown(path)}: is broken or cut off: {one_line(trouble)}; get a whole copy"
        ) from trouble


def _source(path: str, encoded: bytes, reading: Reading) -> Source:
    kind = container(encoded)
    with pillow_limits(reading.max_pixels):
        decoded = _decode(encoded, kind, reading.max_pixels)
        native, dropped = assemble(decoded, reading.alpha)
    warnings = (*decoded.warnings, *dropped)
    exif, jpeg_quality, profile = decoded.exif, decoded.jpeg_quality, decoded.icc_profile
    # The decoder's own copy of the pixels goes before the next one is made.
    del decoded
    rgb, profile, notes = _to_srgb(native, profile)
    return Source(
        rgb=rgb,
        native=native,
        icc_profile=profile,
        exif=exif,
        path=path,
        encoded=encoded,
        sha256=hashlib.sha256(encoded).hexdigest(),
        format=kind,
        jpeg_quality=jpeg_quality,
        warnings=(*warnings, *notes),
    )


def _decode(encoded: bytes, kind: str, max_pixels: int) -> Decoded:
    if kind != "heif":
        return decode_raster(encoded, kind, max_pixels)
    from sursmr_codec.images.heif import decode_heif

    return decode_heif(encoded, max_pixels)


def _to_srgb(native: Pixels, profile: bytes | None) -> tuple[Pixels, bytes | None, tuple[str, ...]]:
    """sRGB pixels, the profile where it has to be kept, and warnings."""
    if profile is None:
        return native, None, ()
    check_profile(profile)
    try:
        if is_srgb(profile):
            return native, None, ()
        return to_srgb(native, profile, strip_rows(native.shape[1])), profile, ()
    except ImageError as trouble:
        return native, None, (f"{trouble}; read as sRGB",)
