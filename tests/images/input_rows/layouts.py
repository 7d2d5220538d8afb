"""Containers, sizes, orientations, palettes and transparency."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pillow_heif
from images import png_maker
from images.input_rows.row import BAD_IMAGE, Row, saved
from images.pictures import Pixels, patches, turned
from PIL import Image

WHITE = ("--alpha", "flatten=#ffffff")
OPAQUE = "dropped an alpha channel"
TRANSPARENT = "has transparent pixels"
LAID = "were laid on #"


def file_of(picture: Image.Image, kind: str, **options: object) -> Callable[[], bytes]:
    """A function that saves a picture."""

    def make() -> bytes:
        file = io.BytesIO()
        picture.save(file, kind, **options)
        return file.getvalue()

    return make


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x010F] = "Maker"
    block[0x0112] = orientation
    return block.tobytes()


def heic(picture: Pixels, orientation: int = 1, frames: int = 1) -> Callable[[], bytes]:
    """A HEIC that tells its orientation in the container and in its EXIF, as telephones do."""

    def make() -> bytes:
        file = io.BytesIO()
        heif = pillow_heif.HeifFile()
        for index in range(frames):
            frame = picture if index == 0 else picture[::-1]
            heif.add_frombytes("RGB", (picture.shape[1], picture.shape[0]), frame.tobytes())
            # From this the writer makes the container's own rotation.
            heif[index].info["exif"] = exif(orientation)
        heif.save(file, quality=95, chroma=444, primary_index=0)
        return file.getvalue()

    return make


def _gain_map_jpeg() -> bytes:
    xmp = b'<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>'
    return file_of(Image.fromarray(patches()), "JPEG", quality=100, subsampling=0, xmp=xmp)()


def _rgba(alpha: Pixels) -> Image.Image:
    return Image.fromarray(np.dstack([patches(), alpha]))


def _ramp() -> Pixels:
    return np.broadcast_to(np.linspace(0, 255, 64).round().astype(np.uint8), (48, 64)).copy()


def _on_white(picture: Pixels, alpha: Pixels) -> Pixels:
    share = alpha[..., None] / 255.0
    return np.floor(picture * share + 255.0 * (1 - share) + 0.5 + 1e-9).astype(np.uint8)


def _palette(transparency: int | bytes | None) -> Callable[[], bytes]:
    picture = Image.fromarray(_indices())
    picture.putpalette([0, 0, 0, 200, 40, 40, 40, 180, 60, 50, 60, 190, 210, 200, 90])
    return file_of(picture, "PNG", **({} if transparency is None else {"transparency": transparency}))


def _indices() -> Pixels:
    """Which of the palette's colours 1..4 each pixel of `patches` has; 0 is not used."""
    colours = {(200, 40, 40): 1, (40, 180, 60): 2, (50, 60, 190): 3, (210, 200, 90): 4}
    flat = [colours[tuple(int(v) for v in pixel)] for pixel in patches().reshape(-1, 3)]
    return np.array(flat, dtype=np.uint8).reshape(48, 64)


def _grey() -> Pixels:
    return patches()[:, :, 1].copy()


def _three(grey: Pixels) -> Pixels:
    return np.repeat(grey[:, :, None], 3, axis=2)


_SOLID = np.full((48, 64), 255, dtype=np.uint8)
_RED_TO_WHITE = np.where(_indices()[:, :, None] == 1, np.uint8(255), patches())
_RED_HALF = np.where(_indices() == 1, np.uint8(128), np.uint8(255))
_KEY_CHUNK = (b"tRNS", b"\0\xc8\0\x28\0\x28")

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
    Row(
        "JPEG with a gain map",
        saved("a.jpg", _gain_map_jpeg),
        message="gain map for high dynamic range was ignored",
        pixels=patches(),
        tolerance=3,
    ),
    Row("grey", saved("a.png", file_of(Image.fromarray(_grey()), "PNG")), pixels=_three(_grey())),
    Row(
        "black and white",
        saved("a.png", file_of(Image.fromarray(_grey() > 100), "PNG")),
        pixels=_three(np.where(_grey() > 100, np.uint8(255), np.uint8(0))),
    ),
    Row("palette", saved("a.png", _palette(None)), pixels=patches()),
    Row(
        "palette with an unused transparent colour",
        saved("a.png", _palette(0)),
        message=OPAQUE,
        pixels=patches(),
    ),
    Row("palette with a transparent colour", saved("a.png", _palette(1)), BAD_IMAGE, TRANSPARENT),
    Row(
        "palette with a transparent colour, flattened",
        saved("a.png", _palette(1)),
        message=LAID,
        pixels=_RED_TO_WHITE,
        options=WHITE,
    ),
    Row(
        "palette with a half transparent colour, flattened",
        saved("a.png", _palette(bytes((255, 128, 255, 255, 255)))),
        message=LAID,
        pixels=_on_white(patches(), _RED_HALF),
        options=WHITE,
    ),
    Row("GIF", saved("a.gif", file_of(Image.fromarray(_grey()), "GIF")), pixels=_three(_grey())),
    Row("opaque alpha", saved("a.png", file_of(_rgba(_SOLID), "PNG")), message=OPAQUE, pixels=patches()),
    Row("transparent", saved("a.png", file_of(_rgba(_ramp()), "PNG")), BAD_IMAGE, TRANSPARENT),
    Row(
        "transparent, flattened",
        saved("a.png", file_of(_rgba(_ramp()), "PNG")),
        message="were laid on #ffffff",
        pixels=_on_white(patches(), _ramp()),
        options=WHITE,
    ),
    Row("transparent WebP", saved("a.webp", file_of(_rgba(_ramp()), "WEBP")), BAD_IMAGE, TRANSPARENT),
    Row("transparent AVIF", saved("a.avif", file_of(_rgba(_ramp()), "AVIF")), BAD_IMAGE, TRANSPARENT),
    Row(
        "transparent HEIC",
        saved("a.heic", lambda: _heic_of(_rgba(_ramp()))),
        message=LAID,
        pixels=_on_white(patches(), _ramp()),
        tolerance=8,
        options=WHITE,
    ),
    Row(
        "grey and opaque alpha",
        saved("a.png", lambda: png_maker.picture(np.dstack([_grey(), _SOLID]), png_maker.GREY_ALPHA)),
        message=OPAQUE,
        pixels=_three(_grey()),
    ),
    Row(
        "grey and alpha, flattened",
        saved("a.png", lambda: png_maker.picture(np.dstack([_grey(), _ramp()]), png_maker.GREY_ALPHA)),
        message=LAID,
        pixels=_on_white(_three(_grey()), _ramp()),
        options=WHITE,
    ),
    Row(
        "RGB with a transparent colour",
        saved("a.png", lambda: png_maker.picture(patches(), png_maker.RGB, [_KEY_CHUNK])),
        BAD_IMAGE,
        TRANSPARENT,
    ),
    Row(
        "RGB with a transparent colour, flattened",
        saved("a.png", lambda: png_maker.picture(patches(), png_maker.RGB, [_KEY_CHUNK])),
        message=LAID,
        pixels=_RED_TO_WHITE,
        options=WHITE,
    ),
    Row(
        "RGB with a transparent colour that is not used",
        saved("a.png", lambda: png_maker.picture(patches(), png_maker.RGB, [(b"tRNS", bytes(6))])),
        message=OPAQUE,
        pixels=patches(),
    ),
)


def _heic_of(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file, quality=95, chroma=444)
    return file.getvalue()
