"""Pictures unlike photographs: made by rule, or from a photograph by a change that no camera makes."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sursmr_codec.types import Pixels

WIDTH, HEIGHT = 416, 304
"""Of pictures made by rule: about as large as those of training."""

Generator = np.random.Generator


def grey(generator: Generator) -> Pixels:
    """One grey."""
    return np.full((HEIGHT, WIDTH, 3), generator.integers(20, 235), np.uint8)


def noise(generator: Generator) -> Pixels:
    """Every pixel at random."""
    return generator.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def ramp(generator: Generator) -> Pixels:
    """One colour fades into another."""
    angle = generator.uniform(0.0, 2.0 * np.pi)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    along = np.cos(angle) * columns + np.sin(angle) * rows
    share = (along - along.min()) / np.ptp(along)
    first, last = generator.integers(0, 256, (2, 3))
    return (first + (last - first) * share[..., None]).astype(np.uint8)


def shapes(generator: Generator) -> Pixels:
    """Discs and boxes of one colour each."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), _colour(generator))
    draw = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y = int(generator.integers(0, WIDTH)), int(generator.integers(0, HEIGHT))
        radius = int(generator.integers(10, 80))
        shape = draw.ellipse if generator.random() < 0.5 else draw.rectangle
        shape((x - radius, y - radius, x + radius, y + radius), fill=_colour(generator))
    return np.asarray(picture)


def screen(generator: Generator) -> Pixels:
    """A window with a bar, a menu and lines of text."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, WIDTH, 24), fill=_colour(generator, 120))
    draw.rectangle((0, 24, 90, HEIGHT), fill=(236, 238, 241))
    font = ImageFont.load_default(12)
    letters = list("abcdefghijklmnopqrstuvwxyz   0123456789")
    for line in range(18):
        text = "".join(generator.choice(letters, int(generator.integers(20, 50))))
        draw.text((100, 30 + 15 * line), text, fill=(30, 30, 30), font=font)
    for line in range(8):
        draw.text((8, 34 + 30 * line), f"menu {line}", fill=(0, 70, 160), font=font)
    return np.asarray(picture)


def checks(generator: Generator) -> Pixels:
    """A chessboard."""
    side = int(generator.integers(1, 9))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    board = ((columns // side + rows // side) % 2 * 255).astype(np.uint8)
    return np.repeat(board[..., None], 3, axis=2)


def tiny(photo: Image.Image) -> Image.Image:
    """An eighth as wide."""
    return photo.resize((photo.width // 8, photo.height // 8), Image.Resampling.LANCZOS)


def huge(photo: Image.Image) -> Image.Image:
    """Blown up to ten times its width."""
    return photo.resize((photo.width * 10, photo.height * 10), Image.Resampling.BICUBIC)


def blurred(photo: Image.Image) -> Image.Image:
    """Out of focus."""
    return tiny(photo).resize(photo.size, Image.Resampling.BICUBIC)


def colourless(photo: Image.Image) -> Image.Image:
    """In black and white."""
    return photo.convert("L").convert("RGB")


def damaged(photo: Image.Image) -> Image.Image:
    """Saved as JPEG of quality 15 before."""
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=15)
    return Image.open(file).convert("RGB")


def _colour(generator: Generator, most: int = 256) -> tuple[int, int, int]:
    red, green, blue = generator.integers(0, most, 3).tolist()
    return red, green, blue


MADE: dict[str, Callable[[Generator], Pixels]] = {
    one.__name__: one for one in (grey, noise, ramp, shapes, screen, checks)
}
CHANGED: dict[str, Callable[[Image.Image], Image.Image]] = {
    one.__name__: one for one in (tiny, huge, blurred, colourless, damaged)
}
