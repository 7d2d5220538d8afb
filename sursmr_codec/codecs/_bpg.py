"""The BPG container: one HEVC intra picture without its video and sequence parameter sets.

Written from the BPG specification 0.9.5 (https://bellard.org/bpg/bpg_spec.txt), sections 3.1 and 3.2. What
the missing parameter sets would say stands in a header of a few bytes, or follows from the container;
`annex_b` makes a complete HEVC stream of it again.
"""

from __future__ import annotations

from dataclasses import dataclass

from sursmr_codec.codecs._bits import BitReader, BitWriter
from sursmr_codec.codecs._bitstream import SPS, VPS, SequenceSet, nal_type, read_pcm, split_annex_b
from sursmr_codec.codecs._parameter_sets import sequence_set, video_set, write_pcm
from sursmr_codec.errors import DecodeError

MAGIC = b"BPG\xfb"
_START_CODE = b"\x00\x00\x01"
_PIXEL_FORMATS = {1: 1, 3: 3}
"""Chroma format of HEVC -> pixel format of BPG: 4:2:0 with centred chroma, and 4:4:4."""
_BT601 = 0
_BIT_DEPTHS = (8, 10, 12)
_MOST_LOG2_BLOCK = 6
_MOST_SIDE = 1 << 16


@dataclass(frozen=True)
class BpgPicture:
    """A still BT.601 full-range picture, 4:2:0 or 4:4:4, without alpha."""

    width: int
    height: int
    tools: SequenceSet
    """As `read_sequence_set` would read it from the parameter set that the file leaves out."""
    units: bytes
    """Picture parameter set and slice, with a start code between them and none before."""

    def pack(self) -> bytes:
        """The file."""
        tools = BitWriter()
        _write_tools(tools, self.tools)
        tools.flags(self.tools.strong_intra_smoothing, False)
        header = tools.aligned()
        picture = ue7(len(header)) + header + self.units
        pixel_format = _PIXEL_FORMATS[self.tools.chroma_format]
        formats = bytes([pixel_format << 5 | (self.tools.bit_depth_luma - 8), _BT601 << 4])
        return MAGIC + formats + ue7(self.width) + ue7(self.height) + ue7(len(picture)) + picture

    def annex_b(self) -> bytes:
        """A complete HEVC stream of the picture, whose VUI says its colour."""
        return b"".join(_START_CODE + unit for unit in (video_set(), sequence_set(self.tools), self.units))


def from_annex_b(stream: bytes, sequence: SequenceSet, width: int, height: int) -> BpgPicture:
    """The container's picture of an HEVC stream of one intra picture, shown at width x height."""
    kept = [unit for unit in split_annex_b(stream) if nal_type(unit) not in (VPS, SPS)]
    return BpgPicture(width, height, sequence, _START_CODE.join(kept))


def unpack(data: bytes) -> BpgPicture:
    """Read a file; raises DecodeError where it is broken, cut, or of a kind that is not written here."""
    file = Bytes(data)
    if file.take(4) != MAGIC:
        raise DecodeError("not a BPG file")
    formats, colours = file.take(2)
    chroma_format = {pixel: chroma for chroma, pixel in _PIXEL_FORMATS.items()}.get(formats >> 5)
    if chroma_format is None or formats & 0x10 or colours & 0b0111 or colours >> 4 != _BT601:
        raise DecodeError("a BPG file of a kind that is not written here")
    width, height, length = file.ue7(), file.ue7(), file.ue7()
    if not (0 < width < _MOST_SIDE and 0 < height < _MOST_SIDE):
        raise DecodeError(f"a BPG file of {width}x{height} pixels")
    if colours & 0b1000:
        file.take(file.ue7())
    picture = Bytes(file.take(length) if length else file.rest())
    header = BitReader(picture.take(picture.ue7()))
    tools = _read_tools(header, width, height, chroma_format, 8 + (formats & 0x0F))
    return BpgPicture(width, height, tools, picture.rest())


def ue7(number: int) -> bytes:
    """An unsigned number of at most 32 bits in groups of seven, all but the last marked by their top bit."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


class Bytes:
    """Takes bytes from the front of a file; DecodeError past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, n_bytes: int) -> bytes:
        """The next bytes."""
        end = self._at + n_bytes
        if end > len(self._data):
            raise DecodeError(f"a BPG file that ends after {len(self._data)} bytes, before byte {end}")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._data)

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self._at)

    def ue7(self) -> int:
        """The next number, as the function of that name writes it."""
        number = 0
        for place in range(5):
            byte = self.take(1)[0]
            if place == 0 and byte == 0x80:
                break
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                if number >> 32:
                    break
                return number
        raise DecodeError("a BPG file with a number that is written wrongly")


def _write_tools(bits: BitWriter, tools: SequenceSet) -> None:
    """The fields from block sizes to PCM, in the order that the container's header has them."""
    bits.ue(tools.log2_min_coding_block - 3, tools.log2_diff_max_min_coding_block)
    bits.ue(tools.log2_min_transform_block - 2, tools.log2_diff_max_min_transform_block)
    bits.ue(tools.max_transform_depth_intra)
    bits.flags(tools.sample_adaptive_offset)
    write_pcm(bits, tools.pcm)


def _read_tools(bits: BitReader, width: int, height: int, chroma_format: int, bit_depth: int) -> SequenceSet:
    if bit_depth not in _BIT_DEPTHS:
        raise DecodeError(f"a BPG file of {bit_depth} bits a sample")
    blocks = (3 + bits.ue(), bits.ue(), 2 + bits.ue(), bits.ue())
    if max(blocks[0] + blocks[1], blocks[2] + blocks[3]) > _MOST_LOG2_BLOCK:
        raise DecodeError("a BPG file with blocks that are larger than HEVC has")
    tools = SequenceSet(
        id=0,
        chroma_format=chroma_format,
        separate_planes=False,
        coded_width=_round_up(width, 1 << blocks[0]),
        coded_height=_round_up(height, 1 << blocks[0]),
        crop=(0, 0, 0, 0),
        bit_depth_luma=bit_depth,
        bit_depth_chroma=bit_depth,
        log2_min_coding_block=blocks[0],
        log2_diff_max_min_coding_block=blocks[1],
        log2_min_transform_block=blocks[2],
        log2_diff_max_min_transform_block=blocks[3],
        max_transform_depth_intra=bits.ue(),
        sample_adaptive_offset=bits.flag(),
        pcm=read_pcm(bits) if bits.flag() else None,
        strong_intra_smoothing=bits.flag(),
    )
    if bits.flag():
        raise DecodeError("a BPG file with range extensions")
    return tools


def _round_up(length: int, block: int) -> int:
    return -(-length // block) * block
