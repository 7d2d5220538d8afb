"""Application segments at the front of a JPEG file, which hold density, EXIF, XMP and profile."""

from __future__ import annotations

_MARKER = 0xFF
_APPLICATION = range(0xE0, 0xF0)
_START_OF_IMAGE_BYTES = 2


def with_segments_of(like: bytes, data: bytes) -> bytes:
    """The JPEG `data` with the application segments of the JPEG `like` in the place of its own."""
    return like[: _after_segments(like)] + data[_after_segments(data) :]


def _after_segments(data: bytes) -> int:
    at = _START_OF_IMAGE_BYTES
    while at + 4 <= len(data) and data[at] == _MARKER and data[at + 1] in _APPLICATION:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at
