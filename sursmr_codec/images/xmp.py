"""XMP packets: kept as they are, but for an orientation that is already applied to the pixels.

Source: ISO 16684-1:2019, section 7, for the two ways to write a property; Exif 2.32 for XMP (CIPA DC-010).
"""

from __future__ import annotations

import re

_ORIENTATION = re.compile(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)\d")


def upright_xmp(packet: bytes | str | None) -> bytes | None:
    """A packet whose `tiff:Orientation`, if it has one, is 1; None for an empty packet.

    Some decoders turn a picture by it. Every other byte stays where it was.
    """
    if not packet:
        return None
    whole = packet.encode() if isinstance(packet, str) else packet
    return _ORIENTATION.sub(rb"\g<1>1", whole)
