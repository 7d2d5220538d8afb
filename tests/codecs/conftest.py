"""Pictures and profiles that the codec tests share."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_picture import make_picture

from sursmr_codec.types import Pixels, Source

PictureMaker = Callable[..., Pixels]


@pytest.fixture(scope="session")
def picture() -> PictureMaker:
    """`make_picture`, for tests that choose their own sizes."""
    return make_picture


@pytest.fixture(scope="session")
def source() -> Source:
    """A 64x48 picture with structure."""
    return Source.from_array(make_picture(64, 48))


@pytest.fixture(scope="session")
def psnr() -> Callable[[Pixels, Pixels], float]:
    """PSNR of two uint8 pictures, in dB; infinite where they are equal."""

    def measure(reference: Pixels, distorted: Pixels) -> float:
        error = np.mean((reference.astype(np.float64) - distorted) ** 2)
        return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))

    return measure


@pytest.fixture(scope="session")
def p3_profile() -> bytes:
    """A matrix profile of Display P3: its primaries adapted to D50, with one gamma of 2.2."""
    xyz = {
        b"rXYZ": (0.515102, 0.241182, -0.001049),
        b"gXYZ": (0.291965, 0.692236, 0.041883),
        b"bXYZ": (0.157153, 0.066582, 0.784378),
        b"wtpt": (0.964203, 1.0, 0.824905),
    }
    tags = {
        name: b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))
        for name, values in xyz.items()
    }
    tags |= {
        name: b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(2.2 * 256), 0)
        for name in (b"rTRC", b"gTRC", b"bTRC")
    }
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 11) + b"Display P3\0" + bytes(79)
    tags[b"cprt"] = b"text\0\0\0\0none\0\0\0\0"
    table, body = struct.pack(">I", len(tags)), b""
    for name, held in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(held))
        body += held + bytes(-len(held) % 4)
    header = struct.pack(">I4sI4s4s4s", 0, b"\0" * 4, 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    profile = header + table + body
    return struct.pack(">I", len(profile)) + profile[4:]


@pytest.fixture(scope="session")
def pip_ffmpeg() -> str:
    """The ffmpeg binary of imageio-ffmpeg, which shares no code build with PyAV."""
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    return str(imageio_ffmpeg.get_ffmpeg_exe())


@pytest.fixture(scope="session")
def trace_headers(pip_ffmpeg: str) -> Callable[[Path], dict[str, int]]:
    """Syntax elements of a stream's headers, the last value of each, as FFmpeg's own parser reads them.

    The file's suffix names the stream's format.
    """

    def trace(file: Path) -> dict[str, int]:
        command = [pip_ffmpeg, "-hide_banner", "-f", file.suffix[1:], "-i", str(file)]
        command += ["-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        elements = re.findall(r"\d+\s+(\w+)\S*\s+[01]+ = (-?\d+)", done.stderr)
        return {name: int(value) for name, value in elements}

    return trace
