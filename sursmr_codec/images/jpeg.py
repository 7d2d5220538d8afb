"""What a JPEG file tells outside its pixels that Pillow does not look at.

Source: ITU-T T.81, annex B.
"""

from __future__ import annotations

_START_OF_SCAN = 0xDA
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))
_END_OF_IMAGE = b"\xff\xd9"
_MOST_MARKERS = 1 << 16
"""More than a file has before its first scan; those of a hostile one must not take minutes to follow."""


def has_end(data: bytes) -> bool:
    """Whether an end marker follows the first scan.

    Where a download stopped in a file of full length, zeros stand in for the rest, and decoders take those
    for pixels. A file whose markers cannot be followed is left to the decoder: True.
    """
    at = 2
    for _ in range(_MOST_MARKERS):
        if at + 4 > len(data) or data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == _START_OF_SCAN:
            return data.find(_END_OF_IMAGE, at) >= 0
        if marker == 0xFF:
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return True
