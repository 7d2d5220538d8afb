"""Programs of Debian that read or write formats of ours, and how near their pixels have to be to ours."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sursmr_codec.images.colour import Planes, planes_to_rgb
from sursmr_codec.types import Pixels

WIDTH, HEIGHT = 194, 130
"""No multiple of any block."""


class NotInstalled(Exception):
    """The program that was called is not on the PATH."""


@dataclass(frozen=True)
class Other:
    """Programs of one format, and how near their pixels have to be to ours, in dB."""

    codec: str
    decode: tuple[str, ...]
    """Command that turns {file} into {picture}."""
    ours: float
    """Least PSNR between their pixels and ours, of our files."""
    encode: tuple[str, ...] = ()
    """Command that turns {png} into {file}; empty where they have none of their own."""
    theirs: float = 0.0
    """The same, of their files."""
    picture: str = "png"
    """Kind of file that the decoder writes."""

    def __str__(self) -> str:
        return self.codec


EXACT = float("inf")
"""HEVC prescribes every sample; the other formats leave a decoder some freedom in upsampling or rounding."""
OTHERS = (
    Other("jpeg", ("djpeg", "-ppm", "-outfile", "{picture}", "{file}"), 60, picture="ppm"),
    Other("jpegli", ("djpeg", "-ppm", "-outfile", "{picture}", "{file}"), 60, picture="ppm"),
    Other("hevc", ("libde265-dec265", "-q", "-o", "{picture}", "{file}"), EXACT, picture="yuv"),
    Other(
        *("heic", ("heif-convert", "{file}", "{picture}"), 60),
        *(("heif-enc", "-q", "60", "-o", "{file}", "{png}"), 60),
    ),
    Other(
        *("avif", ("avifdec", "{file}", "{picture}"), 60),
        *(("avifenc", "-s", "8", "-j", "1", "--min", "20", "--max", "20", "{png}", "{file}"), 60),
    ),
    Other(
        *("webp", ("dwebp", "-quiet", "{file}", "-o", "{picture}"), 60),
        *(("cwebp", "-quiet", "-q", "60", "{png}", "-o", "{file}"), 60),
    ),
    Other(
        *("jxl", ("djxl", "{file}", "{picture}"), 50),
        *(("cjxl", "-d", "2", "{png}", "{file}"), 50),
    ),
)


def decode(other: Other, file: Path) -> Pixels:
    """(H, W, 3) RGB of a file of WIDTH x HEIGHT, as the other program has it; NotInstalled without it."""
    picture = file.with_suffix(f".{other.picture}")
    call(other.decode, file=file, picture=picture)
    if other.picture == "yuv":
        return planes_to_rgb(_planes(picture.read_bytes()))[:HEIGHT, :WIDTH]
    with Image.open(picture) as image:
        return np.asarray(image.convert("RGB"))


def _planes(raw: bytes) -> Planes:
    y, cb, cr = np.split(np.frombuffer(raw, np.uint8), [WIDTH * HEIGHT, WIDTH * HEIGHT * 5 // 4])
    half = (HEIGHT // 2, WIDTH // 2)
    return Planes(y.reshape(HEIGHT, WIDTH), cb.reshape(half), cr.reshape(half))


def call(command: Sequence[str], **paths: Path) -> None:
    """Run a command of the table; NotInstalled without the program, RuntimeError where it fails."""
    if shutil.which(command[0]) is None:
        raise NotInstalled(f"{command[0]} is not installed")
    argv = [word.format(**paths) for word in command]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"{argv} ended with code {done.returncode}: {done.stderr}")
