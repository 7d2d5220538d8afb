"""JPEG through Pillow's libjpeg-turbo: baseline, 4:2:0, IJG quality.

The distortion level is 101 - quality, as in KonJND-1k and MCL-JCI.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping

import numpy as np
import PIL
from PIL import Image, features

from sursmr_codec.codecs.base import Availability, Codec
from sursmr_codec.errors import DecodeError, EncodeError, ImageError
from sursmr_codec.images.colour import icc_to_srgb
from sursmr_codec.types import Pixels, Source

LARGEST_SIDE = 65500
"""Most pixels a side that libjpeg writes."""
LARGEST_EXIF = 65533 - 6
"""Most bytes of EXIF that one APP1 segment holds beside its `Exif` signature."""


class Jpeg(Codec):
    """Baseline JPEG (libjpeg-turbo), read by everything."""

    id = "jpeg"
    extension = ".jpg"
    qp_range = range(1, 101)
    keeps_icc = True

    def encode(self, source: Source, qp: int) -> bytes:
        """Encode in the source's own colours, its profile and EXIF inside; too long an EXIF is left out."""
        self.check_qp(qp)
        if max(source.width, source.height) > LARGEST_SIDE:
            raise EncodeError(
                f"jpeg holds at most {LARGEST_SIDE} pixels a side, not {source.width}x{source.height}"
            )
        exif = source.exif if source.exif and len(source.exif) <= LARGEST_EXIF else b""
        file = io.BytesIO()
        try:
            Image.fromarray(source.native).save(
                file,
                "JPEG",
                quality=101 - qp,
                subsampling="4:2:0",
                optimize=False,
                progressive=False,
                icc_profile=source.icc_profile,
                exif=exif,
            )
        except (OSError, ValueError) as error:
            raise EncodeError(f"jpeg failed at QP {qp}: {error}") from error
        return file.getvalue()

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        try:
            with warnings.catch_warnings():
                # Sizes are checked here, against what is asked for.
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                picture = Image.open(io.BytesIO(data), formats=["JPEG"])
                if picture.size[0] < width or picture.size[1] < height:
                    raise DecodeError(
                        f"the JPEG is {picture.size[0]}x{picture.size[1]}, not {width}x{height}"
                    )
                pixels = np.asarray(picture.convert("RGB"))[:height, :width]
            profile = picture.info.get("icc_profile")
            return icc_to_srgb(pixels, profile) if profile else np.ascontiguousarray(pixels)
        except DecodeError:
            raise
        except ImageError as error:
            raise DecodeError(f"not a usable JPEG: {error}") from error
        except Exception as error:
            # Pillow's plugins raise many types on damaged files: OSError, SyntaxError, struct.error, ...
            raise DecodeError(f"not a JPEG: {error}") from error

    def fingerprint(self) -> str:
        versions = " ".join(f"{name}={version}" for name, version in self._versions().items())
        return f"jpeg {versions} chroma=420 optimize=0 progressive=0"

    def native(self, qp: int) -> Mapping[str, object]:
        self.check_qp(qp)
        return {"quality": 101 - qp}

    def availability(self) -> Availability:
        if not features.check("jpg"):
            return Availability(
                False, "Pillow was built without JPEG", "pip install --force-reinstall pillow"
            )
        return Availability(True, versions=self._versions())

    @property
    def options(self) -> Mapping[str, object]:
        return {"chroma": "420"}

    def _versions(self) -> dict[str, str]:
        turbo = features.version_feature("libjpeg_turbo")
        return {
            "pillow": PIL.__version__,
            "libjpeg-turbo" if turbo else "libjpeg": str(turbo or features.version("jpg")),
        }
