"""Writing of HEVC video and sequence parameter sets for one intra picture (ITU-T H.265, section 7.3.2).

For containers that leave them out. What an intra picture does not use is set to the plainest value.
"""

from __future__ import annotations

import re

from sursmr_codec.codecs._bits import BitWriter
from sursmr_codec.codecs._bitstream import SPS, VPS, PcmTools, SequenceSet

_FORMAT_RANGE_EXTENSIONS = 4
_LEVEL_8_5 = 255
_YUV420, _YUV444 = 1, 3


def video_set() -> bytes:
    """A video parameter set as a NAL unit."""
    bits = _nal(VPS)
    bits.u(4, 0)
    bits.flags(True, True)
    bits.u(6, 0)
    bits.u(3, 0)
    bits.flags(True)
    bits.u(16, 0xFFFF)
    _profile_tier_level(bits)
    bits.flags(True)
    bits.ue(0, 0, 0)
    bits.u(6, 0)
    bits.ue(0)
    bits.flags(False, False)
    return escape(bits.aligned(stop_bit=True))


def sequence_set(tools: SequenceSet) -> bytes:
    """A sequence parameter set as a NAL unit, with a VUI that says BT.601 full range with centred chroma.

    4:4:4 pictures have one plane a component, and no place of chroma to state.
    """
    bits = _nal(SPS)
    bits.u(4, 0)
    bits.u(3, 0)
    bits.flags(True)
    _profile_tier_level(bits)
    bits.ue(tools.id, tools.chroma_format)
    bits.flags(*((False,) if tools.chroma_format == _YUV444 else ()))
    bits.ue(tools.coded_width, tools.coded_height)
    bits.flags(False)
    bits.ue(tools.bit_depth_luma - 8, tools.bit_depth_chroma - 8, 4)
    bits.flags(True)
    bits.ue(0, 0, 0)
    bits.ue(tools.log2_min_coding_block - 3, tools.log2_diff_max_min_coding_block)
    bits.ue(tools.log2_min_transform_block - 2, tools.log2_diff_max_min_transform_block)
    bits.ue(tools.max_transform_depth_intra, tools.max_transform_depth_intra)
    bits.flags(False, True, tools.sample_adaptive_offset)
    write_pcm(bits, tools.pcm)
    bits.ue(0)
    bits.flags(False, True, tools.strong_intra_smoothing)
    bits.flags(True)
    _colour(bits, tools.chroma_format)
    bits.flags(False)
    return escape(bits.aligned(stop_bit=True))


def write_pcm(bits: BitWriter, pcm: PcmTools | None) -> None:
    """The syntax elements from `pcm_enabled_flag` on."""
    bits.flags(pcm is not None)
    if pcm is not None:
        bits.u(4, pcm.bit_depth_luma - 1)
        bits.u(4, pcm.bit_depth_chroma - 1)
        bits.ue(pcm.log2_min_block - 3, pcm.log2_diff_max_min_block)
        bits.flags(pcm.loop_filter_disabled)


def escape(unit: bytes) -> bytes:
    """A NAL unit with emulation prevention bytes (section 7.4.2.3)."""
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", unit)


def _nal(kind: int) -> BitWriter:
    bits = BitWriter()
    bits.u(7, kind)
    bits.u(6, 0)
    bits.u(3, 1)
    return bits


def _profile_tier_level(bits: BitWriter) -> None:
    bits.u(3, 0)
    bits.u(5, _FORMAT_RANGE_EXTENSIONS)
    bits.u(32, 1 << (31 - _FORMAT_RANGE_EXTENSIONS))
    bits.flags(True, False, False, True)
    bits.u(44, 0)
    bits.u(8, _LEVEL_8_5)


def _colour(bits: BitWriter, chroma_format: int) -> None:
    """VUI (annex E.2.1): BT.709 primaries, sRGB transfer, BT.601 matrix, chroma between the luma samples."""
    centred = chroma_format == _YUV420
    bits.flags(False, False, True)
    bits.u(3, 5)
    bits.flags(True, True)
    for code_point in (1, 13, 6):
        bits.u(8, code_point)
    bits.flags(centred)
    if centred:
        bits.ue(1, 1)
    bits.flags(False, False, False, False, False, False)
