"""Colour and depth of the main picture of a HEIF or AVIF file, which decoders do not pass on.

Source: ISO/IEC 14496-12 (boxes), ISO/IEC 23008-12 (`pitm`, `ipco`, `ipma`, `pixi`, `colr`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class MainPicture:
    """Properties of the primary item; each None where the file does not state it."""

    bit_depth: int | None = None
    """Bits a sample of the first channel."""
    primaries: int | None = None
    """Colour primaries (ITU-T H.273)."""
    transfer: int | None = None
    """Transfer function (ITU-T H.273)."""


def main_picture(data: bytes) -> MainPicture:
    """Read the properties of the primary item; everything is None in a file that is not understood."""
    try:
        return _main_picture(data)
    except (struct.error, IndexError):
        return MainPicture()


def _main_picture(data: bytes) -> MainPicture:
    found = MainPicture()
    meta = _child(data, 0, len(data), b"meta")
    if meta is None:
        return found
    inner = (meta[0] + 4, meta[1])
    pitm = _child(data, *inner, b"pitm")
    iprp = _child(data, *inner, b"iprp")
    if pitm is None or iprp is None:
        return found
    ipco, ipma = _child(data, *iprp, b"ipco"), _child(data, *iprp, b"ipma")
    if ipco is None or ipma is None:
        return found
    (primary,) = struct.unpack_from(">H" if data[pitm[0]] == 0 else ">I", data, pitm[0] + 4)
    properties = list(_boxes(data, *ipco))
    for index in _associated(data, ipma[0], primary):
        if not 1 <= index <= len(properties):
            continue
        kind, start, _ = properties[index - 1]
        if kind == b"pixi" and data[start + 4]:
            found = replace(found, bit_depth=data[start + 5])
        elif kind == b"colr" and data[start : start + 4] == b"nclx":
            primaries, transfer = struct.unpack_from(">HH", data, start + 4)
            found = replace(found, primaries=primaries, transfer=transfer)
    return found


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte and end of the contents of each box between two offsets."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        header = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            header = 16
        elif size == 0:
            size = end - start
        if size < header:
            return
        yield kind, start + header, min(start + size, end)
        start += size


def _child(data: bytes, start: int, end: int, wanted: bytes) -> tuple[int, int] | None:
    for kind, first, last in _boxes(data, start, end):
        if kind == wanted:
            return first, last
    return None


def _associated(data: bytes, start: int, item: int) -> list[int]:
    """One-based indices of the properties of an item, from the contents of an `ipma` box."""
    version, wide = data[start], data[start + 3] & 1
    (n_entries,) = struct.unpack_from(">I", data, start + 4)
    at = start + 8
    for _ in range(n_entries):
        (found,) = struct.unpack_from(">H" if version < 1 else ">I", data, at)
        at += 2 if version < 1 else 4
        n_properties = data[at]
        at += 1
        # The top bit of each entry says that a reader must know the property.
        entries = struct.unpack_from(f">{n_properties}{'H' if wide else 'B'}", data, at)
        at += n_properties * (2 if wide else 1)
        if found == item:
            return [entry & (0x7FFF if wide else 0x7F) for entry in entries]
    return []
