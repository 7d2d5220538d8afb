"""VMAF (Netflix, 2016, https://github.com/Netflix/vmaf), by the libvmaf inside imageio-ffmpeg's binary.

Both pictures go through one pipe, one above the other, and the score comes back on the log: no file is
written, so none is left. RGB becomes BT.709 limited range, as in the video that the model was trained on; it
reads luma only.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
from typing import ClassVar

import numpy as np

from sursmr_codec.errors import UnavailableError
from sursmr_codec.labels.teachers.base import Teacher, pad_to
from sursmr_codec.types import Pixels

IDENTICAL = 97.428
"""Score of an identical still: two of the model's three features are at their best, motion is none."""
SMALLEST = 32
"""Pixels a side below which libvmaf has no score."""
TIMEOUT_SECONDS = 120.0

_SCORE = re.compile(r"VMAF score: (-?[\d.]+)")
_TO_LUMA = (
    "scale=in_range=full:out_color_matrix=bt709:out_range=limited:flags=accurate_rnd+full_chroma_int,"
    "format=yuv444p"
)


class Vmaf(Teacher):
    """Fusion of detail loss and visual information fidelity, 0 to 100; identical stills have 97.43."""

    id = "vmaf"
    higher_is_better = True
    score_range = (0.0, IDENTICAL)
    library = "imageio_ffmpeg"
    extra = "measured"
    model: ClassVar[str] = "vmaf_v0.6.1"

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._timeout = timeout_seconds

    def score(self, reference: Pixels, distorted: Pixels) -> float:
        """As the contract says; raises UnavailableError where ffmpeg fails, hangs, or has no libvmaf."""
        self.require()
        pair = np.concatenate([pad_to(reference, SMALLEST), pad_to(distorted, SMALLEST)])
        log = _run(self._command(*pair.shape[:2]), pair.tobytes(), self._timeout)
        found = _SCORE.search(log)
        if found is None:
            raise UnavailableError(f"teacher {self.id}: ffmpeg gave no score: {_tail(log)}")
        return float(found[1])

    def version(self) -> str:
        return f"{self.id} ffmpeg {_ffmpeg_version(_ffmpeg())} {self.model} bt709"

    def _command(self, both: int, width: int) -> list[str]:
        height = both // 2
        graph = (
            "[0:v]split[one][two];"
            f"[one]crop={width}:{height}:0:0:exact=1,{_TO_LUMA}[reference];"
            f"[two]crop={width}:{height}:0:{height}:exact=1,{_TO_LUMA}[distorted];"
            f"[distorted][reference]libvmaf=model=version={self.model}:n_threads=1"
        )
        raw = ["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{width}x{both}", "-i", "pipe:0"]
        options = ["-hide_banner", "-loglevel", "info", "-nostats", "-filter_complex_threads", "1"]
        return [_ffmpeg(), *options, *raw, "-filter_complex", graph, "-f", "null", "-"]


class VmafNeg(Vmaf):
    """VMAF without reward for enhancement ("no enhancement gain"): sharpening does not raise it."""

    id = "vmaf_neg"
    model: ClassVar[str] = "vmaf_v0.6.1neg"


def _ffmpeg() -> str:
    import imageio_ffmpeg

    try:
        path: str = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise UnavailableError(f"VMAF needs the ffmpeg of imageio-ffmpeg: {error}") from error
    return path


@functools.cache
def _ffmpeg_version(path: str) -> str:
    # The whole first line's third word: builds of one release differ in the libvmaf they hold.
    first = _run([path, "-version"], b"", 30.0, stdout=True).partition("\n")[0].split()
    return first[2] if len(first) > 2 else "unknown"


def _run(command: list[str], data: bytes, timeout: float, *, stdout: bool = False) -> str:
    """Standard error (or output) of a process that is never left behind, whatever happens here."""
    stream = subprocess.PIPE if stdout else subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.PIPE,
            start_new_session=sys.platform != "win32",
        )
    except OSError as error:
        raise UnavailableError(f"{command[0]} cannot be started: {error}") from error
    try:
        output, log = process.communicate(data, timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{command[0]} was stopped after {timeout:g} s without an answer") from error
    finally:
        if process.poll() is None:
            _kill(process)
    text = (output if stdout else log).decode("utf-8", "replace")
    if process.returncode != 0:
        raise UnavailableError(
            f"{' '.join(command)} failed with exit code {process.returncode}: "
            f"{_tail(log.decode('utf-8', 'replace'))}"
        )
    return text


def _kill(process: subprocess.Popen[bytes]) -> None:
    # The group, since the process may have started others; it leads one of its own.
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            # What was not yet written has no reader any more.
            with contextlib.suppress(OSError):
                stream.close()


def _tail(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return " | ".join(lines[-3:]) or "no message"
