"""Baseline JPEG through Pillow and libjpeg-turbo, at the distortion level 101 - quality.

The luma table is Annex K of ITU-T T.81 (1992) scaled by the IJG rule, as in the KonJND-1k and MCL-JCI
data sets, whose levels run the same way. The file keeps the source's own colour space, with its profile
and EXIF block embedded, so that the bytes that are scored are the bytes that are written.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from PIL import Image, JpegImagePlugin, __version__, features

from sursmr_codec.codecs._cjpeg import cjpeg_availability, cjpeg_fingerprint, encode_jpeg
from sursmr_codec.codecs.base import Availability, Codec
from sursmr_codec.errors import DecodeError, EncodeError, ImageError
from sursmr_codec.images.colour import icc_to_srgb
from sursmr_codec.types import Pixels, Source

_MOST_PIXELS_A_SIDE = 65500
"""JPEG_MAX_DIMENSION of libjpeg."""
_EXIF_HEADER = b"Exif\x00\x00"
_MOST_EXIF_BYTES = 65533
"""Payload of one APP1 segment, header included."""
_SAVING = {"subsampling": "4:2:0", "optimize": False, "progressive": False}


class Jpeg(Codec):
    """JPEG, 4:2:0, baseline; QP 1..100 is 101 - quality.

    An EXIF block of more than 65533 bytes does not fit a JPEG file and is left out.
    """

    id: ClassVar[str] = "jpeg"
    extension: ClassVar[str] = ".jpg"
    qp_range: ClassVar[range] = range(1, 101)
    wobble: ClassVar[float] = 0.01
    keeps_icc: ClassVar[bool] = True

    def __init__(self, *, cjpeg: str | None = None) -> None:
        """With `cjpeg`, the path of that program, it encodes in the place of Pillow's library."""
        self._cjpeg = cjpeg

    def encode(self, source: Source, qp: int) -> bytes:
        """Compress `source.native`; raises EncodeError beyond 65500 pixels a side."""
        self.check_qp(qp)
        if max(source.width, source.height) > _MOST_PIXELS_A_SIDE:
            raise EncodeError(
                f"jpeg holds at most {_MOST_PIXELS_A_SIDE} pixels a side, not {source.width}x{source.height}"
            )
        if self._cjpeg is not None:
            header = _save(source, source.native[:1, :1], qp)
            return encode_jpeg(self._cjpeg, source.native, _quality(qp), like=header)
        return _save(source, source.native, qp)

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode to sRGB through the embedded profile; a JPEG of any size but width x height is refused."""
        try:
            # Image.open would also try other formats, and warn of sizes that are checked here anyway.
            with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
                if image.size != (width, height):
                    raise DecodeError(f"a JPEG of {image.width}x{image.height}, not of {width}x{height}")
                if image.mode not in ("RGB", "L"):
                    raise DecodeError(f"a JPEG of {image.mode} pixels, not of RGB or grey ones")
                profile = image.info.get("icc_profile")
                pixels = np.asarray(image.convert("RGB"), dtype=np.uint8)
            return icc_to_srgb(pixels, profile) if profile else pixels
        except DecodeError:
            raise
        except ImageError as trouble:
            raise DecodeError(f"not a usable JPEG: {trouble}") from trouble
        # Pillow's header parsers raise whatever broken bytes lead to, SyntaxError and struct.error among it.
        except Exception as trouble:
            raise DecodeError(f"not a JPEG that can be decoded: {trouble}") from trouble

    def fingerprint(self) -> str:
        """Pillow, the JPEG library and the saving options; with cjpeg that program and its options."""
        if self._cjpeg is not None:
            return f"jpeg {cjpeg_fingerprint(self._cjpeg)} 4:2:0"
        versions = " ".join(f"{name}/{version}" for name, version in _versions().items())
        return f"jpeg {versions} 4:2:0 optimize=0 progressive=0"

    def native(self, qp: int) -> Mapping[str, object]:
        """IJG quality."""
        self.check_qp(qp)
        return {"quality": _quality(qp)}

    def availability(self) -> Availability:
        """Usable where Pillow has its JPEG library, as all its wheels have; with cjpeg where that answers."""
        if self._cjpeg is not None and features.check("jpg"):
            return cjpeg_availability(self._cjpeg)
        if features.check("jpg"):
            return Availability(True, versions=_versions())
        return Availability(
            False,
            reason="Pillow was built without libjpeg",
            remedy="pip install --force-reinstall --only-binary :all: pillow",
            versions=_versions(),
        )


def _save(source: Source, pixels: Pixels, qp: int) -> bytes:
    file = io.BytesIO()
    try:
        Image.fromarray(pixels).save(
            file,
            "JPEG",
            quality=_quality(qp),
            icc_profile=source.icc_profile,
            exif=_exif(source),
            **_SAVING,
        )
    except (OSError, ValueError) as trouble:
        raise EncodeError(f"jpeg cannot be written: {trouble}") from trouble
    return file.getvalue()


def _quality(qp: int) -> int:
    return 101 - qp


def _exif(source: Source) -> bytes:
    exif = source.exif or b""
    if exif and not exif.startswith(_EXIF_HEADER):
        exif = _EXIF_HEADER + exif
    return exif if len(exif) <= _MOST_EXIF_BYTES else b""


def _versions() -> dict[str, str]:
    turbo = features.version_feature("libjpeg_turbo")
    library = {"libjpeg-turbo": turbo} if turbo else {"libjpeg": features.version_codec("jpg") or "none"}
    return {"pillow": __version__} | library
