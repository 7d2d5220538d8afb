"""Gain maps: second pictures that raise the one that is read to high dynamic range.

Source: ISO 21496-1 for the general form, the vendors' XMP and auxiliary names for the older ones.
"""

from __future__ import annotations

from sursmr_codec.images.bmff import meta_box

_JPEG_MARKS = (b"hdrgm:", b"HDRGainMap", b"urn:iso:std:iso:ts:21496:-1")
_BOX_MARKS = (b"hdrgainmap", b"tmap")
"""Apple's auxiliary type, and the item type of a tone-mapped picture."""


def has_gain_map(data: bytes, container: str) -> bool:
    """Whether a file of that container brings a gain map."""
    if container == "jpeg":
        return any(mark in data for mark in _JPEG_MARKS)
    if container in ("heif", "avif"):
        start, end = meta_box(data)
        return any(data.find(mark, start, end) >= 0 for mark in _BOX_MARKS)
    return False
