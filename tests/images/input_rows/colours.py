"""Colour profiles and colour spaces other than RGB."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from images import icc_maker, png_maker
from images.input_rows.makers import file_of
from images.input_rows.row import BAD_IMAGE, Row, saved
from images.pictures import Pixels, patches
from PIL import Image


def rounded(levels: np.ndarray) -> Pixels:
    return np.floor(levels + 0.5).astype(np.uint8)


def _inks() -> Image.Image:
    """Paper in the left half, full cyan in the right one."""
    inks = np.zeros((16, 32, 4), dtype=np.uint8)
    inks[:, 16:, 0] = 255
    return Image.frombytes("CMYK", (32, 16), inks.tobytes())


def _halves(right: tuple[int, int, int] | np.ndarray) -> Pixels:
    picture = np.full((16, 32, 3), 255, dtype=np.uint8)
    picture[:, 16:] = right
    return picture


def _lab(lightness: int, a: int, b: int) -> Callable[[], bytes]:
    picture = Image.frombytes("LAB", (16, 16), bytes((round(lightness * 2.55), a % 256, b % 256)) * 256)
    return file_of(picture, "TIFF")


def _adobe_jpeg() -> bytes:
    """CMYK as Adobe's programs write it: inverted, which Pillow does on its own as it saves."""
    data = file_of(_inks(), "JPEG", quality=100)()
    assert b"Adobe" in data
    return data


def _nclx(kind: str, code: int) -> Callable[[], bytes]:
    """A file whose colour box claims BT.2020 primaries and another transfer function."""

    def make() -> bytes:
        import pillow_heif

        file = io.BytesIO()
        picture = Image.fromarray(patches())
        if kind == "AVIF":
            picture.save(file, kind)
        else:
            pillow_heif.from_pillow(picture).save(file, quality=90)
        data = bytearray(file.getvalue())
        at = data.index(b"colrnclx") + 8
        data[at : at + 4] = bytes((0, 9, 0, code))
        return bytes(data)

    return make


_P3 = rounded(icc_maker.p3_to_srgb(patches()))
_CYAN = rounded(icc_maker.lab_to_srgb(icc_maker.CYAN_LAB))
_GREY = patches()[:, :, 1]

ROWS = (
    *(
        Row(
            f"Display P3 {kind}",
            saved(
                f"a.{kind.lower()}",
                file_of(Image.fromarray(patches()), kind, icc_profile=icc_maker.display_p3(), **options),
            ),
            pixels=_P3,
            tolerance=tolerance,
        )
        for kind, options, tolerance in (
            ("PNG", {}, 1),
            ("TIFF", {}, 1),
            ("WEBP", {"lossless": True}, 1),
            ("JPEG", {"quality": 100, "subsampling": 0}, 6),
            ("AVIF", {"quality": 100}, 8),
        )
    ),
    Row(
        "sRGB profile",
        saved("a.png", file_of(Image.fromarray(patches()), "PNG", icc_profile=icc_maker.srgb())),
        pixels=patches(),
    ),
    Row(
        "broken profile",
        saved("a.png", file_of(Image.fromarray(patches()), "PNG", icc_profile=b"nonsense" * 40)),
        message="read as sRGB",
        pixels=patches(),
    ),
    Row(
        "profile of another space",
        saved("a.png", file_of(Image.fromarray(patches()), "PNG", icc_profile=icc_maker.cmyk())),
        message="read as sRGB",
        pixels=patches(),
    ),
    Row(
        "grey profile",
        saved("a.png", file_of(Image.fromarray(_GREY), "PNG", icc_profile=icc_maker.linear_grey())),
        pixels=np.repeat(rounded(icc_maker.encode_srgb(_GREY / 255.0))[:, :, None], 3, axis=2),
        tolerance=1,
    ),
    Row(
        "grey with an RGB profile",
        saved("a.png", file_of(Image.fromarray(_GREY), "PNG", icc_profile=icc_maker.display_p3())),
        pixels=np.repeat(_GREY[:, :, None], 3, axis=2),
        tolerance=1,
    ),
    Row(
        "CMYK TIFF with a profile",
        saved("a.tif", file_of(_inks(), "TIFF", icc_profile=icc_maker.cmyk())),
        pixels=_halves(_CYAN),
        tolerance=2,
    ),
    Row(
        "CMYK JPEG with a profile",
        saved("a.jpg", file_of(_inks(), "JPEG", quality=100, icc_profile=icc_maker.cmyk())),
        pixels=_halves(_CYAN),
        tolerance=4,
    ),
    Row(
        "CMYK JPEG without a profile",
        saved("a.jpg", _adobe_jpeg),
        message="plain formula",
        pixels=_halves((0, 255, 255)),
        tolerance=3,
    ),
    Row(
        "CMYK with a broken profile",
        saved("a.tif", file_of(_inks(), "TIFF", icc_profile=b"nonsense" * 40)),
        message="broken colour profile",
        pixels=_halves((0, 255, 255)),
    ),
    Row(
        "L*a*b* TIFF",
        saved("a.tif", _lab(60, 30, -40)),
        pixels=np.broadcast_to(rounded(icc_maker.lab_to_srgb((60, 30, -40))), (16, 16, 3)),
        tolerance=2,
    ),
    Row("PQ AVIF", saved("a.avif", _nclx("AVIF", 16)), BAD_IMAGE, "high dynamic range picture (PQ)"),
    Row("PQ HEIC", saved("a.heic", _nclx("HEIF", 16)), BAD_IMAGE, "high dynamic range picture (PQ)"),
    Row("HLG HEIC", saved("a.heic", _nclx("HEIF", 18)), BAD_IMAGE, "high dynamic range picture (HLG)"),
    Row("BT.2020 AVIF", saved("a.avif", _nclx("AVIF", 1)), message="colour primaries BT.2020"),
    Row(
        "Display P3 PNG without a profile",
        saved(
            "a.png", lambda: png_maker.picture(patches(), png_maker.RGB, [(b"cICP", bytes((12, 13, 0, 1)))])
        ),
        message="colour primaries Display P3",
        pixels=patches(),
    ),
)
