"""JPEG through Pillow and libjpeg-turbo, at the distortion level 101 - quality.

The luma table is Annex K of ITU-T T.81 (1992) scaled by the IJG rule, as in the KonJND-1k and MCL-JCI
data sets, whose levels run the same way. The file keeps the source's own colour space, with its profile
and metadata embedded, so that the bytes that are scored are the bytes that are written. Rungs are baseline
files with the standard Huffman tables, which are quick to make; optimised and progressive files have the same
coefficients, so only the picked rung is written that way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from PIL import features

from sursmr_codec.codecs._cjpeg import cjpeg_availability, cjpeg_fingerprint, encode_jpeg
from sursmr_codec.codecs._libjpeg import MOST_SIDE, save_jpeg, too_long, versions
from sursmr_codec.codecs._still import decode_still
from sursmr_codec.codecs.base import Availability, Codec, Part, check_option
from sursmr_codec.errors import UsageError
from sursmr_codec.images.colour import Chroma
from sursmr_codec.types import Pixels, Source

_LEAST_PERCENT = 2.0
"""At quality 100 every step is 1, whatever the percentage."""
_CHROMAS: dict[Chroma, str] = {"420": "4:2:0", "444": "4:4:4"}


class Jpeg(Codec):
    """JPEG, baseline or progressive; QP 1..100 is 101 - quality.

    EXIF of more than 65533 bytes and XMP of more than 65504 do not fit a JPEG file and are left out.
    """

    id: ClassVar[str] = "jpeg"
    extension: ClassVar[str] = ".jpg"
    qp_range: ClassVar[range] = range(1, 101)
    wobble: ClassVar[float] = 0.01
    keeps: ClassVar[frozenset[Part]] = frozenset({"icc", "exif", "xmp", "density"})
    most_side: ClassVar[int | None] = MOST_SIDE

    def __init__(
        self,
        *,
        chroma: Chroma = "420",
        progressive: bool = False,
        optimize: bool = False,
        cjpeg: str | None = None,
    ) -> None:
        """`progressive` and `optimize` say how a picked rung is written.

        With `cjpeg`, the path of that program, it encodes in the place of Pillow's library, and takes none of
        the other options. Raises UsageError for that and for values that do not exist.
        """
        check_option(self.id, "chroma", chroma, _CHROMAS)
        check_option(self.id, "progressive", progressive, (False, True))
        check_option(self.id, "optimize", optimize, (False, True))
        if cjpeg is not None and (chroma != "420" or progressive or optimize):
            raise UsageError("jpeg takes no chroma, progressive or optimize together with cjpeg")
        self._chroma: Chroma = chroma
        self._progressive = progressive
        self._optimize = optimize
        self._cjpeg = cjpeg

    @property
    def options(self) -> Mapping[str, object]:
        """Chroma format, and how a picked rung is written; a cjpeg shows in the fingerprint."""
        return {"chroma": self._chroma, "progressive": self._progressive, "optimize": self._optimize}

    def encode(self, source: Source, qp: int) -> bytes:
        """Compress `source.native`; raises EncodeError beyond 65500 pixels a side."""
        self.check_qp(qp)
        self.check_side(source)
        if self._cjpeg is not None:
            header = save_jpeg(source, source.native[:1, :1], _quality(qp))
            return encode_jpeg(self._cjpeg, source.native, _quality(qp), like=header)
        return save_jpeg(source, source.native, _quality(qp), chroma=self._chroma)

    def finish(self, source: Source, qp: int, encoded: bytes) -> bytes:
        """The rung as a progressive or optimised file, where that was asked for and is no larger."""
        if not (self._progressive or self._optimize):
            return encoded
        finished = save_jpeg(
            source,
            source.native,
            _quality(qp),
            chroma=self._chroma,
            progressive=self._progressive,
            optimize=self._optimize,
        )
        return min(finished, encoded, key=len)

    def left_out(self, source: Source) -> tuple[str, ...]:
        """Blocks of metadata that are too long for a JPEG file."""
        return super().left_out(source) + too_long(source)

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode to sRGB through the embedded profile; a JPEG of any size but width x height is refused."""
        return decode_still("JPEG", data, width, height)

    def fingerprint(self) -> str:
        """Pillow, the JPEG library and the saving options; with cjpeg that program and its options."""
        chroma = _CHROMAS[self._chroma]
        if self._cjpeg is not None:
            return f"jpeg {cjpeg_fingerprint(self._cjpeg)} {chroma}"
        libraries = " ".join(f"{name}/{version}" for name, version in versions().items())
        return f"jpeg {libraries} {chroma} optimize={self._optimize:d} progressive={self._progressive:d}"

    def native(self, qp: int) -> Mapping[str, object]:
        """IJG quality."""
        self.check_qp(qp)
        return {"quality": _quality(qp)}

    def log_step(self, qp: int) -> float:
        """Of the percentage by which libjpeg scales its tables at that quality."""
        quality = _quality(qp)
        percent = 5000.0 / quality if quality < 50 else 200.0 - 2.0 * quality
        return math.log2(percent + _LEAST_PERCENT)

    def availability(self) -> Availability:
        """Usable where Pillow has its JPEG library, as all its wheels have; with cjpeg where that answers."""
        if not features.check("jpg"):
            return Availability(
                False,
                reason="Pillow was built without libjpeg",
                remedy="pip install --force-reinstall --only-binary :all: pillow",
                versions=versions(),
            )
        if self._cjpeg is not None:
            return cjpeg_availability(self._cjpeg)
        return Availability(True, versions=versions())


def _quality(qp: int) -> int:
    return 101 - qp
