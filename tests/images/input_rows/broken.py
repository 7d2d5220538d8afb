"""What is no picture, not a whole one, or not one that may be read."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pillow_heif
from images import icc_maker, png_maker
from images.input_rows.depths import deep, tiff
from images.input_rows.row import BAD_IMAGE, Row, saved
from images.pictures import noise, patches
from PIL import Image


def encoded(kind: str, frames: int = 1, **options: object) -> Callable[[], bytes]:
    """A function that makes a file of noise: large enough that no cut falls into its header."""

    def make() -> bytes:
        pictures = [Image.fromarray(noise(96, 128, seed=seed).astype("uint8")) for seed in range(frames)]
        file = io.BytesIO()
        if frames > 1:
            options.update(save_all=True, append_images=pictures[1:])
        if kind == "HEIF":
            pillow_heif.from_pillow(pictures[0]).save(file, quality=90)
        else:
            pictures[0].save(file, kind, **options)
        return file.getvalue()

    return make


def cut(make: Callable[[], bytes], share: float) -> Callable[[], bytes]:
    """The first part of a file."""

    def make_part() -> bytes:
        whole = make()
        return whole[: int(len(whole) * share)]

    return make_part


def zero_filled(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """A file of full length whose second half never arrived."""

    def make_part() -> bytes:
        whole = make()
        return whole[: len(whole) // 2].ljust(len(whole), b"\0")

    return make_part


def absurd_tiff() -> bytes:
    """A TIFF of 9999 channels."""
    return tiff(deep(), "<", 2).replace(
        struct.pack("<HHII", 277, 4, 1, 3), struct.pack("<HHII", 277, 4, 1, 9999)
    )


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    return png_maker.encode([png_maker.header(width, height), (b"IDAT", b"\x78\x9c\x03\0\0\0\0\x01")])


def webp_bomb() -> bytes:
    """A WebP that claims 16384x16384 pixels."""
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (16383).to_bytes(3, "little") * 2
    return b"RIFF" + struct.pack("<I", 4 + len(canvas)) + b"WEBP" + canvas


def pipe(folder: Path) -> Path:
    path = folder / "pipe.png"
    os.mkfifo(path)
    return path


def private(folder: Path) -> Path:
    path = saved("private.png", encoded("PNG"))(folder)
    path.chmod(0)
    return path


def folder_of_images(folder: Path) -> Path:
    path = folder / "pictures.png"
    path.mkdir()
    return path


def loop(folder: Path) -> Path:
    path = folder / "loop.png"
    path.symlink_to(path)
    return path


def device(folder: Path) -> Path:
    path = folder / "zero.png"
    path.symlink_to("/dev/zero")
    return path


def _bad(name: str, build: Callable[[Path], Path], message: str, *options: str) -> Row:
    return Row(name, build, BAD_IMAGE, message, options=options)


_CUT_KINDS = (
    ("png", "PNG", {}),
    ("jpg", "JPEG", {"quality": 90}),
    ("progressive.jpg", "JPEG", {"quality": 90, "progressive": True}),
    ("webp", "WEBP", {"quality": 90}),
    ("lossless.webp", "WEBP", {"lossless": True}),
    ("gif", "GIF", {}),
    ("bmp", "BMP", {}),
    ("tif", "TIFF", {}),
    ("lzw.tif", "TIFF", {"compression": "tiff_lzw"}),
    ("avif", "AVIF", {"quality": 90, "speed": 10}),
    ("heic", "HEIF", {}),
    ("ppm", "PPM", {}),
)

ROWS = (
    _bad("missing", lambda folder: folder / "absent.png", "no such file"),
    _bad("missing folder", lambda folder: folder / "absent" / "a.png", "no such file"),
    _bad("line break in name", lambda folder: folder / "a\nb.png", "a\\nb.png': no such file"),
    _bad("empty", saved("empty.png", b""), "is empty"),
    _bad("a folder", folder_of_images, "is a folder"),
    _bad("a pipe", pipe, "is a pipe or device"),
    _bad("a device", device, "is a pipe or device"),
    _bad("a link to itself", loop, "cannot be read"),
    Row("no permission", private, BAD_IMAGE, "no permission", unprivileged=True),
    _bad("text", saved("notes.jpg", b"not a picture at all\n" * 50), "is not an image"),
    _bad("a film", saved("film.png", b"\0\0\0\x18ftypisom\0\0\0\0isomiso2" + bytes(500)), "is not an image"),
    _bad("zeros", saved("zeros.png", bytes(5000)), "is not an image"),
    _bad("one byte", saved("one.jpg", b"\xff"), "is not an image"),
    *(
        _bad(f"only the magic of {name}", saved(f"magic.{name}", magic), "broken")
        for name, magic in (
            ("png", b"\x89PNG\r\n\x1a\n"),
            ("jpg", b"\xff\xd8\xff\xe0"),
            ("webp", b"RIFF\x10\0\0\0WEBPVP8 "),
            ("gif", b"GIF89a"),
            ("tif", b"II*\0\x08\0\0\0"),
            ("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
            ("avif", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif"),
        )
    ),
    *(
        _bad(f"{share:.0%} of a {name}", saved(f"cut.{name}", cut(encoded(kind, **options), share)), "broken")
        for name, kind, options in _CUT_KINDS
        for share in (0.1, 0.5, 0.98)
    ),
    *(
        _bad(
            f"zeros for the second half of a {name}", saved(f"a.{name}", zero_filled(encoded(kind))), message
        )
        for name, kind, message in (
            ("jpg", "JPEG", "its end marker is missing"),
            ("png", "PNG", "broken"),
            ("gif", "GIF", "broken"),
        )
    ),
    _bad("absurd TIFF", saved("absurd.tif", absurd_tiff), "broken"),
    _bad("no columns", saved("narrow.png", bomb(0, 8)), "has no pixels (0x8)"),
    _bad("no rows", saved("flat.png", bomb(8, 0)), "has no pixels (8x0)"),
    _bad("bomb", saved("bomb.png", bomb(60000, 60000)), "60000x60000 = 3,600,000,000 pixels, the limit is"),
    _bad("WebP bomb", saved("bomb.webp", webp_bomb()), "268,435,456 pixels, the limit is 200,000,000"),
    _bad(
        "above a limit that was asked for",
        saved("a.png", encoded("PNG")),
        "--max-pixels",
        "--max-pixels",
        "12287",
    ),
    *(
        _bad(
            f"{kind} above a limit that was asked for",
            saved("a", encoded(kind)),
            "has 128x96 = 12,288 pixels, the limit is 12,287",
            "--max-pixels",
            "12287",
        )
        for kind in ("JPEG", "TIFF", "AVIF", "HEIF")
    ),
    Row("at a limit that was asked for", saved("a.png", encoded("PNG")), options=("--max-pixels", "12288")),
    _bad("animated GIF", saved("a.gif", encoded("GIF", 3)), "holds 3 pictures"),
    _bad("animated WebP", saved("a.webp", encoded("WEBP", 3)), "holds 3 pictures"),
    _bad("animated PNG", saved("a.png", encoded("PNG", 3)), "holds 3 pictures"),
    _bad("TIFF of two pages", saved("a.tif", encoded("TIFF", 2)), "holds 2 pictures"),
    _bad("AVIF sequence", saved("a.avif", encoded("AVIF", 2, speed=10)), "holds 2 pictures"),
    _bad(
        "PQ PNG",
        saved(
            "pq.png", lambda: png_maker.picture(patches(), png_maker.RGB, [(b"cICP", bytes((9, 16, 0, 1)))])
        ),
        "high dynamic range picture (PQ)",
    ),
    _bad(
        "HLG PNG",
        saved(
            "hlg.png", lambda: png_maker.picture(patches(), png_maker.RGB, [(b"cICP", bytes((9, 18, 0, 1)))])
        ),
        "high dynamic range picture (HLG)",
    ),
    _bad(
        "PQ by profile",
        saved("pq.tif", encoded("TIFF", icc_profile=icc_maker.pq())),
        "high dynamic range picture (PQ)",
    ),
)
