"""HEVC intra pictures by x265, as raw Annex B streams: in process through PyAV, or by an x265 program.

Every option that moves bytes is fixed: constant QP without the offset that x265 gives intra frames, no
adaptive quantisation, one thread, no wavefronts (they change the stream). The QP of the written slice is
read back from the stream after each encode. Colour is BT.601 full range, said so in the stream's VUI.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

import numpy as np

from sursmr_codec.codecs._bitstream import read_intra_picture
from sursmr_codec.codecs._local import find, remedy
from sursmr_codec.codecs._planar import decode_picture, frame_from_planes, pad_edges, pixel_format
from sursmr_codec.codecs._x265 import run_x265
from sursmr_codec.codecs.base import Availability, Codec, check_option
from sursmr_codec.errors import DecodeError, EncodeError, UnavailableError, UsageError
from sursmr_codec.images.colour import Chroma, Planes, rgb_to_planes
from sursmr_codec.types import Pixels, Source

PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)
"""All of x265's but placebo, which refuses pictures of less than 32 pixels a side."""
_REMEDY = "pip install --upgrade 'av>=14'"
CODING_PARAMETERS = "ipratio=1:keyint=1:aq-mode=0:wpp=0:pools=none:frame-threads=1:allow-non-conformance=1"
"""Non-conformance only concerns pictures too long and thin for any level; others keep their bytes."""
CHROMAS: dict[Chroma, str] = {"420": "4:2:0", "444": "4:4:4"}
"""In 4:4:4 x265 itself gives chroma a QP that lies 6 above that of the slice."""
BIT_DEPTHS = (8, 10)
_COLOUR = "range=full:colormatrix=smpte170m:colorprim=bt709:transfer=iec61966-2-1"
_CENTRED = ":chromaloc=1"


class Hevc(Codec):
    """HEVC, 8 or 10 bit; QP 0..51 is the slice QP.

    `wobble` holds from 64x48 pixels on; of thumbnails of a few hundred bytes a byte more is a large share.
    """

    id: ClassVar[str] = "hevc"
    extension: ClassVar[str] = ".hevc"
    qp_range: ClassVar[range] = range(52)
    wobble: ClassVar[float] = 0.05

    def __init__(
        self,
        preset: str = "medium",
        *,
        chroma: Chroma = "420",
        bit_depth: int = 8,
        x265: str | None = None,
    ) -> None:
        """`preset` is one of PRESETS; raises UsageError for values that do not exist.

        With `x265`, the path of that program, it encodes in the place of PyAV's x265, in 4:2:0 at 8 bit.
        """
        check_x265_options(self.id, preset, chroma, bit_depth, x265)
        self._preset = preset
        self._chroma: Chroma = chroma
        self._bit_depth = bit_depth
        self._x265 = x265

    @property
    def options(self) -> Mapping[str, object]:
        """x265's preset, chroma format and bits a sample; which x265 was used shows in the fingerprint."""
        return {"preset": self._preset, "chroma": self._chroma, "bit_depth": self._bit_depth}

    def encode(self, source: Source, qp: int) -> bytes:
        """Compress `source.rgb` to an Annex B stream of one IDR picture.

        Raises UnavailableError without x265, and EncodeError where it fails or the slice has another QP.
        """
        self.check_qp(qp)
        self.require()
        planes = rgb_to_planes(pad_edges(source.rgb), self._chroma, self._bit_depth)
        return encode_intra(planes, qp, self._preset, self._colour, self._x265)

    def decode(self, data: bytes, width: int, height: int) -> Pixels:
        """Decode the one picture of a stream; any stream but one of BT.601 full range is refused."""
        self.require()
        return decode_picture("hevc", data, width, height)

    def fingerprint(self) -> str:
        """PyAV, x265, preset, chroma format and the parameters that are passed to x265."""
        versions = " ".join(f"{name}/{version}" for name, version in x265_versions(self._x265).items())
        layout = f"{CHROMAS[self._chroma]} {self._bit_depth}bit bt601-full"
        return f"hevc {versions} preset={self._preset} {layout} {CODING_PARAMETERS}:{self._colour}"

    @property
    def _colour(self) -> str:
        return _COLOUR + (_CENTRED if self._chroma == "420" else "")

    def native(self, qp: int) -> Mapping[str, object]:
        """The QP itself."""
        self.check_qp(qp)
        return {"qp": qp}

    def availability(self) -> Availability:
        """Usable where PyAV can be imported and has x265 and an HEVC decoder, as its wheels have."""
        return x265_availability(self._x265)


