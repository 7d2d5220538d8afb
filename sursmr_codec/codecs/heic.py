"""HEIC: HEVC intra pictures by the x265 inside libheif, through pillow-heif, with libheif's colour path.

Constant QP without the offset that x265 gives intra frames, no adaptive quantisation, one thread, no
wavefronts. The QP of the written slice is read back from the file after each encode.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from sursmr_codec.codecs._bitstream import read_intra_picture
from sursmr_codec.codecs._density import exif_of
from sursmr_codec.codecs._heic import primary_stream
from sursmr_codec.codecs._still import layers, seen
from sursmr_codec.codecs.base import Availability, Codec, Part, check_option
from sursmr_codec.codecs.hevc import BIT_DEPTHS, CHROMAS, PRESETS
from sursmr_codec.errors import DecodeError, EncodeError, FileTooLarge, SursmrError, UnavailableError
from sursmr_codec.images.alpha import KEEP
from sursmr_codec.images.colour import Chroma
from sursmr_codec.images.decoded import assemble
from sursmr_codec.images.heif import decode_heif
from sursmr_codec.types import Pixels, Source

_REMEDY = "pip install --upgrade 'pillow-heif>=1.0'"
_FIXED = {"ipratio": "1.0", "aq-mode": "0", "pools": "none", "wpp": "0", "frame-threads": "1"}
"""Parameters of x265."""
_ANY_SIZE = {"allow-non-conformance": "1"}
"""Changes no bytes: without it x265 refuses pictures too large, or too long and thin, for any level."""
_MOST_CODED_BYTES = 1 << 24
"""libde265, with which libheif decodes, refuses larger units, and a picture is one unit here."""


class Heic(Codec):
    """HEIC; QP 0..51 is the slice QP.

    Transparency is compressed at the same QP as the colours.
    """

    id: ClassVar[str] = "heic"
    extension: ClassVar[str] = ".heic"
    qp_range: ClassVar[range] = range(52)
    wobble: ClassVar[float] = 0.01
    keeps: ClassVar[frozenset[Part]] = frozenset({"icc", "exif", "xmp", "alpha"})

    def __init__(self, preset: str = "medium", *, chroma: Chroma = "420", bit_depth: int = 8) -> None:
        """`preset` is one of x265's but placebo; raises UsageError for values that do not exist."""
        check_option(self.id, "preset", preset, PRESETS)
        check_option(self.id, "chroma", chroma, CHROMAS)
        check_option(self.id, "bit_depth", bit_depth, BIT_DEPTHS)
        self._preset = preset
        self._chroma: Chroma = chroma
        self._bit_depth = bit_depth

    @property
    def options(self) -> Mapping[str, object]:
        """The x265 preset, the chroma format and the bits a sample."""
        return {"preset": self._preset, "chroma": self._chroma, "bit_depth": self._bit_depth}

    def encode(self, source: Source, qp: int) -> bytes:
        """Compress to a HEIC file.

        Raises UnavailableError without x265, EncodeError where it fails or the slice has another QP, and
        FileTooLarge where libheif could not read the file back.
        """
        self.check_qp(qp)
        self.require()
        stored = layers(source, keeps_icc=True)
        mode = "RGB" if stored.shape[2] == 3 else "RGBA"
        if self._bit_depth > 8:
            # libheif takes deep pictures as 16 bits, and keeps the upper ones.
            mode, stored = f"{mode};16", stored.astype(np.uint16) * np.uint16(257)
        data = self._save(source, mode, stored.tobytes(), qp)
        try:
            stream = primary_stream(data)
            written = read_intra_picture(stream)
        except DecodeError as trouble:
            raise EncodeError(f"libheif wrote a file that cannot be read back: {trouble}") from trouble
        if len(stream) > _MOST_CODED_BYTES:
            raise FileTooLarge(
                f"heic: {source.width}x{source.height} at QP {qp} takes {len(stream):,} bytes, of which "
                f"libheif reads at most {_MOST_CODED_BYTES:,} back; take a higher QP, or another codec"
            )
        if written.qp != qp or written.picture.varies_qp:
            raise EncodeError(f"libheif's x265 wrote slice QP {written.qp}, not {qp}")
        return data

    def _save(self, source: Source, mode: str, raw: bytes, qp: int) -> bytes:
        import pillow_heif

        parameters = {f"x265:{name}": value for name, value in (_FIXED | _ANY_SIZE).items()}
        optional: dict[str, Any] = {"exif": exif_of(source), "xmp": source.xmp}
        if source.icc_profile is not None:
            optional["icc_profile"] = source.icc_profile
        file = io.BytesIO()
        try:
            picture = pillow_heif.from_bytes(mode, (source.width, source.height), raw)
            picture.save(
                file,
                quality=50,
                chroma=self._chroma,
                tile_size=0,
                enc_params={"x265:qp": str(qp), "preset": self._preset, **parameters},
                **optional,
            )
        # pillow-heif documents these four, and MemoryError for what does not fit.
        except (ValueError, RuntimeError, OSError, SyntaxError, MemoryError) as trouble:
            size = f"{source.width}x{source.height}"
            raise EncodeError(f"libheif failed on a picture of {size}: {trouble}") from trouble
        return file.getvalue()

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode to sRGB through the embedded profile; a HEIC of any size but width x height is refused."""
        try:
            decoded = decode_heif(data, max(1, width) * max(1, height))
            if (decoded.width, decoded.height) != (width, height):
                raise DecodeError(f"a HEIC of {decoded.width}x{decoded.height}, not of {width}x{height}")
            whole = assemble(decoded, KEEP)
            stored = whole.pixels if whole.alpha is None else np.dstack([whole.pixels, whole.alpha])
            return seen(stored, decoded.icc_profile)
        except (DecodeError, UnavailableError):
            raise
        except SursmrError as trouble:
            raise DecodeError(f"not a usable HEIC: {trouble}") from trouble
        # Broken files raise errors of libheif, of its binding and of the arrays it fills.
        except Exception as trouble:
            raise DecodeError(f"not a HEIC that can be decoded: {trouble}") from trouble

    def fingerprint(self) -> str:
        """pillow-heif, libheif, x265, preset, chroma format, bit depth and the parameters that are passed."""
        versions = " ".join(f"{name}/{version}" for name, version in _versions().items())
        fixed = ":".join(f"{name}={value}" for name, value in _FIXED.items())
        chroma = CHROMAS[self._chroma]
        return f"heic {versions} preset={self._preset} {chroma} {self._bit_depth}bit {fixed}"

    def native(self, qp: int) -> Mapping[str, object]:
        """The QP itself."""
        self.check_qp(qp)
        return {"qp": qp}

    def availability(self) -> Availability:
        """Usable where pillow-heif is installed and its libheif has x265 and an HEVC decoder."""
        versions = _versions()
        if not versions:
            return Availability(False, "pillow-heif is not installed", _REMEDY)
        lacking = " and ".join(name for name in ("x265", "decoder") if versions[name] == "none")
        if lacking:
            return Availability(False, f"libheif was built without {lacking}", _REMEDY, versions)
        return Availability(True, versions=versions)


@lru_cache(maxsize=1)
def _versions() -> Mapping[str, str]:
    """pillow-heif, libheif, its x265 and decoder; "none" where one is missing, empty without pillow-heif."""
    try:
        import pillow_heif
    except ImportError:
        return {}
    libraries = pillow_heif.libheif_info()
    return {
        "pillow-heif": pillow_heif.__version__,
        "libheif": str(libraries["libheif"]),
        "x265": _version_in(libraries["encoders"].get("x265", "")),
        "decoder": _version_in(next(iter(libraries["decoders"].values()), "")),
    }


def _version_in(words: str) -> str:
    """The version in a sentence of libheif, such as `x265 HEVC encoder (4.3+1)`."""
    numbers = [word.strip("(),") for word in words.split() if any(sign.isdigit() for sign in word)]
    return numbers[-1] if numbers else "none"
