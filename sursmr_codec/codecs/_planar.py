"""Between pictures and the planar frames of PyAV: padding, copying, and decoding of single pictures.

PyAV is imported where it is used, so that a codec's module loads without it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sursmr_codec.errors import DecodeError
from sursmr_codec.images.colour import Plane, Planes, planes_to_rgb
from sursmr_codec.types import Pixels

_BT601 = (5, 6)
"""BT.470 BG and SMPTE 170M share one matrix (ITU-T H.273, table 4)."""
_BIT_DEPTHS = {
    "yuv420p": 8,
    "yuvj420p": 8,
    "yuv420p10le": 10,
    "yuv420p12le": 12,
    "yuv444p": 8,
    "yuvj444p": 8,
    "yuv444p10le": 10,
    "yuv444p12le": 12,
}
"""Formats that are read, and their bits a sample."""
_FULL_RANGE = 2
"""AVCOL_RANGE_JPEG of FFmpeg."""
_MOST_PADDING = 128
"""Largest coding tree unit of HEVC (64) and VVC (128): no encoder pads further than to the next one."""
_MOST_CANVAS = 3
"""Most pixels that a stream may code for each that it shows; the rest lies outside its conformance window."""


def pad_edges(pixels: Pixels, least: int = 16, multiple: int = 2) -> Pixels:
    """Repeat the last row and column of (H, W, 3) up to a multiple of `multiple`, and `least` a side."""
    height, width = pixels.shape[:2]
    rows, columns = padded_side(height, least, multiple), padded_side(width, least, multiple)
    if (rows, columns) == (height, width):
        return pixels
    return np.pad(pixels, ((0, rows - height), (0, columns - width), (0, 0)), mode="edge")


def padded_side(side: int, least: int = 16, multiple: int = 2) -> int:
    """Length of a side after padding."""
    return max(least, -(-side // multiple) * multiple)


def frame_from_planes(planes: Planes) -> Any:
    """An av.VideoFrame of planes of 8 to 12 bits, with time stamp 0."""
    import av

    height, width = planes.y.shape
    frame = av.VideoFrame(width, height, pixel_format(planes))
    for plane, values in zip(frame.planes, (planes.y, planes.cb, planes.cr), strict=True):
        samples = values.astype(np.uint8 if planes.bit_depth == 8 else "<u2", copy=False)
        rows = np.zeros((plane.height, plane.line_size), dtype=np.uint8)
        rows[:, : plane.width * samples.itemsize] = np.ascontiguousarray(samples).view(np.uint8)
        plane.update(rows)
    frame.pts = 0
    return frame


def pixel_format(planes: Planes) -> str:
    """FFmpeg's name of the planes' format."""
    depth = "" if planes.bit_depth == 8 else f"{planes.bit_depth}le"
    return f"yuv{planes.chroma}p{depth}"


def decode_picture(decoder: str, stream: bytes, width: int, height: int) -> Pixels:
    """Decode an Annex B stream of one BT.601 full-range picture, cropped to (height, width, 3) RGB.

    Raises DecodeError for anything else, and for pictures that are smaller than asked or larger than
    padding explains. Damage inside a slice that leaves its syntax whole can't be told from a picture.
    """
    if min(width, height) < 1:
        raise DecodeError(f"no picture is of {width}x{height}")
    planes = _planes_from_frame(_decode_frame(decoder, stream, width, height))
    rows, columns = planes.y.shape
    if columns < width or rows < height:
        raise DecodeError(f"a picture of {columns}x{rows}, not of {width}x{height}")
    return np.ascontiguousarray(planes_to_rgb(planes)[:height, :width])


def _decode_frame(decoder: str, stream: bytes, width: int, height: int) -> Any:
    import av

    context = av.CodecContext.create(decoder, "r")
    context.thread_count = 1
    most_pixels = _MOST_CANVAS * (width + _MOST_PADDING) * (height + _MOST_PADDING)
    context.options = {"err_detect": "explode", "max_pixels": str(most_pixels)}
    try:
        packets = context.parse(stream) + context.parse() if stream else []
        frames: list[Any] = []
        for packet in (*packets, None):
            frames += context.decode(packet)
            # A short stream may hold thousands of pictures, which would fill the memory.
            if len(frames) > 1:
                break
    except (av.error.FFmpegError, OSError, ValueError, EOFError) as trouble:
        reason = getattr(trouble, "strerror", None) or trouble
        raise DecodeError(f"not a {decoder} picture: {reason}") from trouble
    if len(frames) != 1:
        raise DecodeError(
            f"a {decoder} stream of {'several pictures' if frames else 'no picture'}, not of one"
        )
    return frames[0]


def _planes_from_frame(frame: Any) -> Planes:
    name = frame.format.name
    bit_depth = _BIT_DEPTHS.get(name)
    if bit_depth is None:
        raise DecodeError(f"a picture of format {name}, which is not written here")
    if frame.colorspace not in _BT601 or frame.color_range != _FULL_RANGE:
        raise DecodeError("a picture whose stream does not say BT.601 full range")
    if "420" in name and (frame.width % 2 or frame.height % 2):
        raise DecodeError(f"a 4:2:0 picture of odd size {frame.width}x{frame.height}")
    y, cb, cr = (_plane_values(plane, bit_depth) for plane in frame.planes)
    return Planes(y, cb, cr, bit_depth)


def _plane_values(plane: Any, bit_depth: int) -> Plane:
    sample: Any = np.uint8 if bit_depth == 8 else np.dtype("<u2")
    rows: NDArray[Any] = np.frombuffer(plane, sample).reshape(plane.height, -1)
    return rows[:, : plane.width]
