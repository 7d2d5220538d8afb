"""JPEG files by jpegli, whose adaptive quantisation and own quality scale make it a codec of its own.

pyjpegli takes pixels and a quality and nothing else, always 4:2:0; density, EXIF, XMP and profile are put in
as segments afterwards. What it writes is an ordinary JPEG, decoded here by Pillow as every other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sursmr_codec.codecs._jpeg_segments import with_segments_of
from sursmr_codec.codecs._libjpeg import MOST_SIDE, save_jpeg, too_long
from sursmr_codec.codecs._still import decode_still
from sursmr_codec.codecs.base import Availability, Codec, Part
from sursmr_codec.errors import EncodeError
from sursmr_codec.types import Pixels, Source


class Jpegli(Codec):
    """JPEG by jpegli, 4:2:0; QP 1..100 is 101 - jpegli's quality.

    EXIF of more than 65533 bytes and XMP of more than 65504 do not fit a JPEG file and are left out.
    """

    id: ClassVar[str] = "jpegli"
    extension: ClassVar[str] = ".jpg"
    qp_range: ClassVar[range] = range(1, 101)
    wobble: ClassVar[float] = 0.01
    keeps: ClassVar[frozenset[Part]] = frozenset({"icc", "exif", "xmp", "density"})
    most_side: ClassVar[int | None] = MOST_SIDE

    def encode(self, source: Source, qp: int) -> bytes:
        """Compress `source.native`; raises EncodeError beyond 65500 pixels a side and where jpegli fails."""
        self.check_qp(qp)
        self.check_side(source)
        self.require()
        import pyjpegli

        pixels = source.native
        try:
            data = pyjpegli.encode(pixels.tobytes(), source.width, source.height, quality=_quality(qp))
        except (ValueError, RuntimeError) as trouble:
            raise EncodeError(f"jpegli failed: {trouble}") from trouble
        return with_segments_of(save_jpeg(source, pixels[:1, :1], _quality(qp)), bytes(data))

    def left_out(self, source: Source) -> tuple[str, ...]:
        """Blocks of metadata that are too long for a JPEG file."""
        return super().left_out(source) + too_long(source)

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode to sRGB through the embedded profile; a JPEG of any size but width x height is refused."""
        return decode_still("JPEG", data, width, height)

    def fingerprint(self) -> str:
        """pyjpegli, whose version stands for the jpegli inside."""
        return f"jpegli pyjpegli/{_version() or 'none'} 4:2:0"

    def native(self, qp: int) -> Mapping[str, object]:
        """jpegli's quality."""
        self.check_qp(qp)
        return {"quality": _quality(qp)}

    def availability(self) -> Availability:
        """Usable where pyjpegli is installed."""
        version = _version()
        if version is not None:
            return Availability(True, versions={"pyjpegli": version})
        return Availability(False, "pyjpegli is not installed", "pip install 'sursmr-qp[codecs]'")


def _quality(qp: int) -> int:
    return 101 - qp


def _version() -> str | None:
    try:
        import pyjpegli
    except ImportError:
        return None
    return str(pyjpegli.__version__)
