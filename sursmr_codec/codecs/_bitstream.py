"""Just enough of HEVC's high-level syntax to read the QP of an intra picture (ITU-T H.265, 7.3).

Reads parameter sets and the first slice header of an IDR picture. Every failure is a DecodeError.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sursmr_codec.errors import DecodeError

IDR_TYPES = (19, 20)
SPS, PPS = 33, 34
_INTRA_SLICE = 2


class BitReader:
    """Reads fixed-length and Exp-Golomb codes from a payload without emulation prevention (9.2)."""

    def __init__(self, payload: bytes) -> None:
        self._value = int.from_bytes(payload, "big")
        self._left = 8 * len(payload)

    def u(self, n: int) -> int:
        """The next n bits as an unsigned number; raises DecodeError past the end."""
        if n > self._left:
            raise DecodeError("an HEVC header ends too early")
        self._left -= n
        return (self._value >> self._left) & ((1 << n) - 1)

    def flag(self) -> bool:
        """The next bit."""
        return bool(self.u(1))

    def ue(self) -> int:
        """An unsigned Exp-Golomb code of at most 32 bits of suffix."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 32:
                raise DecodeError("an HEVC header holds an impossible number")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb code."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)


@dataclass(frozen=True)
class Sps:
    """What a slice header's syntax and a picture's size need of a sequence parameter set."""

    chroma_format_idc: int
    separate_colour_planes: bool
    width: int
    height: int
    sao: bool


@dataclass(frozen=True)
class Pps:
    """What a slice header's syntax and its QP need of a picture parameter set."""

    sps_id: int
    output_flag_present: bool
    n_extra_slice_header_bits: int
    init_qp: int


def nal_units(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and payload (header and emulation prevention taken off) of each unit of an Annex B stream."""
    start = stream.find(b"\0\0\1")
    while start >= 0:
        begin = start + 3
        start = stream.find(b"\0\0\1", begin)
        unit = stream[begin : start if start >= 0 else len(stream)].rstrip(b"\0")
        if len(unit) > 2:
            yield (unit[0] >> 1) & 0x3F, unit[2:].replace(b"\0\0\3", b"\0\0")


def slice_qp(stream: bytes) -> int:
    """Luma QP of the first slice of an intra-only Annex B stream: 26 + init_qp_minus26 + slice_qp_delta.

    Raises DecodeError where the stream holds no IDR picture with its parameter sets.
    """
    sequence_sets: dict[int, Sps] = {}
    picture_sets: dict[int, Pps] = {}
    for kind, payload in nal_units(stream):
        # Headers are short; a slice's data need not be looked at.
        bits = BitReader(payload[:4096])
        if kind == SPS:
            number, sps = read_sps(bits)
            sequence_sets[number] = sps
        elif kind == PPS:
            number, pps = read_pps(bits)
            picture_sets[number] = pps
        elif kind in IDR_TYPES:
            return _idr_slice_qp(bits, picture_sets, sequence_sets)
    raise DecodeError("the HEVC stream holds no IDR picture")


def read_sps(bits: BitReader) -> tuple[int, Sps]:
    """Id and content of a sequence parameter set, up to its SAO flag (7.3.2.2)."""
    bits.u(4)
    max_sub_layers = bits.u(3) + 1
    bits.u(1)
    _skip_profile_tier_level(bits, max_sub_layers)
    number = bits.ue()
    chroma_format_idc = bits.ue()
    separate = chroma_format_idc == 3 and bits.flag()
    width, height = bits.ue(), bits.ue()
    if bits.flag():
        for _ in range(4):
            bits.ue()
    for _ in range(3):  # bit depths of luma and chroma, bits of the picture order count
        bits.ue()
    n_orderings = max_sub_layers if bits.flag() else 1
    for _ in range(3 * n_orderings):
        bits.ue()
    for _ in range(6):  # block sizes and transform depths
        bits.ue()
    if bits.flag() and bits.flag():
        raise DecodeError("HEVC streams with scaling lists of their own are not read")
    bits.u(1)
    return number, Sps(chroma_format_idc, separate, width, height, sao=bits.flag())


def read_pps(bits: BitReader) -> tuple[int, Pps]:
    """Id and content of a picture parameter set, up to its initial QP (7.3.2.3)."""
    number, sps_id = bits.ue(), bits.ue()
    bits.u(1)
    output_flag_present = bits.flag()
    n_extra = bits.u(3)
    bits.u(2)
    for _ in range(2):
        bits.ue()
    return number, Pps(sps_id, output_flag_present, n_extra, init_qp=26 + bits.se())


def _idr_slice_qp(bits: BitReader, picture_sets: dict[int, Pps], sequence_sets: dict[int, Sps]) -> int:
    if not bits.flag():
        raise DecodeError("the HEVC picture's first slice is missing")
    bits.u(1)
    pps = picture_sets.get(bits.ue())
    sps = None if pps is None else sequence_sets.get(pps.sps_id)
    if pps is None or sps is None:
        raise DecodeError("the HEVC picture's parameter sets are missing")
    bits.u(pps.n_extra_slice_header_bits)
    if bits.ue() != _INTRA_SLICE:
        raise DecodeError("the HEVC picture is not intra coded")
    if pps.output_flag_present:
        bits.u(1)
    if sps.separate_colour_planes:
        bits.u(2)
    if sps.sao:
        bits.u(1)
        if sps.chroma_format_idc and not sps.separate_colour_planes:
            bits.u(1)
    return pps.init_qp + bits.se()


def _skip_profile_tier_level(bits: BitReader, max_sub_layers: int) -> None:
    bits.u(88 + 8)
    present = [(bits.flag(), bits.flag()) for _ in range(max_sub_layers - 1)]
    if max_sub_layers > 1:
        bits.u(2 * (9 - max_sub_layers))
    for has_profile, has_level in present:
        bits.u(88 * has_profile + 8 * has_level)
