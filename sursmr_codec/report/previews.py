"""Copies of a source and its result that every browser shows: WebP files beside the page."""

from __future__ import annotations

import io
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sursmr_codec import codecs, images
from sursmr_codec.errors import ImageError
from sursmr_codec.images import parse_alpha
from sursmr_codec.records import Record
from sursmr_codec.types import Pixels

FOLDER = "previews"
LONGEST_SIDE = 1600
"""Pixels; larger pictures are scaled down to it."""
MOST_LOSSLESS = 1_200_000
"""Pixels of a picture that is copied as it is."""
CUT = (640, 480)
"""Width and height of the part in its own pixels that goes with a picture that is not copied as it is."""
_BLOCK = 16


@dataclass(frozen=True)
class Pair:
    """Addresses of the same view before and after."""

    before: str
    after: str


@dataclass(frozen=True)
class Preview:
    """Copies of one picture."""

    whole: Pair
    cut: Pair | None
    """The part where both differ most; None where `whole` has every pixel."""


def make(record: Record, source: Path, output: Path, page: Path) -> Preview:
    """Copies of a record's source and result in the folder `page`, made unless they are there.

    Pictures of at most MOST_LOSSLESS pixels are copied without loss. Raises ImageError or DecodeError where
    either file is not what the record says, OutputError where the copies cannot be written.
    """
    width, height = record["input"]["width"], record["input"]["height"]
    stem = f"{FOLDER}/{record['input']['sha256'][:16]}-{record['output']['sha256'][:16]}"
    preview = Preview(
        whole=Pair(f"{stem}-before.webp", f"{stem}-after.webp"),
        cut=None if _whole(width, height) else Pair(f"{stem}-cut-before.webp", f"{stem}-cut-after.webp"),
    )
    # The one that is written last.
    if (page / (preview.cut or preview.whole).after).exists():
        return preview
    before, after = _read(record, source, output)
    (page / FOLDER).mkdir(exist_ok=True)
    _write(page, preview.whole, _scaled(before), _scaled(after), lossless=preview.cut is None)
    if preview.cut is not None:
        rows, columns = _most_different(before, after)
        _write(page, preview.cut, before[rows, columns], after[rows, columns], lossless=True)
    return preview


def _whole(width: int, height: int) -> bool:
    return max(width, height) <= LONGEST_SIDE and width * height <= MOST_LOSSLESS


def _read(record: Record, source: Path, output: Path) -> tuple[Pixels, Pixels]:
    try:
        original = images.read(source)
    except ImageError:
        # The run was told which colour to lay under transparency; the record does not say which.
        original = images.read(source, alpha=parse_alpha("flatten=#ffffff"))
    encoded = images.read_bytes(output)
    if original.sha256 != record["input"]["sha256"]:
        raise ImageError(f"{source} has changed since")
    if sha256(encoded).hexdigest() != record["output"]["sha256"]:
        raise ImageError(f"{output} has changed since")
    codec = codecs.get(record["codec"]["id"])
    return original.rgb, codec.decode(encoded, original.width, original.height)


def _scaled(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    if _whole(width, height) or max(width, height) <= LONGEST_SIDE:
        return pixels
    scale = LONGEST_SIDE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))


def _most_different(before: Pixels, after: Pixels) -> tuple[slice, slice]:
    """Rows and columns of the part of CUT's size with the largest sum of absolute differences."""
    height, width = before.shape[:2]
    cut_width, cut_height = min(CUT[0], width), min(CUT[1], height)
    sums = np.zeros((height // _BLOCK + 1, width // _BLOCK + 1))
    # One strip at a time: the differences of a large picture would take several times its memory.
    for row in range(height // _BLOCK):
        strip = slice(row * _BLOCK, (row + 1) * _BLOCK)
        columns = slice(0, width // _BLOCK * _BLOCK)
        apart = np.abs(before[strip, columns].astype(np.int16) - after[strip, columns])
        sums[row + 1, 1:] = apart.reshape(_BLOCK, -1, _BLOCK, 3).sum(axis=(0, 2, 3))
    area = sums.cumsum(axis=0).cumsum(axis=1)
    tall, wide = cut_height // _BLOCK, cut_width // _BLOCK
    n_rows, n_columns = area.shape[0] - tall, area.shape[1] - wide
    windows: Any = area[tall:, wide:] - area[:n_rows, wide:] - area[tall:, :n_columns]
    windows = windows + area[:n_rows, :n_columns]
    best_row, best_column = np.unravel_index(int(windows.argmax()), windows.shape)
    top, left = int(best_row) * _BLOCK, int(best_column) * _BLOCK
    return slice(top, top + cut_height), slice(left, left + cut_width)


def _write(page: Path, pair: Pair, before: Pixels, after: Pixels, *, lossless: bool) -> None:
    for name, pixels in ((pair.before, before), (pair.after, after)):
        file = io.BytesIO()
        quality = 40 if lossless else 90  # with `lossless` it is the effort
        Image.fromarray(np.ascontiguousarray(pixels)).save(
            file, "WEBP", lossless=lossless, quality=quality, method=2
        )
        images.write(page / name, file.getvalue())
