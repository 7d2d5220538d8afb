"""Colour and depth of the main picture of a HEIF or AVIF file, which decoders do not pass on.

Source: ISO/IEC 14496-12 (boxes), ISO/IEC 23008-12 (`pitm`, `ipco`, `ipma`, `pixi`, `colr`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

_MOST_BOXES = 1 << 16
"""More than any level of a picture's file holds; those of a hostile one must not fill time and memory."""


@dataclass(frozen=True)
class MainPicture:
    """Properties of the primary item; each None where the file does not state it."""

    bit_depth: int | None = None
    """Bits a sample of the first channel."""
    primaries: int | None = None
    """Colour primaries (ITU-T H.273)."""
    transfer: int | None = None
    """Transfer function (ITU-T H.273)."""


@dataclass(frozen=True)
class PrimaryItem:
    """The item that a file shows first."""

    number: int | None
    """Its id; None in a file that names none."""
    properties: tuple[tuple[bytes, int, int], ...] = ()
    """Kind, first byte and end of the contents of each property box."""


def main_picture(data: bytes) -> MainPicture:
    """Read the properties of the primary item; everything is None in a file that is not understood."""
    found = MainPicture()
    try:
        for kind, start, _ in primary_item(data).properties:
            if kind == b"pixi" and data[start + 4]:
                found = replace(found, bit_depth=data[start + 5])
            elif kind == b"colr" and data[start : start + 4] == b"nclx":
                primaries, transfer = struct.unpack_from(">HH", data, start + 4)
                found = replace(found, primaries=primaries, transfer=transfer)
    except (struct.error, IndexError):
        return MainPicture()
    return found


def meta_box(data: bytes) -> tuple[int, int]:
    """First byte and end of what the file's `meta` box holds; an empty range in a file without one."""
    try:
        return child(data, 0, len(data), b"meta") or (0, 0)
    except struct.error:
        return (0, 0)


def primary_item(data: bytes) -> PrimaryItem:
    """The primary item; without properties where the file states none.

    Raises struct.error or IndexError where the file is cut off.
    """
    meta = child(data, 0, len(data), b"meta")
    inner = (0, 0) if meta is None else (meta[0] + 4, meta[1])
    pitm, iprp = child(data, *inner, b"pitm"), child(data, *inner, b"iprp")
    if pitm is None or iprp is None:
        return PrimaryItem(None)
    ipco, ipma = child(data, *iprp, b"ipco"), child(data, *iprp, b"ipma")
    (number,) = struct.unpack_from(">H" if data[pitm[0]] == 0 else ">I", data, pitm[0] + 4)
    if ipco is None or ipma is None:
        return PrimaryItem(number)
    known = list(boxes(data, *ipco))
    indices = [index for index in _associated(data, ipma[0], number) if 1 <= index <= len(known)]
    return PrimaryItem(number, tuple(known[index - 1] for index in indices))


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte and end of the contents of each box between two offsets, the first 65536 of them."""
    for _ in range(_MOST_BOXES):
        if start + 8 > end:
            return
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


def child(data: bytes, start: int, end: int, wanted: bytes) -> tuple[int, int] | None:
    """First byte and end of the contents of the first box of a kind between two offsets; None without one."""
    for kind, first, last in boxes(data, start, end):
        if kind == wanted:
            return first, last
    return None


def _associated(data: bytes, start: int, item: int) -> list[int]:
    """One-based indices of the properties of an item, from the contents of an `ipma` box."""
    version, wide = data[start], data[start + 3] & 1
    (n_entries,) = struct.unpack_from(">I", data, start + 4)
    at = start + 8
    for _ in range(min(n_entries, _MOST_BOXES)):
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
