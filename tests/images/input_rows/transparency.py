"""Alpha of every kind: opaque, refused, laid on a colour."""

from __future__ import annotations

import io

import numpy as np
import pillow_heif
from images import png_maker
from images.input_rows.makers import WHITE, file_of, grey, indices, palette_png, three
from images.input_rows.row import BAD_IMAGE, Row, saved
from images.pictures import Pixels, patches
from PIL import Image

OPAQUE = "dropped an alpha channel"
TRANSPARENT = "has transparent pixels"
LAID = "were laid on #"


def _weighted_heic() -> bytes:
    """Grey 200 at half opacity, stored as 100 (ISO/IEC 23008-12, section 6.10.1.2: premultiplied)."""
    file = io.BytesIO()
    samples = np.full((48, 64, 4), (100, 100, 100, 128), dtype=np.uint8)
    pillow_heif.from_bytes("RGBa", (64, 48), samples.tobytes()).save(file, quality=100, chroma=444)
    return file.getvalue()


def _heic_of(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file, quality=95, chroma=444)
    return file.getvalue()


def _rgba(alpha: Pixels) -> Image.Image:
    return Image.fromarray(np.dstack([patches(), alpha]))


def _ramp() -> Pixels:
    return np.broadcast_to(np.linspace(0, 255, 64).round().astype(np.uint8), (48, 64)).copy()


def _on_white(picture: Pixels, alpha: Pixels) -> Pixels:
    share = alpha[..., None] / 255.0
    return np.floor(picture * share + 255.0 * (1 - share) + 0.5 + 1e-9).astype(np.uint8)


_SOLID = np.full((48, 64), 255, dtype=np.uint8)
_RED_TO_WHITE = np.where(indices()[:, :, None] == 1, np.uint8(255), patches())
_RED_HALF = np.where(indices() == 1, np.uint8(128), np.uint8(255))
_KEY_CHUNK = (b"tRNS", b"\0\xc8\0\x28\0\x28")

ROWS = (
    Row(
        "palette with an unused transparent colour",
        saved("a.png", palette_png(0)),
        message=OPAQUE,
        pixels=patches(),
    ),
    Row("palette with a transparent colour", saved("a.png", palette_png(1)), BAD_IMAGE, TRANSPARENT),
    Row(
        "palette with a transparent colour, flattened",
        saved("a.png", palette_png(1)),
        message=LAID,
        pixels=_RED_TO_WHITE,
        options=WHITE,
    ),
    Row(
        "palette with a half transparent colour, flattened",
        saved("a.png", palette_png(bytes((255, 128, 255, 255, 255)))),
        message=LAID,
        pixels=_on_white(patches(), _RED_HALF),
        options=WHITE,
    ),
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
        "transparent HEIC whose colours are weighted already",
        saved("a.heic", _weighted_heic),
        message=LAID,
        pixels=_on_white(np.full((48, 64, 3), 200, dtype=np.uint8), np.full((48, 64), 128, dtype=np.uint8)),
        tolerance=2,
        options=WHITE,
    ),
    Row(
        "grey and opaque alpha",
        saved("a.png", lambda: png_maker.picture(np.dstack([grey(), _SOLID]), png_maker.GREY_ALPHA)),
        message=OPAQUE,
        pixels=three(grey()),
    ),
    Row(
        "grey and alpha, flattened",
        saved("a.png", lambda: png_maker.picture(np.dstack([grey(), _ramp()]), png_maker.GREY_ALPHA)),
        message=LAID,
        pixels=_on_white(three(grey()), _ramp()),
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
