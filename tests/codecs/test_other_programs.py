"""Our files in the decoders that Debian packages, and its encoders' files in ours."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sursmr_codec import codecs, images
from sursmr_codec.images.colour import Planes, planes_to_rgb
from sursmr_codec.types import Pixels, Source

PSNR = Callable[[Pixels, Pixels], float]
WIDTH, HEIGHT = 194, 130


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
WITHOUT = {
    "bpg": "no decoder is packaged; libbpg is asked through npm in test_bpg",
    "vvc": "no decoder is packaged; ffmpeg's own is asked in test_vvc",
}


def test_every_codec_is_held_against_another_decoder() -> None:
    assert {other.codec for other in OTHERS} | set(WITHOUT) >= set(codecs.ids())


@pytest.fixture(scope="module")
def photo(kodim23: Path) -> Source:
    """194x130 of a real photograph: no multiple of any block."""
    with Image.open(kodim23) as whole:
        return Source.from_array(np.asarray(whole.crop((300, 100, 300 + WIDTH, 100 + HEIGHT))))


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_our_files_in_their_decoder(other: Other, photo: Source, tmp_path: Path, psnr: PSNR) -> None:
    codec = codecs.get(other.codec)
    for qp in (codec.qp_range[0], codec.qp_range[len(codec.qp_range) // 2], codec.qp_range[-1]):
        file = tmp_path / f"ours-{qp}{codec.extension}"
        file.write_bytes(codec.encode(photo, qp))
        theirs = decode(other, file)
        assert psnr(codec.decode(file.read_bytes(), WIDTH, HEIGHT), theirs) >= other.ours


@pytest.mark.parametrize("other", [other for other in OTHERS if other.encode], ids=str)
def test_their_files_in_our_decoder(other: Other, photo: Source, tmp_path: Path, psnr: PSNR) -> None:
    codec = codecs.get(other.codec)
    png, file = tmp_path / "in.png", tmp_path / f"theirs{codec.extension}"
    Image.fromarray(photo.rgb).save(png)
    call(other.encode, png=png, file=file)
    theirs = decode(other, file)
    assert psnr(photo.rgb, theirs) > 28
    if other.codec != "jxl":
        assert psnr(images.read(file).rgb, theirs) >= other.theirs
    assert psnr(codec.decode(file.read_bytes(), WIDTH, HEIGHT), theirs) >= other.theirs


def test_their_jpeg_in_our_decoder(photo: Source, tmp_path: Path, psnr: PSNR) -> None:
    ppm, file, other = tmp_path / "in.ppm", tmp_path / "theirs.jpg", OTHERS[0]
    Image.fromarray(photo.rgb).save(ppm)
    call(("cjpeg", "-quality", "70", "-progressive", "-outfile", "{file}", "{png}"), png=ppm, file=file)
    theirs = decode(other, file)
    assert psnr(images.read(file).rgb, theirs) >= other.ours
    assert psnr(codecs.get("jpeg").decode(file.read_bytes(), WIDTH, HEIGHT), theirs) >= other.ours


def decode(other: Other, file: Path) -> Pixels:
    picture = file.with_suffix(f".{other.picture}")
    call(other.decode, file=file, picture=picture)
    if other.picture == "yuv":
        return planes_to_rgb(planes(picture.read_bytes()))[:HEIGHT, :WIDTH]
    with Image.open(picture) as image:
        return np.asarray(image.convert("RGB"))


def planes(raw: bytes) -> Planes:
    y, cb, cr = np.split(np.frombuffer(raw, np.uint8), [WIDTH * HEIGHT, WIDTH * HEIGHT * 5 // 4])
    half = (HEIGHT // 2, WIDTH // 2)
    return Planes(y.reshape(HEIGHT, WIDTH), cb.reshape(half), cr.reshape(half))


def call(command: Sequence[str], **paths: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    argv = [word.format(**paths) for word in command]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
