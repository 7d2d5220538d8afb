"""Files of small pictures, by the container's own library, and the parts that rows share."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pillow_heif
from images.pictures import Pixels, patches
from PIL import Image

WHITE = ("--alpha", "flatten=#ffffff")
"""Options that lay transparent pixels on white."""


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


def palette_png(transparency: int | bytes | None) -> Callable[[], bytes]:
    picture = Image.fromarray(indices())
    picture.putpalette([0, 0, 0, 200, 40, 40, 40, 180, 60, 50, 60, 190, 210, 200, 90])
    return file_of(picture, "PNG", **({} if transparency is None else {"transparency": transparency}))


def indices() -> Pixels:
    """Which of the palette's colours 1..4 each pixel of `patches` has; 0 is not used."""
    colours = {(200, 40, 40): 1, (40, 180, 60): 2, (50, 60, 190): 3, (210, 200, 90): 4}
    flat = [colours[tuple(int(v) for v in pixel)] for pixel in patches().reshape(-1, 3)]
    return np.array(flat, dtype=np.uint8).reshape(48, 64)


def grey() -> Pixels:
    return patches()[:, :, 1].copy()


def three(grey: Pixels) -> Pixels:
    return np.repeat(grey[:, :, None], 3, axis=2)
