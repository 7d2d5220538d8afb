"""The HEVC stream of the primary picture of a HEIC file, so that its QP can be read back.

Source: ISO/IEC 14496-12, sections 8.11.3 (`iloc`) and 8.11.4 (`pitm`); ISO/IEC 14496-15, section 8.3.2.1
(`hvcC`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from sursmr_codec.errors import DecodeError
from sursmr_codec.images.bmff import PrimaryItem, child, primary_item

_START_CODE = b"\0\0\0\1"
_LENGTH_BYTES = 4
_ARRAYS_AT = 22
_EXTENT_IN_FILE = 0


def primary_stream(data: bytes) -> bytes:
    """Annex B stream of the primary picture; raises DecodeError where the file has none in one piece."""
    try:
        primary = primary_item(data)
        units = [*_parameter_sets(_configuration(data, primary)), *_units(_contents(data, primary))]
    except (struct.error, IndexError) as trouble:
        raise DecodeError(f"a broken HEIC file: {trouble}") from trouble
    return b"".join(_START_CODE + unit for unit in units)


def _configuration(data: bytes, primary: PrimaryItem) -> bytes:
    for kind, start, end in primary.properties:
        if kind == b"hvcC":
            return data[start:end]
    raise DecodeError("a HEIC file whose primary picture is not HEVC")


def _parameter_sets(configuration: bytes) -> Iterator[bytes]:
    if len(configuration) <= _ARRAYS_AT or (configuration[_ARRAYS_AT - 1] & 3) + 1 != _LENGTH_BYTES:
        raise DecodeError("a HEIC file without an HEVC configuration of the usual form")
    at = _ARRAYS_AT + 1
    for _ in range(configuration[_ARRAYS_AT]):
        (n_units,) = struct.unpack_from(">H", configuration, at + 1)
        at += 3
        for _ in range(n_units):
            (length,) = struct.unpack_from(">H", configuration, at)
            yield configuration[at + 2 : at + 2 + length]
            at += 2 + length


def _units(coded: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(coded):
        (length,) = struct.unpack_from(">I", coded, at)
        at += _LENGTH_BYTES
        yield coded[at : at + length]
        at += length


def _contents(data: bytes, primary: PrimaryItem) -> bytes:
    """Bytes of the item, which has to lie in one piece of the file (`iloc` version 0 or 1)."""
    meta = child(data, 0, len(data), b"meta")
    iloc = None if meta is None else child(data, meta[0] + 4, meta[1], b"iloc")
    if iloc is None or data[iloc[0]] > 1:
        raise DecodeError("a HEIC file without a table of its items")
    version, (sizes, n_items) = data[iloc[0]], struct.unpack_from(">HH", data, iloc[0] + 4)
    widths = [sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15 if version else 0]
    at = iloc[0] + 8

    def take(n_bytes: int) -> int:
        nonlocal at
        if at + n_bytes > iloc[1]:
            raise DecodeError("a HEIC file whose table of items is cut off")
        at += n_bytes
        return int.from_bytes(data[at - n_bytes : at], "big")

    for _ in range(n_items):
        item, method = take(2), take(2) if version else _EXTENT_IN_FILE
        take(2)
        base, n_extents = take(widths[2]), take(2)
        extents = [(take(widths[3]), take(widths[0]), take(widths[1])) for _ in range(n_extents)]
        if item == primary.number and method == _EXTENT_IN_FILE and n_extents == 1:
            start = base + extents[0][1]
            return data[start : start + extents[0][2]]
    raise DecodeError("a HEIC file whose primary picture is not one piece of it")
