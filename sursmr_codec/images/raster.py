"""Pictures of every container that Pillow reads."""

from __future__ import annotations

import io
import logging
import math
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from sursmr_codec.errors import ImageError
from sursmr_codec.images.bmff import main_picture
from sursmr_codec.images.decoded import Decoded
from sursmr_codec.images.exif import take_orientation
from sursmr_codec.images.jpeg import has_end
from sursmr_codec.images.jpeg_quality import estimate_quality
from sursmr_codec.images.limits import check_pixels, too_many_pixels
from sursmr_codec.images.modes import Unpacked, unpack
from sursmr_codec.images.png import read_header
from sursmr_codec.images.profiles import check_coding
from sursmr_codec.images.tiff_exif import portable_exif
from sursmr_codec.images.xmp import upright_xmp

_JFIF_UNITS = (1, 2)
"""Dots an inch and dots a centimetre; 0 says a ratio only (ITU-T T.871, section 10.1)."""
_silence = logging.NullHandler()
_pillow_state = threading.RLock()


@contextmanager
def pillow_limits(max_pixels: int) -> Iterator[None]:
    """Silence Pillow and raise its own pixel limit to `max_pixels` for as long as the context lasts.

    Both are global to the process, so readers in other threads wait, and code outside this package that
    opens a picture meanwhile sees this limit rather than Pillow's. Warnings of other libraries still come
    through.
    """
    with _pillow_state, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\b")
        # Without any handler Python prints a library's errors, which reach the caller as exceptions anyway.
        log = logging.getLogger("PIL")
        log.addHandler(_silence)
        before = Image.MAX_IMAGE_PIXELS
        # Pillow warns above its limit and refuses above twice its limit.
        Image.MAX_IMAGE_PIXELS = (max_pixels + 1) // 2
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
            log.removeHandler(_silence)


def decode_raster(data: bytes, container: str, max_pixels: int) -> Decoded:
    """Decode a picture of a container that `formats.container` names, except `heif`.

    To be called, and its strips to be used, inside `pillow_limits`. Raises ImageError for what is refused,
    and whatever Pillow raises for broken files.
    """
    notes: list[str] = []
    bits = _check_header(data, container, max_pixels, notes)
    picture = _open(data, container, max_pixels)
    check_pixels(*picture.size, max_pixels)
    _check_frames(picture, notes)
    unpacked = unpack(picture, bits, lambda: _open(data, container, max_pixels))
    notes.extend(unpacked.warnings)
    orientation, exif = _exif(picture, container, notes)
    return _decoded(picture, unpacked, orientation, exif, notes)


def _decoded(
    picture: Image.Image, unpacked: Unpacked, orientation: int, exif: bytes | None, notes: list[str]
) -> Decoded:
    width, height = picture.size
    return Decoded(
        width,
        height,
        unpacked.strip,
        has_alpha=unpacked.has_alpha,
        orientation=orientation,
        icc_profile=unpacked.icc_profile,
        exif=exif,
        xmp=upright_xmp(picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")),
        density=_density(picture),
        jpeg_quality=_jpeg_quality(picture),
        warnings=tuple(notes),
    )


def _check_header(data: bytes, container: str, max_pixels: int, notes: list[str]) -> int:
    """Bits a sample where the container's own header tells them, else 8; refuses what it tells is unfit."""
    note, bits = None, 8
    if container == "png" and (header := read_header(data)) is not None:
        # Pillow takes an empty picture for a file of another kind.
        check_pixels(header.width, header.height, max_pixels)
        note, bits = check_coding(header.primaries, header.transfer), header.bit_depth
    elif container == "avif":
        properties = main_picture(data)
        note = check_coding(properties.primaries, properties.transfer)
        if properties.bit_depth is not None and properties.bit_depth > 8:
            notes.append(f"{properties.bit_depth}-bit samples were reduced to 8 bits by the decoder")
    elif container == "jpeg" and not has_end(data):
        raise ImageError("is broken or cut off: its end marker is missing; get a whole copy")
    if note is not None:
        notes.append(note)
    return bits


def _open(data: bytes, container: str, max_pixels: int) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=[container])
    except Image.DecompressionBombError as trouble:
        n_pixels = re.search(r"\d+", str(trouble))
        found = f"{int(n_pixels[0]):,}" if n_pixels else "too many"
        raise too_many_pixels(found, max_pixels) from trouble
    except UnidentifiedImageError as trouble:
        raise ImageError(f"is broken: its {container} header cannot be read; get a whole copy") from trouble


def _check_frames(picture: Image.Image, notes: list[str]) -> None:
    n_frames = getattr(picture, "n_frames", 1)
    if n_frames < 2:
        return
    if picture.format != "MPO":
        raise ImageError(f"holds {n_frames} pictures (an animation or pages); extract one of them first")
    notes.append(f"only the first of {n_frames} pictures was read")


def _exif(picture: Image.Image, container: str, notes: list[str]) -> tuple[int, bytes | None]:
    """Orientation still to be applied, and the EXIF block to keep."""
    try:
        if container == "tiff":
            # Pillow turns TIFF pictures upright as it decodes them.
            return 1, portable_exif(picture)
        block = picture.info.get("exif")
        if isinstance(block, bytes) and block:
            return take_orientation(block)
    except ImageError:
        notes.append("broken EXIF was dropped")
    return 1, None


def _density(picture: Image.Image) -> tuple[float, float] | None:
    """Dots an inch; of a JPEG only its JFIF header's, as Pillow makes up others where EXIF is broken."""
    stated = picture.info.get("dpi")
    if picture.format in ("JPEG", "MPO") and picture.info.get("jfif_unit") not in _JFIF_UNITS:
        return None
    if not isinstance(stated, tuple) or len(stated) != 2:
        return None
    across, down = (float(number) for number in stated)
    # Nothing a file says is certain to be a number.
    return (across, down) if 0 < across < math.inf and 0 < down < math.inf else None


def _jpeg_quality(picture: Image.Image) -> int | None:
    tables = getattr(picture, "quantization", None)
    layer = getattr(picture, "layer", None)
    if not tables or not layer:
        return None
    luma = tables.get(layer[0][3])
    return None if luma is None else estimate_quality(luma)
