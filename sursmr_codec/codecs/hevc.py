"""HEVC intra pictures through x265, in process by PyAV; a raw Annex B stream.

x265 gives intra pictures a QP three below the one it is told unless `ipratio=1`; the true slice QP is read
back from every stream that is written.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from sursmr_codec.codecs import _bitstream
from sursmr_codec.codecs.base import Availability, Codec
from sursmr_codec.errors import DecodeError, EncodeError, UnavailableError, UsageError
from sursmr_codec.images import colour
from sursmr_codec.types import Pixels, Source

SMALLEST_SIDE = 16
"""Fewest pixels a side that x265 takes."""
PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"),
    "placebo",
)

# One picture, one slice, no threads: nothing but pixels and QP may change the bytes. The colour path is
# signalled: BT.601 matrix in full range, sRGB primaries and transfer, chroma between the four luma pixels.
_X265 = (
    "ipratio=1:keyint=1:aq-mode=0:info={info}:log-level=none:wpp=0:pools=none:frame-threads=1:"
    "range=full:colormatrix=smpte170m:colorprim=bt709:transfer=iec61966-2-1:chromaloc=1"
)


class Hevc(Codec):
    """HEVC/H.265 intra (x265), 4:2:0, 8 bit, raw Annex B."""

    id = "hevc"
    extension = ".hevc"
    qp_range = range(52)

    def __init__(self, preset: str = "medium") -> None:
        """Raises UsageError for a preset that x265 does not have."""
        if preset not in PRESETS:
            raise UsageError(f"x265 has the presets {', '.join(PRESETS)}, not {preset}")
        self.preset = preset

    def encode(self, source: Source, qp: int) -> bytes:
        self.check_qp(qp)
        planes = colour.rgb_to_planes(_pad(source.rgb))
        stream = _encode(planes, qp, self.preset)
        try:
            coded_qp = _bitstream.slice_qp(stream)
        except DecodeError as error:
            raise EncodeError(f"x265 wrote a stream that cannot be read: {error}") from error
        if coded_qp != qp:
            raise EncodeError(f"x265 coded the picture at QP {coded_qp}, not at {qp}")
        return stream

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        planes = _decode(data)
        rows, columns = planes.y.shape
        if columns < width or rows < height:
            raise DecodeError(f"the HEVC picture is {columns}x{rows}, not {width}x{height}")
        return np.ascontiguousarray(colour.planes_to_rgb(planes)[:height, :width])

    def fingerprint(self) -> str:
        found = " ".join(f"{name}={value}" for name, value in self._versions().items())
        return f"hevc {found} preset={self.preset} chroma=420 bits=8 {_X265.format(info=0)}"

    def native(self, qp: int) -> Mapping[str, object]:
        self.check_qp(qp)
        return {"qp": qp}

    def availability(self) -> Availability:
        try:
            found = self._versions()
        except (ImportError, PackageNotFoundError) as error:
            return Availability(False, f"PyAV cannot be loaded: {error}", "pip install av")
        except UnavailableError as error:
            return Availability(False, str(error), "pip install --force-reinstall av")
        return Availability(True, versions=found)

    @property
    def options(self) -> Mapping[str, object]:
        return {"preset": self.preset, "chroma": "420"}

    def _versions(self) -> dict[str, str]:
        return {"av": version("av"), "x265": _x265_version()}


@lru_cache(maxsize=1)
def _x265_version() -> str:
    """As x265 itself writes it into a stream that it is asked to sign; raises UnavailableError without it."""
    grey = colour.rgb_to_planes(np.full((SMALLEST_SIDE, SMALLEST_SIDE, 3), 128, np.uint8))
    try:
        stream = _encode(grey, 30, "ultrafast", info=1)
    except EncodeError as error:
        raise UnavailableError(str(error)) from error
    signature = re.search(rb"x265 \(build \d+\) - ([^:\0]+):", stream)
    return signature[1].decode("ascii", "replace") if signature else "unknown"


def _pad(pixels: Pixels) -> Pixels:
    """Edge-padded at the right and bottom to even sides that x265 takes."""
    height, width = pixels.shape[:2]
    below = max(SMALLEST_SIDE, height + height % 2) - height
    right = max(SMALLEST_SIDE, width + width % 2) - width
    if not below and not right:
        return pixels
    return np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="edge")


def _encode(planes: colour.Planes, qp: int, preset: str, info: int = 0) -> bytes:
    import av

    height, width = planes.y.shape
    try:
        with _silent():
            encoder = av.CodecContext.create("libx265", "w")
            encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
            encoder.time_base = Fraction(1, 25)
            encoder.options = {"preset": preset, "x265-params": f"qp={qp}:{_X265.format(info=info)}"}
            stacked = np.concatenate([plane.reshape(-1) for plane in (planes.y, planes.cb, planes.cr)])
            frame = av.VideoFrame.from_ndarray(stacked.reshape(-1, width), format="yuv420p")
            frame.pts = 0
            packets = [*encoder.encode(frame), *encoder.encode(None)]
            return b"".join(bytes(packet) for packet in packets)
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise EncodeError(f"x265 failed on {width}x{height} at QP {qp}: {error}") from error


def _decode(data: bytes) -> colour.Planes:
    import av

    try:
        with _silent():
            decoder = av.CodecContext.create("hevc", "r")
            decoder.thread_count = 1
            packets = [*decoder.parse(data), *decoder.parse(None)]
            frames = [frame for packet in packets for frame in decoder.decode(packet)]
            frames += decoder.decode(None)
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise DecodeError(f"not an HEVC picture: {error}") from error
    if not frames:
        raise DecodeError("not an HEVC picture: the stream holds none")
    return _planes_of(frames[0])


def _planes_of(frame: Any) -> colour.Planes:
    if frame.format.name not in ("yuv420p", "yuvj420p"):
        raise DecodeError(f"an HEVC picture in {frame.format.name} is not one of ours")
    if frame.width % 2 or frame.height % 2:
        raise DecodeError(f"an HEVC picture of {frame.width}x{frame.height} is not one of ours")
    y, cb, cr = (
        np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    )
    return colour.Planes(y, cb, cr)


_LOG_LOCK = threading.Lock()
_log_users = 0
_log_level_before: int | None = None


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """No FFmpeg messages on stderr meanwhile; the level of before comes back when the last user is done."""
    global _log_users, _log_level_before
    from av import logging

    with _LOG_LOCK:
        if _log_users == 0:
            _log_level_before = logging.get_level()
            logging.set_level(logging.PANIC)
        _log_users += 1
    try:
        yield
    finally:
        with _LOG_LOCK:
            _log_users -= 1
            if _log_users == 0:
                logging.set_level(_log_level_before)
