"""BPG pictures: an HEVC intra picture by x265 in a BPG container that is written and read here, or bpgenc's.

Colour is BT.601 full range with centred chroma, as the container's header says. The QP is the slice QP,
read back from the stream, as of `hevc`; `bpgenc` built with x265 writes a slice QP that lies 3 lower than
the one it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sursmr_codec.codecs._bitstream import read_intra_picture
from sursmr_codec.codecs._bpg import from_annex_b, unpack
from sursmr_codec.codecs._bpg_extensions import EXIF, ICC, XMP, extensions, with_extensions
from sursmr_codec.codecs._bpgenc import encode_bpg, shift_of
from sursmr_codec.codecs._density import exif_of
from sursmr_codec.codecs._local import find, remedy
from sursmr_codec.codecs._planar import decode_picture, pad_edges
from sursmr_codec.codecs._still import seen
from sursmr_codec.codecs.base import Availability, Codec, Part
from sursmr_codec.codecs.hevc import (
    CHROMAS,
    CODING_PARAMETERS,
    PRESETS,
    check_x265_options,
    encode_intra,
    x265_availability,
    x265_versions,
)
from sursmr_codec.errors import DecodeError, EncodeError, ImageError, UnavailableError, UsageError
from sursmr_codec.images.colour import Chroma, rgb_to_planes
from sursmr_codec.types import Pixels, Source

_EXIF_HEADER = b"Exif\0\0"
_CONFORMANCE = "amp=1:rect=1"
"""Decoders take these two for granted, since the container does not tell them."""


class Bpg(Codec):
    """BPG, 8 or 10 bit; QP 0..51 is the slice QP.

    `wobble` holds from 64x48 pixels on; of thumbnails of a few hundred bytes a byte more is a large share.
    """

    id: ClassVar[str] = "bpg"
    extension: ClassVar[str] = ".bpg"
    qp_range: ClassVar[range] = range(52)
    wobble: ClassVar[float] = 0.05
    keeps: ClassVar[frozenset[Part]] = frozenset({"icc", "exif", "xmp"})

    def __init__(
        self,
        preset: str = "medium",
        *,
        chroma: Chroma = "420",
        bit_depth: int = 8,
        x265: str | None = None,
        bpgenc: str | None = None,
    ) -> None:
        """`preset` is one of x265's but placebo; raises UsageError for values that do not exist.

        With `x265` or `bpgenc`, the path of that program, it encodes in the place of PyAV's x265, in 4:2:0
        at 8 bit. bpgenc makes the whole picture and converts the colours by itself; the place of the preset
        among PRESETS, from 1 on, is its compression level.
        """
        check_x265_options(self.id, preset, chroma, bit_depth, x265 or bpgenc)
        if x265 is not None and bpgenc is not None:
            raise UsageError("bpg is encoded by x265 or by bpgenc, not by both")
        self._preset = preset
        self._chroma: Chroma = chroma
        self._bit_depth = bit_depth
        self._x265 = x265
        self._bpgenc = bpgenc

    @property
    def options(self) -> Mapping[str, object]:
        """x265's preset, chroma format and bits a sample; which program was used shows in the fingerprint."""
        return {"preset": self._preset, "chroma": self._chroma, "bit_depth": self._bit_depth}

    def encode(self, source: Source, qp: int) -> bytes:
        """Compress `source.native` to a BPG file.

        Raises UnavailableError without x265, and EncodeError where it fails or the slice has another QP.
        """
        self.check_qp(qp)
        self.require()
        if self._bpgenc is not None:
            file = encode_bpg(self._bpgenc, source.native, qp, self._level)
        else:
            file = self._encode(source, qp)
        exif = (exif_of(source) or b"").removeprefix(_EXIF_HEADER)
        return with_extensions(file, {EXIF: exif, ICC: source.icc_profile, XMP: source.xmp})

    def _encode(self, source: Source, qp: int) -> bytes:
        """The file without what it holds beside its picture."""
        block = _coding_block(source.width, source.height)
        pixels = pad_edges(source.native, block, block)
        planes = rgb_to_planes(pixels, self._chroma, self._bit_depth)
        parameters = f"{_CONFORMANCE}:min-cu-size={block}"
        stream = encode_intra(planes, qp, self._preset, parameters, self._x265)
        sequence = read_intra_picture(stream).sequence
        picture = from_annex_b(stream, sequence, source.width, source.height)
        file = picture.pack()
        if unpack(file) != picture:
            raise EncodeError("x265 used coding tools that a BPG file cannot tell a decoder")
        return file

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode a file of width x height to sRGB; alpha, animation and other colours are refused."""
        self.require()
        picture = unpack(data)
        if (picture.width, picture.height) != (width, height):
            raise DecodeError(f"a BPG file of {picture.width}x{picture.height}, not of {width}x{height}")
        profile = extensions(data).get(ICC)
        try:
            return seen(decode_picture("hevc", picture.annex_b(), width, height), profile)
        except DecodeError:
            raise
        except ImageError as trouble:
            raise DecodeError(f"not a usable BPG: {trouble}") from trouble

    def fingerprint(self) -> str:
        """PyAV, x265 or bpgenc, preset, chroma format and the parameters that are passed."""
        versions = " ".join(f"{name}/{version}" for name, version in self._versions().items())
        if self._bpgenc is not None:
            return f"bpg {versions} preset={self._preset} 4:2:0 8bit bt601-full -m {self._level}"
        layout = f"{CHROMAS[self._chroma]} {self._bit_depth}bit bt601-full"
        return f"bpg {versions} preset={self._preset} {layout} {CODING_PARAMETERS}:{_CONFORMANCE}"

    def native(self, qp: int) -> Mapping[str, object]:
        """The QP itself."""
        self.check_qp(qp)
        return {"qp": qp}

    def availability(self) -> Availability:
        """Usable wherever `hevc` is; with bpgenc also where that program writes a QP that can be told."""
        if self._bpgenc is None:
            return x265_availability(self._x265)
        found = x265_availability()
        if not found.usable:
            return found
        try:
            shift_of(self._bpgenc)
        except UnavailableError as trouble:
            return Availability(False, str(trouble), remedy("bpgenc"))
        return Availability(True, versions=self._versions())

    @property
    def _level(self) -> int:
        return 1 + PRESETS.index(self._preset)

    def _versions(self) -> Mapping[str, str]:
        if self._bpgenc is None:
            return x265_versions(self._x265)
        av = {"av": x265_versions()["av"]}
        try:
            return {**av, "bpgenc": find("bpgenc", self._bpgenc).version}
        except UnavailableError:
            return {**av, "bpgenc": "none"}


def _coding_block(width: int, height: int) -> int:
    """Side of the smallest coding block.

    The coded size follows from the shown one by rounding up to it, and x265 codes nothing below 16.
    """
    return 8 if min(width, height) > 8 else 16
