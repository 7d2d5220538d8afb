"""PNG files made by hand, for what Pillow refuses to write: 16-bit RGB, odd headers, huge plain pictures."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}

Chunk = tuple[bytes, bytes]


def header(width: int, height: int, depth: int = 8, colour: int = RGB) -> Chunk:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)


def pixels(samples: NDArray[np.uint8] | NDArray[np.uint16]) -> Chunk:
    """IDAT of (H, W, channels) samples, without filters; uint16 becomes big-endian."""
    rows = np.ascontiguousarray(samples.astype(samples.dtype.newbyteorder(">")))
    return b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))


def encode(chunks: Iterable[Chunk]) -> bytes:
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in (*chunks, (b"IEND", b"")):
        parts += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(kind + body))]
    return b"".join(parts)


def picture(
    samples: NDArray[np.uint8] | NDArray[np.uint16], colour: int, extra: Iterable[Chunk] = ()
) -> bytes:
    """A whole file of (H, W, channels) samples, 8 or 16 bits by their type."""
    height, width, n_channels = samples.shape
    assert n_channels == _CHANNELS[colour]
    return encode([header(width, height, 8 * samples.itemsize, colour), *extra, pixels(samples)])


def plain(path: Path, width: int, height: int, rgb: tuple[int, int, int]) -> Path:
    """One colour everywhere, row by row, so that even 100 megapixels take little memory."""
    packer = zlib.compressobj(1)
    row = b"\0" + bytes(rgb) * width
    body = b"".join([packer.compress(row) for _ in range(height)] + [packer.flush()])
    path.write_bytes(encode([header(width, height), (b"IDAT", body)]))
    return path
