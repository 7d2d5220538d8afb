"""Transparency that is kept: straight colours and cover, and what is seen of them on white."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from images import png_maker
from images.input_rows.makers import exif, file_of, palette_png
from images.pictures import Pixels, patches, turned
from PIL import Image

from sursmr_codec import images
from sursmr_codec.images.alpha import as_seen


def ramp() -> Pixels:
    return np.broadcast_to(np.linspace(0, 255, 64).round().astype(np.uint8), (48, 64)).copy()


def rgba() -> Image.Image:
    return Image.fromarray(np.dstack([patches(), ramp()]))


def heic() -> bytes:
    file = io.BytesIO()
    pillow_heif.from_pillow(rgba()).save(file, quality=-1, chroma=444)
    return file.getvalue()


def deep_png() -> bytes:
    samples = np.dstack([patches(), ramp()]).astype(np.uint16) * 257
    return png_maker.picture(samples, png_maker.RGBA)


FILES: dict[str, Callable[[], bytes]] = {
    "a.png": file_of(rgba(), "PNG"),
    "deep.png": deep_png,
    "a.tif": file_of(rgba(), "TIFF"),
    "a.webp": file_of(rgba(), "WEBP", lossless=True, exact=True),
    "a.avif": file_of(rgba(), "AVIF", quality=100, subsampling="4:4:4"),
    "a.heic": heic,
}


@pytest.mark.parametrize("name", FILES)
def test_colours_and_cover_are_those_of_the_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name]())
    source = images.read(path, alpha=images.KEEP)
    assert source.alpha is not None
    tolerance = 2 if name in ("a.avif", "a.heic") else 0
    assert np.abs(source.alpha.astype(int) - ramp()).max() <= tolerance
    covered = ramp() > 200
    assert np.abs(source.native.astype(int) - patches())[covered].max() <= 2 * tolerance
    np.testing.assert_array_equal(source.rgb, as_seen(source.native, source.alpha))
    on_white = images.read(path, alpha=images.parse_alpha("flatten=#ffffff"))
    np.testing.assert_array_equal(source.rgb, on_white.rgb)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_cover_is_turned_with_the_colours(orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    rgba().save(path, exif=exif(orientation))
    source = images.read(path, alpha=images.KEEP)
    assert source.alpha is not None
    np.testing.assert_array_equal(source.native, turned(patches(), orientation))
    np.testing.assert_array_equal(source.alpha, turned(ramp(), orientation))


def test_a_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(palette_png(1)())
    source = images.read(path, alpha=images.KEEP)
    assert source.alpha is not None
    assert set(np.unique(source.alpha)) == {0, 255}
    assert (source.rgb[source.alpha == 0] == 255).all()


def test_opaque_alpha_is_dropped_under_every_policy(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(patches()).convert("RGBA").save(path)
    source = images.read(path, alpha=images.KEEP)
    assert source.alpha is None
    np.testing.assert_array_equal(source.rgb, patches())
