"""Headers of HEVC streams, as far as they tell size, coding tools and QP of one intra picture.

Written from ITU-T H.265 (08/2021): NAL units 7.3.1 and annex B, parameter sets 7.3.2, slice segment
headers 7.3.6. Streams that are more than one intra picture in one slice are refused with DecodeError, as
is anything that is no stream at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from sursmr_codec.codecs._bits import BitReader
from sursmr_codec.errors import DecodeError

_IDR = (19, 20)
_MOST_VCL = 31
VPS, SPS, PPS = 32, 33, 34
_SLICE_I = 2
_SLICE_HEADER_BYTES = 64
"""More than the part of an intra slice's header up to its QP can take."""
_MOST_UNITS = 1 << 16
"""More than the stream of any picture has; those of a hostile one must not fill the memory."""


@dataclass(frozen=True)
class PcmTools:
    """Uncompressed blocks, where a stream allows them."""

    bit_depth_luma: int
    bit_depth_chroma: int
    log2_min_block: int
    log2_diff_max_min_block: int
    loop_filter_disabled: bool


@dataclass(frozen=True)
class SequenceSet:
    """What a sequence parameter set says about an intra picture."""

    id: int
    chroma_format: int
    """0 grey, 1 for 4:2:0, 2 for 4:2:2, 3 for 4:4:4."""
    separate_planes: bool
    coded_width: int
    coded_height: int
    crop: tuple[int, int, int, int]
    """Conformance window: luma samples cut left, right, top, bottom."""
    bit_depth_luma: int
    bit_depth_chroma: int
    log2_min_coding_block: int
    log2_diff_max_min_coding_block: int
    log2_min_transform_block: int
    log2_diff_max_min_transform_block: int
    max_transform_depth_intra: int
    sample_adaptive_offset: bool
    pcm: PcmTools | None
    strong_intra_smoothing: bool

    @property
    def width(self) -> int:
        """Columns after the conformance window."""
        return self.coded_width - self.crop[0] - self.crop[1]

    @property
    def height(self) -> int:
        """Rows after the conformance window."""
        return self.coded_height - self.crop[2] - self.crop[3]


@dataclass(frozen=True)
class PictureSet:
    """What a picture parameter set says about an intra picture."""

    id: int
    sequence_id: int
    output_flag_present: bool
    n_extra_slice_bits: int
    init_qp: int
    varies_qp: bool
    """Whether blocks may depart from the slice's QP."""


@dataclass(frozen=True)
class IntraPicture:
    """One intra picture in one slice, with its parameter sets."""

    sequence: SequenceSet
    picture: PictureSet
    qp: int
    """The slice's QP."""


def split_annex_b(data: bytes) -> list[bytes]:
    """NAL units of a byte stream (annex B), start codes and trailing zeros removed; may be empty.

    Raises DecodeError for more than 65536 of them.
    """
    units: list[bytes] = []
    start = data.find(b"\x00\x00\x01")
    while start >= 0:
        following = data.find(b"\x00\x00\x01", start + 3)
        unit = data[start + 3 : following if following >= 0 else len(data)].rstrip(b"\x00")
        if unit:
            if len(units) == _MOST_UNITS:
                raise DecodeError(f"a stream of more than {_MOST_UNITS} units")
            units.append(unit)
        start = following
    return units


def nal_type(unit: bytes) -> int:
    """Type of an HEVC NAL unit, 0..63; raises DecodeError for a broken header."""
    if len(unit) < 2 or unit[0] & 0x80:
        raise DecodeError("broken NAL unit header")
    return unit[0] >> 1 & 0x3F


def unescape(unit: bytes) -> bytes:
    """Payload of a NAL unit (its two header bytes included) without emulation prevention bytes."""
    return unit.replace(b"\x00\x00\x03", b"\x00\x00")


def read_intra_picture(data: bytes) -> IntraPicture:
    """Read the headers of an Annex B stream of one intra picture.

    Raises DecodeError where the stream is broken, or more or less than that.
    """
    sequences: dict[int, SequenceSet] = {}
    pictures: dict[int, PictureSet] = {}
    found: list[IntraPicture] = []
    for unit in split_annex_b(data):
        kind = nal_type(unit)
        if kind == SPS:
            sequence = read_sequence_set(unescape(unit))
            sequences[sequence.id] = sequence
        elif kind == PPS:
            picture = read_picture_set(unescape(unit))
            pictures[picture.id] = picture
        elif kind <= _MOST_VCL:
            found.append(_read_slice(unit, sequences, pictures))
    if len(found) != 1:
        raise DecodeError(f"a stream of {len(found)} slices, not of one")
    return found[0]


