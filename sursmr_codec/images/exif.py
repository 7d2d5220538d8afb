"""Orientation, read from an EXIF block, taken out of it and applied to pixels; density, put into one.

Source: Exif 3.0 (CIPA DC-008), section 4.6; TIFF 6.0, section 2, for the layout of directories.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.errors import ImageError

_PREFIX = b"Exif\0\0"
_ORIENTATION = 0x0112
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
_INCH = 2
_ENTRY_BYTES = 12
_SHORT, _LONG, _RATIONAL = 3, 4, 5
_MOST_LONG = (1 << 32) - 1
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_UPRIGHT = 1
SIDEWAYS = (5, 6, 7, 8)
"""Orientations that swap rows and columns."""


def take_orientation(block: bytes) -> tuple[int, bytes | None]:
    """Orientation 1..8 of an EXIF block, and the block without that tag; None where nothing else is in it.

    Every other byte stays where it was, so that offsets inside maker notes still hold. The block is returned
    with its `Exif` prefix. Raises ImageError where it is broken.
    """
    body = bytearray(block.removeprefix(_PREFIX))
    order = _ORDERS.get(bytes(body[:4]))
    if order is None:
        raise ImageError("EXIF does not start with a TIFF header")
    try:
        (directory,) = struct.unpack_from(order + "I", body, 4)
        (n_entries,) = struct.unpack_from(order + "H", body, directory)
        first = directory + 2
        # The four bytes after the entries point to the next directory; some writers leave them out.
        end = min(first + n_entries * _ENTRY_BYTES + 4, len(body))
        orientation = _UPRIGHT
        for at in reversed(range(first, first + n_entries * _ENTRY_BYTES, _ENTRY_BYTES)):
            tag, kind = struct.unpack_from(order + "HH", body, at)
            (value,) = struct.unpack_from(order + ("I" if kind == _LONG else "H2x"), body, at + 8)
            if tag == _ORIENTATION:
                orientation = value if 1 <= value <= 8 else _UPRIGHT
                n_entries -= 1
                body[at : end - _ENTRY_BYTES] = body[at + _ENTRY_BYTES : end]
                body[end - _ENTRY_BYTES : end] = bytes(_ENTRY_BYTES)
                end -= _ENTRY_BYTES
        struct.pack_into(order + "H", body, directory, n_entries)
    except struct.error as trouble:
        raise ImageError(f"EXIF is broken: {trouble}") from trouble
    return orientation, _PREFIX + bytes(body) if n_entries else None


def density_block(density: tuple[float, float]) -> bytes:
    """An EXIF block, prefix included, that tells dots an inch across and down, and nothing else."""
    n_entries = 3
    values_at = 8 + 2 + n_entries * _ENTRY_BYTES + 4
    directory = struct.pack(">H", n_entries)
    directory += struct.pack(">HHII", _X_RESOLUTION, _RATIONAL, 1, values_at)
    directory += struct.pack(">HHII", _Y_RESOLUTION, _RATIONAL, 1, values_at + 8)
    directory += struct.pack(">HHIHxx", _RESOLUTION_UNIT, _SHORT, 1, _INCH) + bytes(4)
    values = b"".join(struct.pack(">II", *_ratio(dots)) for dots in density)
    return _PREFIX + b"MM\0*" + struct.pack(">I", 8) + directory + values


def states_density(block: bytes) -> bool:
    """Whether an EXIF block tells dots an inch or a centimetre; False for a broken one."""
    body = block.removeprefix(_PREFIX)
    order = _ORDERS.get(body[:4], "<")
    try:
        (directory,) = struct.unpack_from(order + "I", body, 4)
        (n_entries,) = struct.unpack_from(order + "H", body, directory)
        starts = range(directory + 2, directory + 2 + n_entries * _ENTRY_BYTES, _ENTRY_BYTES)
        return any(struct.unpack_from(order + "H", body, at)[0] == _X_RESOLUTION for at in starts)
    except struct.error:
        return False


def _ratio(dots: float) -> tuple[int, int]:
    """Numerator and denominator, exact to a thousandth where that fits 32 bits."""
    return min(max(1, round(1000 * dots)), _MOST_LONG), 1000


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """(width, height) after an orientation of 1..8 is applied."""
    return (height, width) if orientation in SIDEWAYS else (width, height)


def as_stored(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """View of an upright (H, W, ...) picture whose rows and columns run as they are stored in the file.

    Writing the stored pixels through this view applies the orientation without a second copy.
    """
    turned = upright.swapaxes(0, 1) if orientation in SIDEWAYS else upright
    if orientation in (3, 4, 6, 7):
        turned = turned[::-1]
    if orientation in (2, 3, 7, 8):
        turned = turned[:, ::-1]
    return turned