def check_x265_options(codec_id: str, preset: str, chroma: str, bit_depth: int, program: str | None) -> None:
    """Raise UsageError for values that x265 does not have, or that a program of the user's is not given."""
    if preset not in PRESETS:
        raise UsageError(f"{codec_id} presets are {', '.join(PRESETS)}, not {preset!r}")
    check_option(codec_id, "chroma", chroma, CHROMAS)
    check_option(codec_id, "bit_depth", bit_depth, BIT_DEPTHS)
    if program is not None and (chroma, bit_depth) != ("420", 8):
        raise UsageError(f"{codec_id} is written in 4:2:0 at 8 bit by a program of one's own")


def encode_intra(planes: Planes, qp: int, preset: str, parameters: str, program: str | None = None) -> bytes:
    """Encode planes of even size, at least 16 a side, to an Annex B stream at slice QP `qp`.

    `parameters` are added to those that fix the bytes, in x265's own notation; `program` is the path of an
    x265 to use in place of PyAV's. Raises EncodeError where x265 fails, and where the stream does not say the
    QP and size that were asked for.
    """
    fixed = f"qp={qp}:{CODING_PARAMETERS}:info=0:{parameters}"
    if program is None:
        stream = _run_x265(planes, preset, f"{fixed}:log-level=none")
    else:
        stream = run_x265(program, planes, preset, fixed)
    height, width = planes.y.shape
    try:
        written = read_intra_picture(stream)
    except DecodeError as trouble:
        raise EncodeError(f"x265 wrote a stream that cannot be read back: {trouble}") from trouble
    if written.qp != qp or written.picture.varies_qp:
        raise EncodeError(f"x265 wrote slice QP {written.qp}, not {qp}")
    if (written.sequence.width, written.sequence.height) != (width, height):
        raise EncodeError(
            f"x265 wrote {written.sequence.width}x{written.sequence.height}, not {width}x{height}"
        )
    return stream


@lru_cache(maxsize=16)
def x265_availability(program: str | None = None) -> Availability:
    """Whether PyAV and its x265, or the x265 at the path `program`, can be used here."""
    try:
        import av
    except ImportError as trouble:
        return Availability(False, reason=f"PyAV cannot be imported: {trouble}", remedy=_REMEDY)
    try:
        if program is None:
            av.codec.Codec("libx265", "w")
        av.codec.Codec("hevc", "r")
    except av.codec.codec.UnknownCodecError as trouble:
        return Availability(
            False,
            reason=f"PyAV {av.__version__} was built without the codec {trouble}",
            remedy="pip install --force-reinstall --only-binary :all: 'av>=14'",
            versions={"av": av.__version__},
        )
    if program is not None:
        try:
            find("x265", program)
        except UnavailableError as trouble:
            return Availability(False, str(trouble), remedy("x265"))
    return Availability(True, versions=x265_versions(program))


@lru_cache(maxsize=16)
def x265_versions(program: str | None = None) -> Mapping[str, str]:
    """Versions of PyAV, its FFmpeg and its x265, or of the x265 program; "none" where one is missing.

    No library call tells x265's version: it is read from the note that x265 leaves in a stream.
    """
    try:
        import av
    except ImportError:
        return {"av": "none", "x265": "none"}
    if program is not None:
        try:
            return {"av": av.__version__, "x265-program": find("x265", program).version}
        except UnavailableError:
            return {"av": av.__version__, "x265-program": "none"}
    grey = np.full((16, 16), 128, dtype=np.uint8)
    try:
        stream = _run_x265(Planes(grey, grey[:8, :8], grey[:8, :8]), "ultrafast", "info=1:log-level=none")
    except EncodeError:
        stream = b""
    note = re.search(rb"x265 \(build (\d+)\) - ([^:\s]+)", stream)
    version = f"{note[2].decode()}.{note[1].decode()}" if note else "none"
    return {"av": av.__version__, "ffmpeg": av.ffmpeg_version_info, "x265": version}


def _run_x265(planes: Planes, preset: str, parameters: str) -> bytes:
    import av

    height, width = planes.y.shape
    try:
        context = av.CodecContext.create("libx265", "w")
        context.width, context.height = width, height
        context.pix_fmt = pixel_format(planes)
        context.time_base = Fraction(1, 25)
        context.thread_count = 1
        context.options = {"preset": preset, "x265-params": parameters}
        packets = context.encode(frame_from_planes(planes)) + context.encode(None)
    except (av.error.FFmpegError, OSError, ValueError) as trouble:
        reason = getattr(trouble, "strerror", None) or trouble
        raise EncodeError(f"x265 failed on a picture of {width}x{height}: {reason}") from trouble
    return b"".join(bytes(packet) for packet in packets)
