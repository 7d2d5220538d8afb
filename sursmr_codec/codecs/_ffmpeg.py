"""Finding an ffmpeg program with the encoder that is wanted.

Looked for in this order: an explicit path, the environment variable IMAGEIO_FFMPEG_EXE, the binary that
imageio-ffmpeg brings, and `ffmpeg` on the PATH. The first two are orders and not suggestions: where one is
given, nothing else is tried.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from sursmr_codec.codecs._process import run
from sursmr_codec.errors import UnavailableError

ENVIRONMENT = "IMAGEIO_FFMPEG_EXE"
REMEDY = "pip install --upgrade 'imageio-ffmpeg>=0.8'"
_SECONDS = 30.0
_SECONDS_TO_TRACE = 120.0


@dataclass(frozen=True)
class FFmpeg:
    """An ffmpeg program, and what it was built with."""

    path: str
    version: str
    encoders: frozenset[str]
    origin: str
    """Where the path comes from, in words."""


def find(encoder: str | None, explicit: str | None = None) -> FFmpeg:
    """The first ffmpeg that has `encoder`; None: the first that answers.

    Raises UnavailableError saying which programs were found, where, and what each lacks.
    """
    lacking = []
    for path, origin in _candidates(explicit):
        try:
            found = probe(path, origin)
        except UnavailableError as trouble:
            lacking.append(f"{origin}: {trouble}")
            continue
        if encoder is None or encoder in found.encoders:
            return found
        lacking.append(f"{origin}: {path} (version {found.version}) lacks {encoder}")
    raise UnavailableError("; ".join(lacking) or "no ffmpeg was found")


@lru_cache(maxsize=16)
def probe(path: str, origin: str = "an explicit path") -> FFmpeg:
    """Ask an ffmpeg for its version and encoders; UnavailableError where it does not answer as one."""
    banner = _ask(path, "-version")
    version = re.match(r"ffmpeg version (\S+)", banner)
    if version is None:
        raise UnavailableError(f"{path} does not answer as ffmpeg does")
    encoders = re.findall(r"^ V[.A-Z]{5} (\w\S*)", _ask(path, "-encoders"), flags=re.MULTILINE)
    return FFmpeg(path, version[1], frozenset(encoders), origin)


def vvc_slice_qp(program: str, stream: bytes) -> int | None:
    """QP of the last slice of a VVC stream, as an ffmpeg program's own parser reads it; None where it can't.

    Raises EncodeError where the program fails.
    """
    argv = [program, "-hide_banner", "-f", "vvc", "-i", "pipe:0"]
    argv += ["-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"]
    headers = run(argv, stream, seconds=_SECONDS_TO_TRACE).require().stderr
    parts = [
        re.search(rf"\b{name}\s+[01]+ = (-?\d+)", headers) for name in ("pps_init_qp_minus26", "sh_qp_delta")
    ]
    return None if None in parts else 26 + sum(int(part[1]) for part in parts if part)


def _ask(path: str, question: str) -> str:
    answer = run([path, "-hide_banner", question], seconds=_SECONDS).require()
    return answer.stdout.decode(errors="replace")


def _candidates(explicit: str | None) -> Iterator[tuple[str, str]]:
    if explicit:
        yield explicit, "the path that was given"
        return
    if named := os.environ.get(ENVIRONMENT):
        yield named, f"the environment variable {ENVIRONMENT}"
        return
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        yield str(get_ffmpeg_exe()), "imageio-ffmpeg"
    except (ImportError, RuntimeError):
        pass
    if on_path := shutil.which("ffmpeg"):
        yield on_path, "the PATH"
