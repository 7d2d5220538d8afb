"""What a PNG header says that Pillow does not pass on.

Source: PNG Specification, Third Edition (W3C, 2025), sections 5.3 and 11.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SIGNATURE_BYTES = 8
_CHUNK_OVERHEAD = 12
_MOST_CHUNKS = 1 << 16
"""More than stand before the pixels; those of a hostile file must not take minutes to follow."""


@dataclass(frozen=True)
class PngHeader:
    """Facts that stand before the pixels."""

    width: int
    height: int
    bit_depth: int
    """Bits a sample, 1..16."""
    primaries: int | None = None
    """Colour primaries of a cICP chunk (ITU-T H.273); None without one."""
    transfer: int | None = None
    """Transfer function of a cICP chunk (ITU-T H.273); None without one."""


def read_header(data: bytes) -> PngHeader | None:
    """Read the chunks before the pixels; None where the header chunk is missing or cut off."""
    if data[12:16] != b"IHDR" or len(data) < 33:
        return None
    width, height, bit_depth = struct.unpack_from(">IIB", data, 16)
    at = _SIGNATURE_BYTES
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            break
        if kind == b"cICP" and length >= 4 and at + 12 <= len(data):
            return PngHeader(width, height, bit_depth, primaries=data[at + 8], transfer=data[at + 9])
        at += length + _CHUNK_OVERHEAD
    return PngHeader(width, height, bit_depth)
