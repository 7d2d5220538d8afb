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
from sursmr_codec.codecs._bpgenc import encode_bpg, shift_of
from sursmr_codec.codecs._local import find, remedy
from sursmr_codec.codecs._planar import decode_picture, pad_edges
from sursmr_codec.codecs.base import Availability, Codec
from sursmr_codec.codecs.hevc import (
    CODING_PARAMETERS,
    PRESETS,
    encode_intra,
    x265_availability,
    x265_versions,
)
from sursmr_codec.errors import DecodeError, EncodeError, UnavailableError, UsageError
from sursmr_codec.images.colour import rgb_to_planes
from sursmr_codec.types import Pixels, Source

_CONFORMANCE = "amp=1:rect=1"
"""Decoders take these two for granted, since the container does not tell them."""


class Bpg(Codec):
    """BPG, 4:2:0, 8 bit; QP 0..51 is the slice QP.

    `wobble` holds from 64x48 pixels on; of thumbnails of a few hundred bytes a byte more is a large share.
    """

    id: ClassVar[str] = "bpg"
    extension: ClassVar[str] = ".bpg"
    qp_range: ClassVar[range] = range(52)
    wobble: ClassVar[float] = 0.05

    def __init__(self, preset: str = "medium", *, x265: str | None = None, bpgenc: str | None = None) -> None:
        """`preset` is one of x265's but placebo; raises UsageError for any other.

        With `x265` or `bpgenc`, the path of that program, it encodes in the place of PyAV's x265. bpgenc
        makes the whole file and converts the colours by itself; the place of the preset among PRESETS,
        from 1 on, is its compression level.
        """
        if preset not in PRESETS:
            raise UsageError(f"bpg presets are {', '.join(PRESETS)}, not {preset!r}")
        if x265 is not None and bpgenc is not None:
            raise UsageError("bpg is encoded by x265 or by bpgenc, not by both")
        self._preset = preset
        self._x265 = x265
        self._bpgenc = bpgenc

    @property
    def options(self) -> Mapping[str, object]:
        """The x265 preset; which program was used shows in the fingerprint."""
        return {"preset": self._preset}

    def encode(self, source: Source, qp: int) -> bytes:
        """Compress `source.rgb` to a BPG file.

        Raises UnavailableError without x265, and EncodeError where it fails or the slice has another QP.
        """
        self.check_qp(qp)
        self.require()
        if self._bpgenc is not None:
            return encode_bpg(self._bpgenc, source.rgb, qp, self._level)
        block = _coding_block(source.width, source.height)
        planes = rgb_to_planes(pad_edges(source.rgb, block, block))
        parameters = f"{_CONFORMANCE}:min-cu-size={block}"
        stream = encode_intra(planes, qp, self._preset, parameters, self._x265)
        sequence = read_intra_picture(stream).sequence
        picture = from_annex_b(stream, sequence, source.width, source.height)
        file = picture.pack()
        if unpack(file) != picture:
            raise EncodeError("x265 used coding tools that a BPG file cannot tell a decoder")
        return file

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode a file of width x height; alpha, animation and other colour formats are refused."""
        self.require()
        picture = unpack(data)
        if (picture.width, picture.height) != (width, height):
            raise DecodeError(f"a BPG file of {picture.width}x{picture.height}, not of {width}x{height}")
        return decode_picture("hevc", picture.annex_b(), width, height)

    def fingerprint(self) -> str:
        """PyAV, x265 or bpgenc, preset, chroma format and the parameters that are passed."""
        versions = " ".join(f"{name}/{version}" for name, version in self._versions().items())
        if self._bpgenc is not None:
            return f"bpg {versions} preset={self._preset} 4:2:0 8bit bt601-full -m {self._level}"
        return (
            f"bpg {versions} preset={self._preset} 4:2:0 8bit bt601-full {CODING_PARAMETERS}:{_CONFORMANCE}"
        )

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
