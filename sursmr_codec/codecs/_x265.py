"""x265 as a program of its own, fed with planes and read through pipes."""

from __future__ import annotations

from sursmr_codec.codecs._local import find, seconds_for
from sursmr_codec.codecs._process import run
from sursmr_codec.errors import EncodeError
from sursmr_codec.images.colour import Planes

_SWITCHES = ("wpp", "info", "amp", "rect", "allow-non-conformance")
"""Parameters without a value; `no-` before the name turns one off."""
_LARGEST_TREE_UNIT = 64
_SMALLEST_TREE_UNIT = 16


def run_x265(path: str, planes: Planes, preset: str, parameters: str) -> bytes:
    """Encode 4:2:0 planes of 8 bits to an Annex B stream.

    `parameters` are in the notation of x265's library: `qp=30:wpp=0`. Raises UnavailableError where the
    program cannot be used, and EncodeError where it fails.
    """
    height, width = planes.y.shape
    if min(width, height) < _LARGEST_TREE_UNIT:
        # x265 3 refuses pictures that are smaller than one coding tree unit.
        parameters += f":ctu={_tree_unit(min(width, height))}"
    argv = [find("x265", path).path, "--input", "-", "--input-res", f"{width}x{height}"]
    argv += ["--input-csp", "i420", "--input-depth", "8", "--fps", "25", "--frames", "1"]
    argv += ["--preset", preset, *_arguments(parameters), "--log-level", "error", "--output", "-"]
    raw = b"".join(plane.tobytes() for plane in (planes.y, planes.cb, planes.cr))
    done = run(argv, raw, seconds=seconds_for(width, height)).require()
    if not done.stdout:
        raise EncodeError(f"{path} wrote no HEVC stream: {done.last_words}")
    return done.stdout


def _tree_unit(side: int) -> int:
    return max(_SMALLEST_TREE_UNIT, 1 << (side.bit_length() - 1))


def _arguments(parameters: str) -> list[str]:
    """The same parameters as x265's command line takes them."""
    arguments = []
    for parameter in parameters.split(":"):
        name, _, value = parameter.partition("=")
        if name in _SWITCHES:
            arguments.append(f"--{name}" if value == "1" else f"--no-{name}")
        else:
            arguments += [f"--{name}", value]
    return arguments
