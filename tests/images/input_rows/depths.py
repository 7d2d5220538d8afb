"""Samples of more and of fewer than 8 bits."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pillow_heif
from images import png_maker
from images.input_rows.makers import WHITE, file_of
from images.input_rows.row import BAD_IMAGE, Row, saved
from images.pictures import Pixels, noise
from numpy.typing import NDArray
from PIL import Image

ROUNDED = "16-bit samples were rounded to 8 bits"


def deep(channels: int = 3) -> NDArray[np.uint16]:
    """(24, 40, channels) noise with the corners of rounding in the first row."""
    samples = noise(channels=channels, levels=65536)
    samples[0, :8] = np.array([0, 128, 129, 257, 65535, 65407, 65406, 256])[:, None]
    return samples.astype(np.uint16)


def rounded(samples: NDArray[np.uint16], white: int = 65535) -> Pixels:
    """8-bit levels, by exact arithmetic."""
    return np.floor(samples.astype(np.float64) * 255 / white + 0.5).astype(np.uint8)


def _three(samples: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return np.repeat(samples, 3, axis=2)


def tiff(samples: NDArray[np.uint16], order: str, photometric: int) -> bytes:
    """An uncompressed TIFF of (H, W, channels) 16-bit samples; `order` is `<` or `>`."""
    height, width, n_channels = samples.shape
    pixels = samples.astype(f"{order}u2").tobytes()
    n_entries = 9
    depths_at = 8 + 2 + 12 * n_entries + 4
    pixels_at = depths_at + 2 * n_channels
    depths = struct.pack(f"{order}{n_channels}H", *[16] * n_channels)
    inline = struct.unpack(f"{order}I", depths.ljust(4, b"\0"))[0] if n_channels <= 2 else depths_at
    short, long = 3, 4
    entries = (
        (256, long, 1, width),
        (257, long, 1, height),
        (258, short, n_channels, inline),
        (259, long, 1, 1),
        (262, long, 1, photometric),
        (273, long, 1, pixels_at),
        (277, long, 1, n_channels),
        (278, long, 1, height),
        (279, long, 1, len(pixels)),
    )
    assert len(entries) == n_entries
    magic = b"II*\0" if order == "<" else b"MM\0*"
    head = magic + struct.pack(f"{order}IH", 8, n_entries)
    body = b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    return head + body + bytes(4) + depths + pixels


def twelve_bit_tiff() -> bytes:
    """Grey 0 .. 4095 in steps of 5, packed two samples to three bytes."""
    samples = np.arange(0, 4096, 5)[:818]
    pairs = samples.reshape(-1, 2)
    packed = np.stack(
        [pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], axis=1
    )
    whole = tiff(np.zeros((1, len(samples), 1), dtype=np.uint16), "<", 1)
    whole = whole[: -2 * len(samples)] + packed.astype(np.uint8).tobytes()
    whole = whole.replace(struct.pack("<HHII", 258, 3, 1, 16), struct.pack("<HHII", 258, 3, 1, 12))
    return whole.replace(
        struct.pack("<HHII", 279, 4, 1, 2 * len(samples)), struct.pack("<HHII", 279, 4, 1, packed.size)
    )


def _deep_heic() -> bytes:
    file = io.BytesIO()
    samples = np.full((64, 64, 3), 40000, dtype="<u2")
    pillow_heif.from_bytes("RGB;16", (64, 64), samples.tobytes()).save(file, quality=95, chroma=444)
    return file.getvalue()


def _floats(scale: float) -> Callable[[], bytes]:
    samples = (noise(channels=1)[:, :, 0] / 255.0 * scale).astype(np.float32)
    return file_of(Image.fromarray(samples), "TIFF")


def _two_bits(key: tuple[bytes, bytes] | None) -> bytes:
    """Four columns of grey 0, 1, 2, 3 of 3."""
    import zlib

    chunks = [png_maker.header(4, 2, 2, png_maker.GREY), (b"IDAT", zlib.compress(b"\0\x1b" * 2))]
    return png_maker.encode(chunks if key is None else [chunks[0], key, chunks[1]])


_LEVELS = np.broadcast_to(np.array([0, 85, 170, 255], dtype=np.uint8)[None, :, None], (2, 4, 3))

ROWS = (
    Row(
        "16-bit RGB",
        saved("a.png", lambda: png_maker.picture(deep(), png_maker.RGB)),
        message=ROUNDED,
        pixels=rounded(deep()),
    ),
    Row(
        "16-bit RGB and opaque alpha",
        saved(
            "a.png",
            lambda: png_maker.picture(
                np.dstack([deep(), np.full((24, 40), 65535, np.uint16)]), png_maker.RGBA
            ),
        ),
        message=ROUNDED,
        pixels=rounded(deep()),
    ),
    Row(
        "16-bit RGB with a transparent colour, flattened",
        saved(
            "a.png",
            lambda: png_maker.picture(deep(), png_maker.RGB, [(b"tRNS", struct.pack(">3H", 257, 257, 257))]),
        ),
        message=ROUNDED,
        pixels=np.where((deep() == 257).all(axis=2)[:, :, None], np.uint8(255), rounded(deep())),
        options=WHITE,
    ),
    Row(
        "16-bit grey",
        saved("a.png", lambda: png_maker.picture(deep(1), png_maker.GREY)),
        message=ROUNDED,
        pixels=rounded(_three(deep(1))),
    ),
    Row(
        "16-bit grey and opaque alpha",
        saved(
            "a.png",
            lambda: png_maker.picture(
                np.dstack([deep(1), np.full((24, 40), 65535, np.uint16)]), png_maker.GREY_ALPHA
            ),
        ),
        message="cut, not rounded",
        pixels=rounded(_three(deep(1))),
        tolerance=1,
    ),
    *(
        Row(
            f"16-bit {what} TIFF, {order}",
            saved(
                "a.tif",
                lambda order=order, photometric=photometric, channels=channels: tiff(
                    deep(channels), order, photometric
                ),
            ),
            message=ROUNDED,
            pixels=expected,
        )
        for order in "<>"
        for what, photometric, channels, expected in (
            ("RGB", 2, 3, rounded(deep())),
            ("grey", 1, 1, rounded(_three(deep(1)))),
        )
    ),
    Row(
        "16-bit grey TIFF whose white is 0",
        saved("a.tif", lambda: tiff(deep(1), "<", 0)),
        message=ROUNDED,
        pixels=255 - rounded(_three(deep(1))),
    ),
    Row(
        "12-bit grey TIFF",
        saved("a.tif", twelve_bit_tiff),
        message="12-bit samples were rounded",
        pixels=rounded(np.arange(0, 4096, 5).astype(np.uint16)[None, :818, None].repeat(3, axis=2), 4095),
    ),
    Row(
        "16-bit portable grey map",
        saved("a.pgm", lambda: b"P5\n40 24\n65535\n" + deep(1).astype(">u2").tobytes()),
        message=ROUNDED,
        pixels=rounded(_three(deep(1))),
    ),
    Row(
        "16-bit portable pixel map",
        saved("a.ppm", lambda: b"P6\n40 24\n65535\n" + deep().astype(">u2").tobytes()),
        message=ROUNDED,
        pixels=rounded(deep()),
    ),
    Row(
        "10-bit HEIC",
        saved("a.heic", _deep_heic),
        message="10-bit samples were rounded",
        pixels=np.full((64, 64, 3), 156, dtype=np.uint8),
        tolerance=1,
    ),
    Row(
        "floats 0..1",
        saved("a.tif", _floats(1.0)),
        message="floating-point samples 0..1 were read",
        pixels=np.repeat(noise(channels=1), 3, axis=2).astype(np.uint8),
    ),
    Row("floats above 1", saved("a.tif", _floats(2.0)), BAD_IMAGE, "floating-point samples outside 0..1"),
    Row(
        "32-bit samples",
        saved(
            "a.tif",
            file_of(Image.fromarray(noise(channels=1, levels=10**6)[:, :, 0].astype(np.int32)), "TIFF"),
        ),
        BAD_IMAGE,
        "signed or 32-bit samples",
    ),
    Row("2-bit grey", saved("a.png", lambda: _two_bits(None)), pixels=_LEVELS),
    Row(
        "2-bit grey with a transparent level, flattened",
        saved("a.png", lambda: _two_bits((b"tRNS", b"\0\1"))),
        message="were laid on",
        pixels=np.where(_LEVELS == 85, np.uint8(255), _LEVELS),
        options=WHITE,
    ),
)
