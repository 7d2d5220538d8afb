"""Our files in the decoders that Debian packages, and its encoders' files in ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from other_programs import HEIGHT, OTHERS, WIDTH, NotInstalled, Other, call, decode
from PIL import Image

from sursmr_codec import codecs, images
from sursmr_codec.types import Pixels, Source

PSNR = Callable[[Pixels, Pixels], float]
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


@contextmanager
def skipping() -> Iterator[None]:
    try:
        yield
    except NotInstalled as absent:
        pytest.skip(str(absent))


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_our_files_in_their_decoder(other: Other, photo: Source, tmp_path: Path, psnr: PSNR) -> None:
    codec = codecs.get(other.codec)
    for qp in (codec.qp_range[0], codec.qp_range[len(codec.qp_range) // 2], codec.qp_range[-1]):
        file = tmp_path / f"ours-{qp}{codec.extension}"
        file.write_bytes(codec.encode(photo, qp))
        with skipping():
            theirs = decode(other, file)
        assert psnr(codec.decode(file.read_bytes(), WIDTH, HEIGHT), theirs) >= other.ours


@pytest.mark.parametrize("other", [other for other in OTHERS if other.encode], ids=str)
def test_their_files_in_our_decoder(other: Other, photo: Source, tmp_path: Path, psnr: PSNR) -> None:
    codec = codecs.get(other.codec)
    png, file = tmp_path / "in.png", tmp_path / f"theirs{codec.extension}"
    Image.fromarray(photo.rgb).save(png)
    with skipping():
        call(other.encode, png=png, file=file)
        theirs = decode(other, file)
    assert psnr(photo.rgb, theirs) > 28
    if other.codec != "jxl":
        assert psnr(images.read(file).rgb, theirs) >= other.theirs
    assert psnr(codec.decode(file.read_bytes(), WIDTH, HEIGHT), theirs) >= other.theirs


def test_their_jpeg_in_our_decoder(photo: Source, tmp_path: Path, psnr: PSNR) -> None:
    ppm, file, other = tmp_path / "in.ppm", tmp_path / "theirs.jpg", OTHERS[0]
    Image.fromarray(photo.rgb).save(ppm)
    with skipping():
        call(("cjpeg", "-quality", "70", "-progressive", "-outfile", "{file}", "{png}"), png=ppm, file=file)
        theirs = decode(other, file)
    assert psnr(images.read(file).rgb, theirs) >= other.ours
    assert psnr(codecs.get("jpeg").decode(file.read_bytes(), WIDTH, HEIGHT), theirs) >= other.ours
