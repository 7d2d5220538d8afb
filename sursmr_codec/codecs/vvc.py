"""VVC intra pictures by VVenC, through an external ffmpeg or vvencapp, as raw Annex B streams.

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
from sursmr_codec.codecs._local import find, remedy, seconds_for
from sursmr_codec.codecs._planar import decode_picture, pad_edges
from sursmr_codec.codecs._process import Finished, run
from sursmr_codec.codecs._vvencapp import run_vvencapp
from sursmr_codec.codecs.base import Availability, Codec
from sursmr_codec.errors import EncodeError, UnavailableError, UsageError
from sursmr_codec.images.colour import Planes, rgb_to_planes
from sursmr_codec.types import Pixels, Source

PRESETS = ("faster", "fast", "medium", "slow", "slower")
_ENCODER = "libvvenc"
_PARAMETERS = "IntraQPOffset=0:BIM=0:VideoFullRange=1:ChromaLocInfoPresent=1:ChromaSampleLocType=1"
_TAGS = "setparams=colorspace=smpte170m:color_primaries=bt709:color_trc=iec61966-2-1"
"""ffmpeg passes these three to VVenC with the frames; full range and chroma position only as parameters."""
_APP_TAGS = "ColourPrimaries=1:TransferCharacteristics=13:MatrixCoefficients=6"
"""The same three, as vvencapp takes them: code points of ITU-T H.273."""
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

    def __init__(
        self, preset: str = "faster", *, ffmpeg: str | None = None, vvencapp: str | None = None
    ) -> None:
        """`preset` is one of PRESETS, UsageError for any other; `ffmpeg` the program to use and no other.

        With `vvencapp`, the path of that program, it encodes in ffmpeg's place.
        """
        if preset not in PRESETS:
            raise UsageError(f"vvc presets are {', '.join(PRESETS)}, not {preset!r}")
        self._preset = preset
        self._ffmpeg = ffmpeg
        self._vvencapp = vvencapp

    @property
    def options(self) -> Mapping[str, object]:
        """The VVenC preset; which program was used shows in the fingerprint."""
        return {"preset": self._preset}

    def encode(self, source: Source, qp: int) -> bytes:
        """Compress `source.rgb` to an Annex B stream of one intra picture.

        Raises UnavailableError without an ffmpeg that has VVenC, and EncodeError where it fails.
        """
        self.check_qp(qp)
        self.require()
        pixels = pad_edges(source.rgb)
        if self._vvencapp is not None:
            planes = rgb_to_planes(pixels, "420", 10)
            return run_vvencapp(self._vvencapp, planes, qp, self._preset, f"{_PARAMETERS}:{_APP_TAGS}")
        return _encode(_ffmpeg.find(_ENCODER, self._ffmpeg).path, pixels, qp, self._preset)

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode the one picture of a stream; any stream but one of BT.601 full range is refused."""
        reason = _decoder_missing()
        if reason:
            raise UnavailableError(f"codec vvc is not usable: {reason}; try: pip install --upgrade 'av>=14'")
        return decode_picture("vvc", data, width, height)

    def fingerprint(self) -> str:
        """PyAV, ffmpeg or vvencapp, VVenC, preset, chroma format and the parameters that are passed to it."""
        versions = " ".join(f"{name}/{version}" for name, version in self._versions().items())
        parameters = _PARAMETERS if self._vvencapp is None else f"{_PARAMETERS}:{_APP_TAGS}"
        return f"vvc {versions} preset={self._preset} 4:2:0 10bit bt601-full qpa=0 {parameters}"

    def native(self, qp: int) -> Mapping[str, object]:
        """The QP itself."""
        self.check_qp(qp)
        return {"qp": qp}

    def availability(self) -> Availability:
        """Usable with an ffmpeg that has VVenC and obeys its QP, and a PyAV that decodes VVC."""
        reason = _decoder_missing()
        if reason:
            return Availability(False, reason, "pip install --upgrade 'av>=14'")
        if self._vvencapp is not None:
            try:
                _try_out_app(self._vvencapp, self._ffmpeg)
            except UnavailableError as trouble:
                return Availability(False, str(trouble), remedy("vvencapp"))
            return Availability(True, versions=self._versions())
        try:
            found = _ffmpeg.find(_ENCODER, self._ffmpeg)
            _try_out(found.path)
        except UnavailableError as trouble:
            return Availability(False, str(trouble), _ffmpeg.REMEDY)
        return Availability(True, versions=self._versions())

    def _versions(self) -> Mapping[str, str]:
        try:
            import av

            if self._vvencapp is not None:
                return {"av": av.__version__, "vvencapp": find("vvencapp", self._vvencapp).version}
            found = _ffmpeg.find(_ENCODER, self._ffmpeg)
            return {"av": av.__version__, "ffmpeg": found.version, "vvenc": _try_out(found.path)}
        except (ImportError, UnavailableError):
            names = ("ffmpeg", "vvenc") if self._vvencapp is None else ("vvencapp",)
            return dict.fromkeys(names, "none")


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
    done = _run_vvenc(program, _grey(), _TRIED_QP, "faster", _PARAMETERS, log="verbose").require()
    _check_qp(program, program, done.stdout)
    version = re.search(r"libvvenc version: (\S+)", done.stderr)
    return version[1] if version else "unknown"


@lru_cache(maxsize=16)
def _try_out_app(program: str, ffmpeg: str | None) -> None:
    """The same for a vvencapp, whose stream the ffmpeg that is at hand reads."""
    stream = run_vvencapp(program, _grey(), _TRIED_QP, "faster", f"{_PARAMETERS}:{_APP_TAGS}")
    _check_qp(program, _ffmpeg.find(None, ffmpeg).path, stream)


def _grey() -> Planes:
    grey = np.full((16, 16), 512, dtype=np.uint16)
    return Planes(grey, grey[:8, :8], grey[:8, :8], 10)


def _check_qp(program: str, ffmpeg: str, stream: bytes) -> None:
    written = _ffmpeg.vvc_slice_qp(ffmpeg, stream)
    if written != _TRIED_QP:
        raise EncodeError(f"VVenC in {program} wrote slice QP {written}, not {_TRIED_QP}")


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
    return run(argv, raw, seconds=seconds_for(width, height))
