"""The JPEG XL file around a codestream: boxes for metadata, and the size that a codestream states.

Source: ISO/IEC 18181-2 for the boxes, ISO/IEC 18181-1, section D.2 (image size), for the header.
"""

from __future__ import annotations

import struct

from sursmr_codec.errors import DecodeError
from sursmr_codec.images.bmff import child

_CODESTREAM = b"\xff\x0a"
_SIGNATURE = struct.pack(">I4s4s", 12, b"JXL ", b"\r\n\x87\n")
_FILE_TYPE = struct.pack(">I4s4sI4s", 20, b"ftyp", b"jxl ", 0, b"jxl ")
_EXIF_HEADER = b"Exif\0\0"
_SIDE_BITS = (9, 13, 18, 30)
_RATIOS = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width over height, by the header's number; the first says that a width follows."""


def with_metadata(codestream: bytes, exif: bytes | None, xmp: bytes | None) -> bytes:
    """A file of a codestream: bare where there is nothing to add, else in boxes."""
    if not exif and not xmp:
        return codestream
    parts = [_SIGNATURE, _FILE_TYPE]
    if exif:
        # An offset of the TIFF header comes first.
        parts.append(_box(b"Exif", bytes(4) + exif.removeprefix(_EXIF_HEADER)))
    if xmp:
        parts.append(_box(b"xml ", xmp))
    parts.append(_box(b"jxlc", codestream))
    return b"".join(parts)


def stated_size(data: bytes) -> tuple[int, int]:
    """(width, height) that a file's codestream states; raises DecodeError for anything else."""
    start = 0
    if data.startswith(_SIGNATURE):
        try:
            found = child(data, 0, len(data), b"jxlc")
        except struct.error:
            found = None
        if found is None:
            raise DecodeError("a JPEG XL file without a whole codestream")
        start = found[0]
    if data[start : start + 2] != _CODESTREAM:
        raise DecodeError("not a JPEG XL file")
    bits = _Bits(data[start + 2 : start + 14])
    small = bits.take(1) == 1
    height = bits.side(small)
    ratio = bits.take(3)
    if ratio == 0:
        return bits.side(small), height
    across, down = _RATIOS[ratio]
    return height * across // down, height


class _Bits:
    """Takes bits from the front, least significant first; zeros past the end."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")

    def take(self, n_bits: int) -> int:
        taken = self._left & ((1 << n_bits) - 1)
        self._left >>= n_bits
        return taken

    def side(self, small: bool) -> int:
        if small:
            return 8 * (1 + self.take(5))
        return 1 + self.take(_SIDE_BITS[self.take(2)])


def _box(kind: bytes, contents: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(contents), kind) + contents
