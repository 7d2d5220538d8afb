"""16-bit RGB pictures, of which Pillow keeps only one byte of each sample at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from sursmr_codec.images.decoded import Strip
from sursmr_codec.images.depth import join_bytes

_OTHER_BYTE = {
    "16B": "16L",
    "16L": "16B",
    "16N": "16B" if sys.byteorder == "little" else "16L",
}
_SWAPPABLE = ("RGB", "RGBA", "RGBX")


ROUNDED = "16-bit samples were rounded to 8 bits"
CUT = "16-bit samples were cut, not rounded, to 8 bits by the decoder"


@dataclass(frozen=True, eq=False)
class DeepPicture:
    """A 16-bit picture whose rows can be asked for in 8 bits."""

    strip: Callable[[int, int], Strip]
    has_alpha: bool
    warning: str


def load_deep(picture: Image.Image, reopen: Callable[[], Image.Image]) -> DeepPicture | None:
    """Load an opened 16-bit picture of mode RGB or RGBA in full depth; None where its layout forbids that.

    Pillow unpacks the high byte of each sample. Unpacking the file a second time as if its byte order were
    the other one gives the low bytes. Raises whatever Pillow raises for broken files.
    """
    other = reopen()
    tiles = [_other_byte(tile) for tile in getattr(other, "tile", [])]
    if not tiles or None in tiles:
        return None
    setattr(other, "tile", tiles)  # noqa: B010 - the stubs know tiles of opened files only
    other.load()
    picture.load()
    has_alpha = picture.mode == "RGBA"
    key = picture.info.get("transparency")

    def strip(top: int, bottom: int) -> Strip:
        box = (0, top, picture.width, bottom)
        high, low = np.asarray(picture.crop(box)), np.asarray(other.crop(box))
        samples = join_bytes(high, low)
        if has_alpha:
            return samples[:, :, :3], samples[:, :, 3]
        if key is None:
            return samples, None
        wide = high.astype(np.uint16) << 8 | low
        return samples, np.where((wide == key).all(axis=2), np.uint8(0), np.uint8(255))

    return DeepPicture(strip, has_alpha or key is not None, ROUNDED)


def _other_byte(tile: Any) -> Any | None:
    """The same tile unpacked to its low bytes; None where Pillow has no such unpacking."""
    args = tile.args if isinstance(tile.args, tuple) else (tile.args,)
    layout, _, order = args[0].partition(";")
    if layout not in _SWAPPABLE or order not in _OTHER_BYTE:
        return None
    raw_mode = f"{layout};{_OTHER_BYTE[order]}"
    return tile._replace(args=(raw_mode, *args[1:]) if isinstance(tile.args, tuple) else raw_mode)