def read_sequence_set(payload: bytes) -> SequenceSet:
    """Read an unescaped sequence parameter set (7.3.2.2), NAL header included, up to its VUI."""
    bits = BitReader(payload)
    bits.u(16 + 4)
    most_sub_layer = bits.u(3)
    bits.flag()
    _skip_profile_tier_level(bits, most_sub_layer)
    set_id = bits.ue()
    chroma_format = bits.ue()
    if chroma_format > 3:
        raise DecodeError(f"chroma format {chroma_format} does not exist")
    separate_planes = bits.flag() if chroma_format == 3 else False
    coded_width, coded_height = bits.ue(), bits.ue()
    crop = _read_window(bits, chroma_format)
    depth_luma, depth_chroma = 8 + bits.ue(), 8 + bits.ue()
    bits.ue()
    orderings = 1 if not bits.flag() else 1 + most_sub_layer
    for _ in range(3 * orderings):
        bits.ue()
    blocks = (3 + bits.ue(), bits.ue(), 2 + bits.ue(), bits.ue())
    bits.ue()
    depth_intra = bits.ue()
    if bits.flag():
        raise DecodeError("scaling lists are not read")
    bits.flag()
    sample_adaptive_offset = bits.flag()
    pcm = read_pcm(bits) if bits.flag() else None
    if bits.ue() or bits.flag():
        raise DecodeError("a stream with reference pictures, not of intra pictures only")
    bits.flag()
    sequence = SequenceSet(
        id=set_id,
        chroma_format=chroma_format,
        separate_planes=separate_planes,
        coded_width=coded_width,
        coded_height=coded_height,
        crop=crop,
        bit_depth_luma=depth_luma,
        bit_depth_chroma=depth_chroma,
        log2_min_coding_block=blocks[0],
        log2_diff_max_min_coding_block=blocks[1],
        log2_min_transform_block=blocks[2],
        log2_diff_max_min_transform_block=blocks[3],
        max_transform_depth_intra=depth_intra,
        sample_adaptive_offset=sample_adaptive_offset,
        pcm=pcm,
        strong_intra_smoothing=bits.flag(),
    )
    if min(sequence.width, sequence.height) < 1:
        raise DecodeError(f"a stream of {sequence.width}x{sequence.height} pixels")
    return sequence


def read_picture_set(payload: bytes) -> PictureSet:
    """Read an unescaped picture parameter set (7.3.2.3), NAL header included, up to its QP syntax."""
    bits = BitReader(payload)
    bits.u(16)
    set_id, sequence_id = bits.ue(), bits.ue()
    bits.flag()
    output_flag_present = bits.flag()
    n_extra_slice_bits = bits.u(3)
    bits.u(2)
    bits.ue()
    bits.ue()
    init_qp = 26 + bits.se()
    bits.u(2)
    return PictureSet(set_id, sequence_id, output_flag_present, n_extra_slice_bits, init_qp, bits.flag())


def _read_slice(
    unit: bytes, sequences: dict[int, SequenceSet], pictures: dict[int, PictureSet]
) -> IntraPicture:
    if nal_type(unit) not in _IDR:
        raise DecodeError(f"a slice in a NAL unit of type {nal_type(unit)}, not of an IDR picture")
    bits = BitReader(unescape(unit[:_SLICE_HEADER_BYTES]))
    bits.u(16)
    if not bits.flag():
        raise DecodeError("a slice that does not begin a picture")
    bits.flag()
    picture = pictures.get(bits.ue())
    if picture is None or picture.sequence_id not in sequences:
        raise DecodeError("a slice without its parameter sets")
    sequence = sequences[picture.sequence_id]
    bits.u(picture.n_extra_slice_bits)
    slice_type = bits.ue()
    if slice_type != _SLICE_I:
        raise DecodeError(f"a slice of type {slice_type}, not an intra one")
    bits.u(1 if picture.output_flag_present else 0)
    bits.u(2 if sequence.separate_planes else 0)
    if sequence.sample_adaptive_offset:
        bits.u(2 if sequence.chroma_format and not sequence.separate_planes else 1)
    qp = picture.init_qp + bits.se()
    lowest = -6 * (sequence.bit_depth_luma - 8)
    if not lowest <= qp <= 51:
        raise DecodeError(f"slice QP {qp} lies outside {lowest}..51")
    return IntraPicture(sequence, picture, qp)


def _skip_profile_tier_level(bits: BitReader, most_sub_layer: int) -> None:
    """Section 7.3.3: general part, then flags and parts of the sub-layers."""
    bits.u(88 + 8)
    present = [(bits.flag(), bits.flag()) for _ in range(most_sub_layer)]
    if most_sub_layer:
        bits.u(2 * (8 - most_sub_layer))
    for profile, level in present:
        bits.u(88 if profile else 0)
        bits.u(8 if level else 0)


def _read_window(bits: BitReader, chroma_format: int) -> tuple[int, int, int, int]:
    if not bits.flag():
        return (0, 0, 0, 0)
    unit_x = 2 if chroma_format in (1, 2) else 1
    unit_y = 2 if chroma_format == 1 else 1
    return (unit_x * bits.ue(), unit_x * bits.ue(), unit_y * bits.ue(), unit_y * bits.ue())


def read_pcm(bits: BitReader) -> PcmTools:
    """What follows a set `pcm_enabled_flag`."""
    return PcmTools(1 + bits.u(4), 1 + bits.u(4), 3 + bits.ue(), bits.ue(), bits.flag())
