"""HEIC and HEIF pictures, through pillow-heif without registering it in Pillow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.errors import ImageError, UnavailableError
from sursmr_codec.images.bmff import main_picture
from sursmr_codec.images.decoded import Decoded, Strip
from sursmr_codec.images.depth import to_8_bits
from sursmr_codec.images.exif import take_orientation
from sursmr_codec.images.limits import check_pixels
from sursmr_codec.images.profiles import check_coding
from sursmr_codec.images.xmp import upright_xmp


def decode_heif(data: bytes, max_pixels: int) -> Decoded:
    """Decode the primary picture, upright.

    The container's own rotation is applied by libheif; an EXIF orientation beside it is dropped, as the
    format asks (ISO/IEC 23008-12, annex A.2.2). Raises ImageError for what is refused, and whatever
    pillow-heif raises for broken files.
    """
    try:
        from pillow_heif import HeifFile
    except ImportError as trouble:
        raise UnavailableError("HEIC pictures need pillow-heif: pip install pillow-heif") from trouble
    warnings: list[str] = []
    properties = main_picture(data)
    if note := check_coding(properties.primaries, properties.transfer):
        warnings.append(note)
    file = HeifFile(data, convert_hdr_to_8bit=False, hdr_to_16bit=False)
    if len(file) == 0:
        raise ImageError("holds no still picture")
    if len(file) > 1:
        warnings.append(f"only the primary of {len(file)} pictures was read")
    picture = file[file.primary_index]
    width, height = picture.size
    check_pixels(width, height, max_pixels)
    exif = None
    if picture.info.get("exif"):
        try:
            exif = take_orientation(picture.info["exif"])[1]
        except ImageError:
            warnings.append("broken EXIF was dropped")
    kind, _, depth = picture.mode.partition(";")
    bits = int(depth or 8)
    if bits > 8:
        warnings.append(f"{bits}-bit samples were rounded to 8 bits")
    samples = _samples(picture, bits)
    height, width = samples.shape[:2]
    return Decoded(
        width,
        height,
        lambda top, bottom: _strip(samples[top:bottom], kind, (1 << bits) - 1),
        has_alpha=kind[-1] in "Aa",
        icc_profile=picture.info.get("icc_profile") or None,
        exif=exif,
        xmp=upright_xmp(picture.info.get("xmp")),
        warnings=tuple(warnings),
    )


def _samples(picture: Any, bits: int) -> NDArray[Any]:
    """(H, W, channels) in the file's depth; decodes."""
    flat = np.frombuffer(picture.data, dtype=np.uint8 if bits == 8 else "<u2")
    # Decoding may correct the size that the header told.
    width, height = picture.size
    row = picture.stride // flat.itemsize
    n_channels = len(picture.mode.partition(";")[0].replace("I", "L"))
    return flat.reshape(height, row)[:, : width * n_channels].reshape(height, width, n_channels)


def _strip(samples: NDArray[Any], kind: str, white: int) -> Strip:
    alpha = None
    if kind[-1] in "Aa":
        cover = samples[:, :, -1:].astype(np.uint32)
        samples = samples[:, :, :-1]
        if kind[-1] == "a":
            samples = np.minimum(samples * np.uint32(white) // np.maximum(cover, 1), white)
        alpha = to_8_bits(cover[:, :, 0], white)
    pixels = samples if white == 255 else to_8_bits(samples, white)
    pixels = pixels.astype(np.uint8, copy=False)
    return np.broadcast_to(pixels, (*pixels.shape[:2], 3)), alpha
