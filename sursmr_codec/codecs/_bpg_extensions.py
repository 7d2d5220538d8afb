"""What a BPG file holds beside its picture: EXIF, colour profile and XMP, as extension data.

Written from the BPG specification 0.9.5 (https://bellard.org/bpg/bpg_spec.txt), sections 3.1 and 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping

from sursmr_codec.codecs._bpg import MAGIC, Bytes, ue7
from sursmr_codec.errors import DecodeError

EXIF, ICC, XMP = 1, 2, 3
"""Tags of the specification."""
_FLAGS_AT = 5
_PRESENT = 0b1000
_MOST_BLOCKS = 1 << 16
_N_SIZES = 3
"""Width, height and length of the picture stand before the extension data."""


def with_extensions(file: bytes, blocks: Mapping[int, bytes | None]) -> bytes:
    """A file without extension data, with these blocks by their tags; empty ones are left out."""
    parts = [ue7(tag) + ue7(len(block)) + block for tag, block in sorted(blocks.items()) if block]
    if not parts:
        return file
    data = b"".join(parts)
    at = _after_sizes(file)
    flags = bytes([file[_FLAGS_AT] | _PRESENT])
    return file[:_FLAGS_AT] + flags + file[_FLAGS_AT + 1 : at] + ue7(len(data)) + data + file[at:]


def extensions(file: bytes) -> dict[int, bytes]:
    """Tag -> block of a file, the first of each tag; raises DecodeError where they are broken."""
    if file[: len(MAGIC)] != MAGIC or len(file) <= _FLAGS_AT:
        raise DecodeError("not a BPG file")
    if not file[_FLAGS_AT] & _PRESENT:
        return {}
    rest = Bytes(file[_after_sizes(file) :])
    data = Bytes(rest.take(rest.ue7()))
    found: dict[int, bytes] = {}
    for _ in range(_MOST_BLOCKS):
        if data.at_end:
            return found
        tag = data.ue7()
        found.setdefault(tag, data.take(data.ue7()))
    raise DecodeError(f"a BPG file with more than {_MOST_BLOCKS} blocks of extension data")


def _after_sizes(file: bytes) -> int:
    start = len(MAGIC) + 2
    sizes = Bytes(file[start:])
    return start + sum(len(ue7(sizes.ue7())) for _ in range(_N_SIZES))
