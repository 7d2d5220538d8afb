"""Small ICC profiles made by hand (ICC.1:2022), and the colour arithmetic to check them by."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

P3_TO_XYZ = np.array(
    [
        [0.515102, 0.291965, 0.157153],
        [0.241182, 0.692236, 0.066582],
        [-0.001050, 0.041882, 0.784332],
    ]
)
"""Display P3 to XYZ, adapted to D50."""
SRGB_TO_XYZ = np.array(
    [
        [0.436066, 0.385147, 0.143066],
        [0.222488, 0.716873, 0.060608],
        [0.013916, 0.097076, 0.714096],
    ]
)
"""sRGB to XYZ, adapted to D50."""
D50 = np.array([0.9642, 1.0, 0.8249])


def display_p3(extra: tuple[tuple[bytes, bytes], ...] = ()) -> bytes:
    return rgb_profile(P3_TO_XYZ, extra)


def srgb() -> bytes:
    return rgb_profile(SRGB_TO_XYZ)


def pq() -> bytes:
    """A profile that says in its `cicp` tag that samples are PQ."""
    return display_p3(((b"cicp", b"cicp" + bytes(4) + bytes((9, 16, 0, 1))),))


def rgb_profile(matrix: NDArray[np.float64], extra: tuple[tuple[bytes, bytes], ...] = ()) -> bytes:
    curve = (
        b"para"
        + bytes(4)
        + struct.pack(">HH", 3, 0)
        + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    )
    tags = [
        (name, b"XYZ " + bytes(4) + _fixed(*matrix[:, i]))
        for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))
    ]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    return _profile(b"mntr", b"RGB ", b"XYZ ", [*tags, *extra])


def linear_grey() -> bytes:
    """Grey whose samples are linear light."""
    return _profile(b"mntr", b"GRAY", b"XYZ ", [(b"kTRC", b"curv" + bytes(4) + struct.pack(">I", 0))])


CYAN_LAB = (60, -30, -40)
"""What full cyan alone is in `cmyk`."""


def cmyk() -> bytes:
    """Two grid points an ink: paper is white, cyan alone is `CYAN_LAB`, everything else is black."""
    grid = np.zeros((2, 2, 2, 2, 3), dtype=np.uint8)
    grid[...] = (0, 128, 128)
    grid[0, 0, 0, 0] = (255, 128, 128)
    lightness, a, b = CYAN_LAB
    grid[1, 0, 0, 0] = (round(lightness * 2.55), a + 128, b + 128)
    ramp = bytes(range(256))
    identity = _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + ramp * 4 + grid.tobytes() + ramp * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", [(b"A2B0", table)])


def decode_srgb(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels 0..255 to linear light 0..1."""
    v = np.asarray(levels) / 255.0
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def encode_srgb(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light to levels 0..255."""
    c = np.clip(light, 0.0, 1.0)
    return 255.0 * np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055)


def p3_to_srgb(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 3) Display P3 levels to sRGB levels, clipped."""
    xyz = decode_srgb(levels) @ P3_TO_XYZ.T
    return encode_srgb(xyz @ np.linalg.inv(SRGB_TO_XYZ).T)


def lab_to_srgb(lab: tuple[float, float, float]) -> NDArray[np.float64]:
    """CIE L*a*b* (D50) to sRGB levels, clipped."""
    lightness, a, b = lab
    y = (lightness + 16) / 116
    f = np.array([y + a / 500, y, y - b / 200])
    xyz = D50 * np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return encode_srgb(xyz @ np.linalg.inv(SRGB_TO_XYZ).T)


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _profile(kind: bytes, space: bytes, connection: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    tags = [*tags, (b"wtpt", b"XYZ " + bytes(4) + _fixed(*D50))]
    at = 128 + 4 + 12 * len(tags)
    table, bodies = struct.pack(">I", len(tags)), b""
    for name, body in tags:
        body += bytes(-len(body) % 4)
        table += struct.pack(">4sII", name, at + len(bodies), len(body))
        bodies += body
    head = struct.pack(
        ">I4s4s4s4s4s12x4s28x", at + len(bodies), b"", b"\2\x40\0\0", kind, space, connection, b"acsp"
    )
    head += _fixed(*D50)
    return head.ljust(128, b"\0") + table + bodies
