"""Whole files of every format that is read or decoded, and damaged copies of them.

A damaged copy follows from a seed, a format and a number alone, so that each one can be made again.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

from sursmr_codec import codecs
from sursmr_codec.types import Source

WIDTH, HEIGHT = 50, 38
_FRONT = 200
"""Bytes at the front of a file, where most of its headers are."""
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


@dataclass(frozen=True)
class Format:
    """Files of one kind, all whole."""

    name: str
    """Container as `images.read` takes it, or `decode:` and the codec that decodes it."""
    whole: tuple[bytes, ...]

    @property
    def codec_id(self) -> str | None:
        """The codec to decode with; None for what `images.read` reads."""
        kind, _, codec_id = self.name.partition(":")
        return codec_id if kind == "decode" else None


def formats() -> list[Format]:
    """Every container that is read, then every codec that is usable here."""
    read = [Format(name, tuple(make())) for name, make in _MAKERS.items()]
    source = Source.from_array(_pixels())
    decoded = []
    for codec_id in codecs.available_ids():
        codec = codecs.get(codec_id)
        qps = (codec.qp_range[0], codec.qp_range[len(codec.qp_range) // 2], codec.qp_range[-1])
        decoded.append(Format(f"decode:{codec_id}", tuple(codec.encode(source, qp) for qp in qps)))
    return read + decoded


def damaged(chosen: Format, seed: int, number: int) -> bytes:
    """Damaged copy `number` of a format: a few changes, mostly one, to one of its whole files."""
    rng = np.random.default_rng([seed, number, *chosen.name.encode()])
    data = chosen.whole[rng.integers(len(chosen.whole))]
    for _ in range(min(5, rng.geometric(0.6))):
        change = _CHANGES[rng.integers(len(_CHANGES))]
        data = change(data, rng, chosen)
    # Else a checksum would keep nearly every damage from ever being looked at.
    return _with_checksums(data) if chosen.name == "png" and rng.integers(4) else data


def _with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks, as far as they can be followed, have the right checksums again."""
    mended, at = bytearray(data), 8
    while at + 12 <= len(mended):
        end = at + 8 + int.from_bytes(mended[at : at + 4], "big")
        if end + 4 > len(mended):
            break
        mended[end : end + 4] = zlib.crc32(mended[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(mended)


def _place(data: bytes, rng: np.random.Generator) -> int:
    """A position, half of the time near the front."""
    reach = min(len(data), _FRONT) if rng.integers(2) else len(data)
    return int(rng.integers(0, max(1, reach)))


def _flip(data: bytes, rng: np.random.Generator, _: Format) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        if changed:
            changed[_place(data, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _overwrite(data: bytes, rng: np.random.Generator, _: Format) -> bytes:
    at, n_bytes = _place(data, rng), int(rng.integers(1, 9))
    return data[:at] + rng.bytes(n_bytes) + data[at + n_bytes :]


def _extreme(data: bytes, rng: np.random.Generator, _: Format) -> bytes:
    """A length, a count or an offset that is far too large or too small."""
    at, code = _place(data, rng), "<>"[rng.integers(2)] + "BHI"[rng.integers(3)]
    size = struct.calcsize(code)
    value = _EXTREMES[rng.integers(len(_EXTREMES))] & ((1 << 8 * size) - 1)
    return data[:at] + struct.pack(code, value) + data[at + size :]


def _cut(data: bytes, rng: np.random.Generator, _: Format) -> bytes:
    return data[: int(rng.integers(0, len(data) + 1))]


def _remove(data: bytes, rng: np.random.Generator, _: Format) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + int(rng.integers(1, 40)) :]


def _insert(data: bytes, rng: np.random.Generator, _: Format) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.bytes(int(rng.integers(1, 40))) + data[at:]


def _repeat(data: bytes, rng: np.random.Generator, _: Format) -> bytes:
    start, stop = sorted(int(place) for place in rng.integers(0, len(data) + 1, size=2))
    return data[:stop] + data[start:stop] + data[stop:]


def _splice(data: bytes, rng: np.random.Generator, chosen: Format) -> bytes:
    """The front of one file and the back of another."""
    other = chosen.whole[rng.integers(len(chosen.whole))]
    at = _place(data, rng)
    return data[:at] + other[int(rng.integers(0, len(other))) :]


_CHANGES = (_flip, _flip, _overwrite, _extreme, _extreme, _cut, _remove, _insert, _repeat, _splice)


def _pixels() -> np.ndarray:
    """(HEIGHT, WIDTH, 3) uint8 with slopes, an edge and noise."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    slopes = np.stack([4 * x, 5 * y, 200 - 2 * x - y], axis=2) + 40 * (x > 20)[:, :, None]
    noise = np.random.default_rng(0).normal(0, 6, slopes.shape)
    return np.clip(slopes + noise, 0, 255).astype(np.uint8)


def _picture() -> Image.Image:
    return Image.fromarray(_pixels())


def _saved(picture: Image.Image, container: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, container, **options)
    return file.getvalue()


def _extras() -> dict[str, bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker"
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {"exif": exif.tobytes(), "icc_profile": profile}


def _jpeg() -> list[bytes]:
    picture = _picture()
    return [
        _saved(picture, "JPEG", quality=60),
        _saved(picture, "JPEG", quality=80, progressive=True, **_extras()),
        _saved(picture.convert("CMYK"), "JPEG", quality=70),
        _saved(picture.convert("L"), "JPEG", quality=90, subsampling="4:4:4"),
    ]


def _png() -> list[bytes]:
    picture = _picture()
    deep = Image.fromarray(_pixels()[:, :, 0].astype(np.uint16) * 257)
    return [
        _saved(picture, "PNG", **_extras()),
        _saved(picture.convert("RGBA"), "PNG"),
        _saved(picture.convert("P"), "PNG", transparency=3),
        _saved(picture.convert("1"), "PNG"),
        _saved(deep, "PNG"),
    ]


def _webp() -> list[bytes]:
    picture = _picture()
    return [
        _saved(picture, "WEBP", quality=50, **_extras()),
        _saved(picture, "WEBP", lossless=True),
        _saved(picture.convert("RGBA"), "WEBP", quality=70),
    ]


def _avif() -> list[bytes]:
    picture = _picture()
    return [
        _saved(picture, "AVIF", quality=50, speed=10, max_threads=1, **_extras()),
        _saved(picture.convert("RGBA"), "AVIF", quality=80, speed=10, max_threads=1, subsampling="4:4:4"),
    ]


def _heif() -> list[bytes]:
    import pillow_heif

    files = []
    for mode, options in (("RGB", _extras()), ("RGBA", {}), ("L", {})):
        file = io.BytesIO()
        pillow_heif.from_pillow(_picture().convert(mode)).save(file, quality=60, **options)
        files.append(file.getvalue())
    return files


def _tiff() -> list[bytes]:
    picture = _picture()
    files = [
        _saved(picture, "TIFF", compression=name)
        for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")
    ]
    return [
        *files,
        _saved(picture.convert("1"), "TIFF", compression="group4"),
        _saved(picture, "TIFF", **_extras()),
    ]


def _bmp() -> list[bytes]:
    picture = _picture()
    return [_saved(picture, "BMP"), _saved(picture.convert("P"), "BMP"), _saved(picture.convert("1"), "BMP")]


def _gif() -> list[bytes]:
    return [_saved(_picture(), "GIF"), _saved(_picture().convert("P"), "GIF", transparency=1, interlace=1)]


def _ppm() -> list[bytes]:
    plain = f"P3 4 2 255 {' '.join(str(7 * n) for n in range(24))}\n".encode()
    return [_saved(_picture(), "PPM"), _saved(_picture().convert("1"), "PPM"), plain]


_MAKERS: dict[str, Callable[[], list[bytes]]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "avif": _avif,
    "heif": _heif,
    "tiff": _tiff,
    "bmp": _bmp,
    "gif": _gif,
    "ppm": _ppm,
}
