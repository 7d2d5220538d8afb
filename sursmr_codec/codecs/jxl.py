"""Lossy JPEG XL through imagecodecs and libjxl, by its distance, with the library's own colour path (XYB).

QP follows the scale that libjxl itself puts on distances (`JxlEncoderDistanceFromQuality`): 100 - QP is the
quality of `cjxl`. imagecodecs passes no colour profile on, so pictures are written in sRGB; EXIF and XMP are
put in as boxes around what it makes. One thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from sursmr_codec.codecs._density import exif_of
from sursmr_codec.codecs._jxl import stated_size, with_metadata
from sursmr_codec.codecs._still import layers, seen
from sursmr_codec.codecs.base import Availability, Codec, Part, check_option
from sursmr_codec.errors import DecodeError, EncodeError
from sursmr_codec.types import Pixels, Source

_EFFORTS = range(1, 10)
_REMEDY = "pip install 'sursmr-qp[codecs]'"


class Jxl(Codec):
    """JPEG XL, lossy, 4:4:4; QP 1..95 is 100 - cjxl's quality, distances 0.19 to 19.7.

    At larger distances libjxl halves the picture first, and files grow again. Transparency is stored without
    loss.
    """

    id: ClassVar[str] = "jxl"
    extension: ClassVar[str] = ".jxl"
    qp_range: ClassVar[range] = range(1, 96)
    wobble: ClassVar[float] = 0.04
    keeps: ClassVar[frozenset[Part]] = frozenset({"exif", "xmp", "alpha"})

    def __init__(self, effort: int = 7) -> None:
        """`effort` 1..9 is libjxl's: more of it takes longer; UsageError for any other."""
        check_option(self.id, "effort", effort, _EFFORTS)
        self._effort = effort

    @property
    def options(self) -> Mapping[str, object]:
        """libjxl's effort."""
        return {"effort": self._effort}

    def encode(self, source: Source, qp: int) -> bytes:
        """Compress to a JPEG XL file; raises UnavailableError without libjxl, EncodeError where it fails."""
        self.check_qp(qp)
        self.require()
        import imagecodecs

        try:
            codestream = imagecodecs.jpegxl_encode(
                np.ascontiguousarray(layers(source, keeps_icc=False)),
                distance=_distance(qp),
                effort=self._effort,
                usecontainer=False,
                numthreads=1,
            )
        except (imagecodecs.JpegxlError, ValueError, MemoryError) as trouble:
            raise EncodeError(f"jxl cannot be written: {trouble}") from trouble
        return with_metadata(bytes(codestream), exif_of(source), source.xmp)

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode to sRGB; a file of any size but width x height is refused, and one of several frames."""
        size = stated_size(data)
        if size != (width, height):
            raise DecodeError(f"a JPEG XL picture of {size[0]}x{size[1]}, not of {width}x{height}")
        self.require()
        import imagecodecs

        try:
            stored = np.asarray(imagecodecs.jpegxl_decode(data, numthreads=1))
        # Broken files raise errors of libjxl, of its binding and of the arrays it fills.
        except Exception as trouble:
            raise DecodeError(f"not a JPEG XL picture that can be decoded: {trouble}") from trouble
        if stored.shape not in ((height, width, 3), (height, width, 4)) or stored.dtype != np.uint8:
            raise DecodeError(f"a JPEG XL picture of shape {stored.shape} and type {stored.dtype}")
        return seen(stored, None)

    def fingerprint(self) -> str:
        """imagecodecs, libjxl and the effort."""
        versions = " ".join(f"{name}/{version}" for name, version in _versions().items())
        return f"jxl {versions} effort={self._effort} 8bit threads=1"

    def native(self, qp: int) -> Mapping[str, object]:
        """libjxl's distance."""
        self.check_qp(qp)
        return {"distance": _distance(qp)}

    def availability(self) -> Availability:
        """Usable where imagecodecs is installed and has libjxl, as its wheels have."""
        versions = _versions()
        if not versions:
            return Availability(False, "imagecodecs is not installed", _REMEDY)
        if versions["libjxl"] == "none":
            return Availability(False, "imagecodecs was built without libjxl", _REMEDY, versions)
        return Availability(True, versions=versions)


def _distance(qp: int) -> float:
    quality = 100 - qp
    if quality >= 30:
        return round(0.1 + 0.09 * qp, 2)
    return round(53 / 3000 * quality**2 - 23 / 20 * quality + 25, 4)


def _versions() -> dict[str, str]:
    try:
        import imagecodecs
    except ImportError:
        return {}
    library = imagecodecs.jpegxl_version().split()[-1] if imagecodecs.JPEGXL.available else "none"
    return {"imagecodecs": imagecodecs.__version__, "libjxl": library}
