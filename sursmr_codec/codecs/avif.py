"""AVIF through Pillow, libavif and libaom at a fixed quantiser, with libavif's own colour path (BT.601).

Pillow's plain quality repeats sizes, so libaom is told its level directly (`end-usage=q`, `cq-level`),
without block-level changes of it. One thread: the number of them changes bytes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import ClassVar

from PIL import Image, __version__, features

from sursmr_codec.codecs._density import exif_of
from sursmr_codec.codecs._still import decode_still, layers
from sursmr_codec.codecs.base import Availability, Codec, Part, check_option
from sursmr_codec.errors import EncodeError
from sursmr_codec.images.colour import Chroma
from sursmr_codec.types import Pixels, Source

_SPEEDS = range(11)
_CHROMAS: dict[Chroma, str] = {"420": "4:2:0", "444": "4:4:4"}
_FIXED = {"end-usage": "q", "tune": "psnr", "deltaq-mode": "0", "enable-qm": "0"}


class Avif(Codec):
    """AVIF, 8 bit; QP 0..63 is libaom's cq-level.

    Transparency is compressed at the same level as the colours.
    """

    id: ClassVar[str] = "avif"
    extension: ClassVar[str] = ".avif"
    qp_range: ClassVar[range] = range(64)
    wobble: ClassVar[float] = 0.01
    keeps: ClassVar[frozenset[Part]] = frozenset({"icc", "exif", "xmp", "alpha"})
    most_side: ClassVar[int | None] = 65536
    """Largest picture that AV1 can state (AV1 bitstream specification, section 5.5.1)."""

    def __init__(self, speed: int = 6, *, chroma: Chroma = "420") -> None:
        """`speed` 0..10 is libaom's: more of it compresses less; UsageError for any other value."""
        check_option(self.id, "speed", speed, _SPEEDS)
        check_option(self.id, "chroma", chroma, _CHROMAS)
        self._speed = speed
        self._chroma = chroma

    @property
    def options(self) -> Mapping[str, object]:
        """libaom's speed and the chroma format."""
        return {"speed": self._speed, "chroma": self._chroma}

    def encode(self, source: Source, qp: int) -> bytes:
        """Compress to an AVIF file; raises EncodeError beyond 65536 pixels a side and where libaom fails."""
        self.check_qp(qp)
        self.require()
        self.check_side(source)
        file = io.BytesIO()
        try:
            Image.fromarray(layers(source, keeps_icc=True)).save(
                file,
                "AVIF",
                codec="aom",
                quality=50,
                speed=self._speed,
                subsampling=_CHROMAS[self._chroma],
                range="full",
                max_threads=1,
                autotiling=False,
                advanced={**_FIXED, "cq-level": str(qp)},
                icc_profile=source.icc_profile,
                exif=exif_of(source) or b"",
                xmp=source.xmp or b"",
            )
        except (OSError, ValueError, RuntimeError, MemoryError) as trouble:
            raise EncodeError(f"avif cannot be written: {trouble}") from trouble
        return file.getvalue()

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode to sRGB through the embedded profile; an AVIF of any size but width x height is refused."""
        return decode_still("AVIF", data, width, height)

    def fingerprint(self) -> str:
        """Pillow, libavif, its encoder and decoder, and the options that are passed to them."""
        versions = " ".join(f"{name}/{version}" for name, version in _versions().items())
        fixed = ":".join(f"{name}={value}" for name, value in _FIXED.items())
        return f"avif {versions} speed={self._speed} {_CHROMAS[self._chroma]} 8bit full threads=1 {fixed}"

    def native(self, qp: int) -> Mapping[str, object]:
        """libaom's constant-quality level."""
        self.check_qp(qp)
        return {"cq_level": qp}

    def availability(self) -> Availability:
        """Usable where Pillow has libavif with libaom, as its wheels have."""
        versions = _versions()
        if "none" not in versions.values():
            return Availability(True, versions=versions)
        return Availability(
            False,
            reason="Pillow was built without libavif, or that without libaom",
            remedy="pip install --force-reinstall --only-binary :all: 'pillow>=11.3'",
            versions=versions,
        )


def _versions() -> dict[str, str]:
    library = features.version_module("avif") if features.check("avif") else None
    found = {"pillow": __version__, "libavif": library or "none", "aom": "none"}
    if library is not None:
        from PIL.AvifImagePlugin import get_codec_version

        found["aom"] = get_codec_version("aom") or "none"
        if decoder := get_codec_version("dav1d"):
            found["dav1d"] = decoder
    return found
