"""Reading an image file into a source: upright, 8 bits, in sRGB and in its own colours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sursmr_codec.errors import ImageError, SursmrError, UsageError
from sursmr_codec.images.alpha import REFUSE, AlphaPolicy, as_seen
from sursmr_codec.images.decoded import Decoded, Metadata, assemble, strip_rows
from sursmr_codec.images.files import one_line, read_bytes, shown
from sursmr_codec.images.formats import container, is_lossy
from sursmr_codec.images.gain_map import has_gain_map
from sursmr_codec.images.profiles import check_profile, is_srgb, to_srgb
from sursmr_codec.images.raster import decode_raster, pillow_limits
from sursmr_codec.types import Pixels, Source

MAX_PIXELS = 200_000_000

GainMapPolicy = Literal["refuse", "drop"]
_FLATTENED = "the gain map for high dynamic range was dropped, and the XMP that describes it"


@dataclass(frozen=True)
class Reading:
    """How pictures are read."""

    alpha: AlphaPolicy = REFUSE
    max_pixels: int = MAX_PIXELS
    """Pictures with more pixels than this are refused before they are decoded."""
    strip: bool = False
    """Leave EXIF, XMP, density and profile behind; wide-gamut pictures become sRGB."""
    gain_map: GainMapPolicy = "refuse"
    """Whether pictures with a gain map are refused, or read without it."""

    def __post_init__(self) -> None:
        if self.gain_map not in ("refuse", "drop"):
            raise UsageError(f"gain map must be refuse or drop, not {self.gain_map!r}")
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
    in every other case (sRGB, no profile, a broken one, grey, CMYK, L*a*b*) `icc_profile` is None and
    `native` is `rgb`, or what `rgb` was before it was laid on white, where alpha is kept. A JPEG with
    further pictures behind the first (MPO) has the format `jpeg`.

    `alpha` and `max_pixels` stand in for those fields of `reading`. Raises ImageError, in one line that says
    what is wrong, with which file, and what to do.
    """
    chosen = reading or Reading()
    chosen = replace(
        chosen,
        alpha=chosen.alpha if alpha is None else alpha,
        max_pixels=chosen.max_pixels if max_pixels is None else max_pixels,
    )
    return from_bytes(path, read_bytes(path, container), chosen)


def from_bytes(path: str | Path, encoded: bytes, reading: Reading) -> Source:
    """`read` for the bytes of a file that is at `path`, or has that address elsewhere."""
    try:
        return _source(str(path), encoded, reading)
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
    flat = has_gain_map(encoded, kind)
    if flat and reading.gain_map == "refuse":
        raise ImageError(
            "is a high dynamic range picture (gain map); convert it to sRGB first, or take its "
            "standard-range picture alone with --gain-map drop"
        )
    with pillow_limits(reading.max_pixels):
        decoded = _decode(encoded, kind, reading.max_pixels)
        assembled = assemble(decoded, reading.alpha)
    warnings = (*decoded.warnings, *assembled.warnings, *((_FLATTENED,) if flat else ()))
    kept = Metadata() if reading.strip else decoded.metadata(with_xmp=not flat)
    jpeg_quality, profile = decoded.jpeg_quality, decoded.icc_profile
    # The decoder's own copy of the pixels goes before the next one is made.
    del decoded
    straight, profile, notes = _to_srgb(assembled.pixels, profile)
    return Source(
        rgb=as_seen(straight, assembled.alpha),
        native=straight if reading.strip else assembled.pixels,
        icc_profile=None if reading.strip else profile,
        exif=kept.exif,
        xmp=kept.xmp,
        density=kept.density,
        alpha=assembled.alpha,
        path=path,
        encoded=encoded,
        sha256=hashlib.sha256(encoded).hexdigest(),
        format=kind,
        lossy=is_lossy(encoded, kind),
        jpeg_quality=jpeg_quality,
        stripped=reading.strip,
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
