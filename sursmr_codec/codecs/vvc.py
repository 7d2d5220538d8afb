"""VVC intra pictures by VVenC, through an external ffmpeg, as raw Annex B streams.

The QP offset that VVenC gives intra frames, its block-level QP changes and its perceptual QP adaptation are
off, so that the slice QP is the QP asked for; whether this build of it obeys is tried once a process, on
a tiny picture. Input is 4:2:0 at 10 bit, the one format it takes. Colour is BT.601 full range, said so in
the stream's VUI.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

import numpy as np

from sursmr_codec.codecs import _ffmpeg
from sursmr_codec.codecs._planar import decode_picture, pad_edges
from sursmr_codec.codecs._process import Finished, run
from sursmr_codec.codecs.base import Availability, Codec
from sursmr_codec.errors import EncodeError, UnavailableError, UsageError
from sursmr_codec.images.colour import Planes, rgb_to_planes
from sursmr_codec.types import Pixels, Source

PRESETS = ("faster", "fast", "medium", "slow", "slower")
_ENCODER = "libvvenc"
_PARAMETERS = "IntraQPOffset=0:BIM=0:VideoFullRange=1:ChromaLocInfoPresent=1:ChromaSampleLocType=1"
_TAGS = "setparams=colorspace=smpte170m:color_primaries=bt709:color_trc=iec61966-2-1"
"""VVenC takes these three from the frames; full range and chroma position only as its own parameters."""
_SECONDS_TO_START = 120.0
_PIXELS_A_SECOND = 1000.0
"""Slower than any preset on any machine that was measured, by a factor of about ten."""
_TRIED_QP = 37
_ROOM_FOR_HEADERS = 1024
"""Bytes that a stream may take beyond two for each pixel, as in VVenC's own application."""


