"""cjpeg of libjpeg-turbo or mozjpeg, fed with a PPM and read through pipes."""

from __future__ import annotations

import io

from PIL import JpegImagePlugin

from sursmr_codec.codecs._jpeg_segments import with_segments_of
from sursmr_codec.codecs._local import Program, find, remedy, seconds_for
from sursmr_codec.codecs._process import run
from sursmr_codec.codecs.base import Availability
from sursmr_codec.errors import EncodeError, UnavailableError
from sursmr_codec.images.jpeg import has_end
from sursmr_codec.images.jpeg_quality import luma_table
from sursmr_codec.types import Pixels

_HALVED_CHROMA = [(2, 2), (1, 1), (1, 1)]


def cjpeg_availability(path: str) -> Availability:
    """Whether the program at `path` can be used."""
    try:
        return Availability(True, versions=_versions(find("cjpeg", path)))
    except UnavailableError as trouble:
        return Availability(False, str(trouble), remedy("cjpeg"))


def cjpeg_fingerprint(path: str) -> str:
    """Program, version and switches; `cjpeg/none` where it cannot be used."""
    try:
        program = find("cjpeg", path)
    except UnavailableError:
        return "cjpeg/none"
    versions = " ".join(f"{name}/{version}" for name, version in _versions(program).items())
    return f"{versions} {_switches(program)}"


def encode_jpeg(path: str, pixels: Pixels, quality: int, like: bytes) -> bytes:
    """Encode (H, W, 3) RGB to a 4:2:0 JPEG whose luma table is that of an IJG quality 1..100.

    The application segments (density, EXIF, profile) are those of the JPEG `like`. Raises UnavailableError
    where the program cannot be used, and EncodeError where it fails or writes something else.
    """
    height, width = pixels.shape[:2]
    program = find("cjpeg", path)
    argv = [program.path, "-quality", str(quality), *_switches(program).split()]
    raw = b"P6 %d %d 255\n" % (width, height) + pixels.tobytes()
    done = run(argv, raw, seconds=seconds_for(width, height)).require()
    _check(path, done.stdout, width, height, quality)
    return with_segments_of(like, done.stdout)


def _switches(program: Program) -> str:
    """What is passed beside the quality.

    mozjpeg's own entropy coding and trellis stay on; its quantisation tables give way to those of Annex K,
    whose scale the quality refers to.
    """
    if _is_mozjpeg(program):
        return "-quant-table 0 -quant-baseline -sample 2x2"
    return "-baseline -sample 2x2"


def _versions(program: Program) -> dict[str, str]:
    return {"cjpeg-mozjpeg" if _is_mozjpeg(program) else "cjpeg-libjpeg-turbo": program.version}


def _is_mozjpeg(program: Program) -> bool:
    return "mozjpeg" in program.words


def _check(path: str, data: bytes, width: int, height: int, quality: int) -> None:
    try:
        with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as picture:
            size, layers, tables = picture.size, picture.layer, picture.quantization
            table = list(tables[layers[0][3]])
    # Pillow's header parsers raise whatever broken bytes lead to, SyntaxError and struct.error among it.
    except Exception as trouble:
        raise EncodeError(f"{path} wrote no JPEG: {trouble or type(trouble).__name__}") from trouble
    if not has_end(data):
        raise EncodeError(f"{path} wrote a JPEG without its end")
    if size != (width, height):
        raise EncodeError(f"{path} wrote {size[0]}x{size[1]}, not {width}x{height}")
    if [layer[1:3] for layer in layers] != _HALVED_CHROMA:
        raise EncodeError(f"{path} wrote another chroma format than 4:2:0")
    if table != luma_table(quality).tolist():
        raise EncodeError(f"{path} wrote another quantisation table than that of quality {quality}")
