"""Containers, sizes, orientations and palettes."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pillow_heif
from images import png_maker
from images.input_rows.makers import exif, file_of, grey, heic, palette_png, three
from images.input_rows.row import BAD_IMAGE, Row, saved
from images.pictures import patches, turned
from PIL import Image


def _gain_map_jpeg() -> bytes:
    xmp = b'<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>'
    return file_of(Image.fromarray(patches()), "JPEG", quality=100, subsampling=0, xmp=xmp)()


def _gain_map_heic() -> bytes:
    """A HEIC whose table of items names a gain map, in the place of its XMP's type and as long."""
    file = io.BytesIO()
    held = pillow_heif.from_bytes("RGB", (64, 48), patches().tobytes())
    held.save(file, quality=95, chroma=444, xmp=b"<x/>")
    named = file.getvalue().replace(b"application/rdf+xml", b"aux:hdrgainmap/+xml")
    assert named != file.getvalue()
    return named


def _gain_map_avif() -> bytes:
    plain = file_of(Image.fromarray(patches()), "AVIF", quality=95, subsampling="4:4:4", xmp=b"<x/>")()
    return plain.replace(b"application/rdf+xml", b"application/tmap+xm")


def general_brand(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """A file that tells its codec among the compatible brands only."""
    return lambda: make()[:8] + b"mif1" + make()[12:]


ROWS = (
    Row("PNG", saved("a.png", file_of(Image.fromarray(patches()), "PNG")), pixels=patches()),
    Row("BMP", saved("a.bmp", file_of(Image.fromarray(patches()), "BMP")), pixels=patches()),
    Row("TIFF", saved("a.tif", file_of(Image.fromarray(patches()), "TIFF")), pixels=patches()),
    Row(
        "deflated TIFF",
        saved("a.tif", file_of(Image.fromarray(patches()), "TIFF", compression="tiff_adobe_deflate")),
        pixels=patches(),
    ),
    Row("PPM", saved("a.ppm", file_of(Image.fromarray(patches()), "PPM")), pixels=patches()),
    Row(
        "WebP", saved("a.webp", file_of(Image.fromarray(patches()), "WEBP", lossless=True)), pixels=patches()
    ),
    Row(
        "JPEG",
        saved("a.jpg", file_of(Image.fromarray(patches()), "JPEG", quality=100, subsampling=0)),
        pixels=patches(),
        tolerance=3,
    ),
    Row(
        "AVIF",
        saved("a.avif", file_of(Image.fromarray(patches()), "AVIF", quality=100)),
        pixels=patches(),
        tolerance=6,
    ),
    Row("HEIC", saved("a.heic", heic(patches())), pixels=patches(), tolerance=6),
    *(
        Row(
            f"{kind} of the general brand mif1",
            saved("a.heic", general_brand(make)),
            pixels=patches(),
            tolerance=6,
        )
        for kind, make in (
            ("AVIF", file_of(Image.fromarray(patches()), "AVIF", quality=100)),
            ("HEIC", heic(patches())),
        )
    ),
    Row("wrong name", saved("a.jpg", file_of(Image.fromarray(patches()), "PNG")), pixels=patches()),
    Row(
        "one pixel",
        saved("a.png", file_of(Image.fromarray(patches()[:1, :1]), "PNG")),
        pixels=patches()[:1, :1],
    ),
    Row("odd size", saved("a.png", file_of(Image.fromarray(patches(47, 63)), "PNG")), pixels=patches(47, 63)),
    Row("one row", saved("a.png", file_of(Image.fromarray(patches()[:1]), "PNG")), pixels=patches()[:1]),
    Row(
        "one column",
        saved("a.png", file_of(Image.fromarray(patches()[:, :1]), "PNG")),
        pixels=patches()[:, :1],
    ),
    Row(
        "100 megapixels",
        lambda folder: png_maker.plain(folder / "large.png", 12500, 8000, (30, 60, 90)),
        n_pixels=100_000_000,
    ),
    *(
        Row(
            f"{kind} with orientation {orientation}",
            saved(
                f"a.{kind.lower()}",
                file_of(Image.fromarray(patches()), kind, exif=exif(orientation), **options),
            ),
            pixels=turned(patches(), orientation),
            tolerance=tolerance,
        )
        for kind, options, tolerance, orientations in (
            ("PNG", {}, 0, range(1, 9)),
            ("WEBP", {"lossless": True}, 0, (6,)),
            ("TIFF", {}, 0, (3, 6)),
            ("JPEG", {"quality": 100, "subsampling": 0}, 3, (3, 6)),
            ("AVIF", {"quality": 100}, 6, range(1, 9)),
        )
        for orientation in orientations
    ),
    *(
        Row(
            f"HEIC with orientation {orientation}",
            saved("a.heic", heic(patches(), orientation)),
            pixels=turned(patches(), orientation),
            tolerance=6,
        )
        for orientation in range(1, 9)
    ),
    Row(
        "broken EXIF",
        saved("a.png", file_of(Image.fromarray(patches()), "PNG", exif=b"Exif\0\0II*\0\xff\xff\0\0")),
        message="broken EXIF was dropped",
        pixels=patches(),
    ),
    Row(
        "HEIC of two pictures",
        saved("a.heic", heic(patches(), frames=2)),
        message="only the primary of 2 pictures",
        pixels=patches(),
        tolerance=6,
    ),
    Row(
        "JPEG of two pictures",
        saved(
            "a.jpg",
            file_of(
                Image.fromarray(patches()),
                "MPO",
                quality=100,
                subsampling=0,
                save_all=True,
                append_images=[Image.new("RGB", (64, 48))],
            ),
        ),
        message="only the first of 2 pictures",
        pixels=patches(),
        tolerance=3,
    ),
    Row("JPEG with a gain map", saved("a.jpg", _gain_map_jpeg), BAD_IMAGE, "--gain-map drop"),
    Row("HEIC with a gain map", saved("a.heic", _gain_map_heic), BAD_IMAGE, "--gain-map drop"),
    Row("AVIF with a gain map", saved("a.avif", _gain_map_avif), BAD_IMAGE, "(gain map)"),
    Row(
        "HEIC without its gain map",
        saved("a.heic", _gain_map_heic),
        message="gain map for high dynamic range was dropped",
        options=("--gain-map", "drop"),
        pixels=patches(),
        tolerance=8,
    ),
    Row(
        "JPEG without its gain map",
        saved("a.jpg", _gain_map_jpeg),
        message="gain map for high dynamic range was dropped",
        options=("--gain-map", "drop"),
        pixels=patches(),
        tolerance=3,
    ),
    Row("grey", saved("a.png", file_of(Image.fromarray(grey()), "PNG")), pixels=three(grey())),
    Row(
        "black and white",
        saved("a.png", file_of(Image.fromarray(grey() > 100), "PNG")),
        pixels=three(np.where(grey() > 100, np.uint8(255), np.uint8(0))),
    ),
    Row("palette", saved("a.png", palette_png(None)), pixels=patches()),
    Row("GIF", saved("a.gif", file_of(Image.fromarray(grey()), "GIF")), pixels=three(grey())),
)