class Vvc(Codec):
    """VVC, 4:2:0, 10 bit; QP 0..63 is the slice QP.

    `wobble` holds from 64x48 pixels on; of thumbnails of a few hundred bytes a byte more is a large share.
    """

    id: ClassVar[str] = "vvc"
    extension: ClassVar[str] = ".vvc"
    qp_range: ClassVar[range] = range(64)
    wobble: ClassVar[float] = 0.05

    def __init__(self, preset: str = "faster", *, ffmpeg: str | None = None) -> None:
        """`preset` is one of PRESETS, UsageError for any other; `ffmpeg` the program to use and no other."""
        if preset not in PRESETS:
            raise UsageError(f"vvc presets are {', '.join(PRESETS)}, not {preset!r}")
        self._preset = preset
        self._ffmpeg = ffmpeg

    @property
    def options(self) -> Mapping[str, object]:
        """The VVenC preset; which ffmpeg was used shows in the fingerprint."""
        return {"preset": self._preset}

    def encode(self, source: Source, qp: int) -> bytes:
        """Compress `source.rgb` to an Annex B stream of one intra picture.

        Raises UnavailableError without an ffmpeg that has VVenC, and EncodeError where it fails.
        """
        self.check_qp(qp)
        self.require()
        program = _ffmpeg.find(_ENCODER, self._ffmpeg).path
        return _encode(program, pad_edges(source.rgb), qp, self._preset)

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode the one picture of a stream; any stream but one of BT.601 full range is refused."""
        reason = _decoder_missing()
        if reason:
            raise UnavailableError(f"codec vvc is not usable: {reason}; try: pip install --upgrade 'av>=14'")
        return decode_picture("vvc", data, width, height)

    def fingerprint(self) -> str:
        """PyAV, ffmpeg, VVenC, preset, chroma format and the parameters that are passed to VVenC."""
        versions = " ".join(f"{name}/{version}" for name, version in self._versions().items())
        return f"vvc {versions} preset={self._preset} 4:2:0 10bit bt601-full qpa=0 {_PARAMETERS}"

    def native(self, qp: int) -> Mapping[str, object]:
        """The QP itself."""
        self.check_qp(qp)
        return {"qp": qp}

    def availability(self) -> Availability:
        """Usable with an ffmpeg that has VVenC and obeys its QP, and a PyAV that decodes VVC."""
        reason = _decoder_missing()
        if reason:
            return Availability(False, reason, "pip install --upgrade 'av>=14'")
        try:
            found = _ffmpeg.find(_ENCODER, self._ffmpeg)
            _try_out(found.path)
        except UnavailableError as trouble:
            return Availability(False, str(trouble), _ffmpeg.REMEDY)
        return Availability(True, versions=self._versions())

    def _versions(self) -> Mapping[str, str]:
        try:
            import av

            found = _ffmpeg.find(_ENCODER, self._ffmpeg)
            return {"av": av.__version__, "ffmpeg": found.version, "vvenc": _try_out(found.path)}
        except (ImportError, UnavailableError):
            return {"ffmpeg": "none", "vvenc": "none"}


@lru_cache(maxsize=1)
def _decoder_missing() -> str | None:
    try:
        import av
    except ImportError as trouble:
        return f"PyAV cannot be imported: {trouble}"
    try:
        av.codec.Codec("vvc", "r")
    except av.codec.codec.UnknownCodecError:
        return f"PyAV {av.__version__} has no VVC decoder"
    return None


@lru_cache(maxsize=16)
def _try_out(program: str) -> str:
    """Version of the VVenC inside an ffmpeg, once it has proved to write the QP that it is asked for.

    Raises EncodeError where it writes another, or fails. VVenC's version is told in ffmpeg's log only.
    """
    grey = np.full((16, 16), 512, dtype=np.uint16)
    planes = Planes(grey, grey[:8, :8], grey[:8, :8], 10)
    done = _run_vvenc(program, planes, _TRIED_QP, "faster", _PARAMETERS, log="verbose").require()
    trace = [program, "-hide_banner", "-f", "vvc", "-i", "pipe:0"]
    trace += ["-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"]
    headers = run(trace, done.stdout, seconds=_SECONDS_TO_START).require().stderr
    parts = [
        re.search(rf"\b{name}\s+[01]+ = (-?\d+)", headers) for name in ("pps_init_qp_minus26", "sh_qp_delta")
    ]
    written = 26 + sum(int(part[1]) for part in parts if part)
    if None in parts or written != _TRIED_QP:
        raise EncodeError(f"VVenC in {program} wrote slice QP {written}, not {_TRIED_QP}")
    version = re.search(r"libvvenc version: (\S+)", done.stderr)
    return version[1] if version else "unknown"


def _encode(program: str, pixels: Pixels, qp: int, preset: str) -> bytes:
    """Encode (H, W, 3) of even size to a stream.

    ffmpeg gives VVenC room for one byte a pixel, which rich pictures and very small ones outgrow at low QP.
    Those are encoded again on a canvas of more than twice the height, whose lower part the stream's
    conformance window hides.
    """
    done = _run_vvenc(program, rgb_to_planes(pixels, "420", 10), qp, preset, _PARAMETERS)
    if done.code:
        height, width = pixels.shape[:2]
        hidden = height + 2 * -(-_ROOM_FOR_HEADERS // (2 * width))
        canvas = np.pad(pixels, ((0, hidden), (0, 0), (0, 0)), mode="edge")
        parameters = f"{_PARAMETERS}:ConfWinBottom={hidden}"
        done = _run_vvenc(program, rgb_to_planes(canvas, "420", 10), qp, preset, parameters).require()
    if not done.stdout:
        raise EncodeError(f"{program} wrote no VVC stream")
    return done.stdout


def _run_vvenc(
    program: str, planes: Planes, qp: int, preset: str, parameters: str, log: str = "error"
) -> Finished:
    height, width = planes.y.shape
    argv = [program, "-hide_banner", "-nostdin", "-loglevel", log]
    argv += ["-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-s", f"{width}x{height}", "-i", "pipe:0"]
    argv += ["-vf", _TAGS, "-frames:v", "1", "-c:v", _ENCODER, "-preset", preset, "-qp", str(qp)]
    argv += ["-qpa", "0", "-threads", "1", "-vvenc-params", parameters, "-f", "vvc", "pipe:1"]
    raw = b"".join(plane.astype("<u2").tobytes() for plane in (planes.y, planes.cb, planes.cr))
    return run(argv, raw, seconds=_SECONDS_TO_START + width * height / _PIXELS_A_SECOND)
