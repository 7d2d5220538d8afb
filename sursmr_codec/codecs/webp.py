"""Lossy WebP through Pillow and libwebp, with the library's own colour path (BT.601, 4:2:0)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import ClassVar

from PIL import Image, __version__, features

from sursmr_codec.codecs._density import exif_of
from sursmr_codec.codecs._still import decode_still, layers
from sursmr_codec.codecs.base import Availability, Codec, Part, check_option
from sursmr_codec.errors import EncodeError
from sursmr_codec.types import Pixels, Source

_EFFORTS = range(7)


class Webp(Codec):
    """WebP, lossy, 4:2:0; QP 0..100 is 100 - quality.

    Transparency is stored without loss.
    """

    id: ClassVar[str] = "webp"
    extension: ClassVar[str] = ".webp"
    qp_range: ClassVar[range] = range(101)
    wobble: ClassVar[float] = 0.03
    keeps: ClassVar[frozenset[Part]] = frozenset({"icc", "exif", "xmp", "alpha"})
    most_side: ClassVar[int | None] = 16383
    """WEBP_MAX_DIMENSION of libwebp."""

    def __init__(self, effort: int = 4) -> None:
        """`effort` 0..6 is libwebp's method: more of it takes longer; UsageError for any other."""
        check_option(self.id, "effort", effort, _EFFORTS)
        self._effort = effort

    @property
    def options(self) -> Mapping[str, object]:
        """libwebp's method."""
        return {"effort": self._effort}

    def encode(self, source: Source, qp: int) -> bytes:
        """Compress to a WebP file; raises EncodeError beyond 16383 pixels a side."""
        self.check_qp(qp)
        self.require()
        self.check_side(source)
        file = io.BytesIO()
        try:
            Image.fromarray(layers(source, keeps_icc=True)).save(
                file,
                "WEBP",
                quality=_quality(qp),
                method=self._effort,
                icc_profile=source.icc_profile,
                exif=exif_of(source) or b"",
                xmp=source.xmp or b"",
            )
        except (OSError, ValueError) as trouble:
            raise EncodeError(f"webp cannot be written: {trouble}") from trouble
        return file.getvalue()

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode to sRGB through the embedded profile; a WebP of any size but width x height is refused."""
        return decode_still("WebP", data, width, height)

    def fingerprint(self) -> str:
        """Pillow, libwebp and the saving options."""
        versions = " ".join(f"{name}/{version}" for name, version in _versions().items())
        return f"webp {versions} effort={self._effort} 4:2:0"

    def native(self, qp: int) -> Mapping[str, object]:
        """libwebp's quality."""
        self.check_qp(qp)
        return {"quality": _quality(qp)}

    def availability(self) -> Availability:
        """Usable wherever Pillow has libwebp, as all its wheels have."""
        if features.check("webp"):
            return Availability(True, versions=_versions())
        return Availability(
            False,
            reason="Pillow was built without libwebp",
            remedy="pip install --force-reinstall --only-binary :all: pillow",
            versions=_versions(),
        )


def _quality(qp: int) -> int:
    return 100 - qp


def _versions() -> dict[str, str]:
    library = features.version_module("webp") if features.check("webp") else None
    return {"pillow": __version__, "libwebp": library or "none"}
